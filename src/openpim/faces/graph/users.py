"""`/me` and `/users`: people, their manager, their groups and roles."""

from __future__ import annotations

from functools import partial
from typing import Any

from openpim.core import query as q
from openpim.core.directory import User, UserType
from openpim.core.grants import Kind, Provider
from openpim.core.query import Order
from openpim.core.refusals import Refusal
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.directory_roles import role_row
from openpim.faces.graph.dispatch import location
from openpim.faces.graph.faults import Fault, bad, settled
from openpim.faces.graph.objects import GROUPS, USERS, object_rows, searching
from openpim.faces.graph.references import reference
from openpim.faces.graph.resource import listed
from openpim.faces.graph.table import Endpoint
from openpim.services import browse, schedules
from openpim.services.directory.create_user import NewUser, create_user
from openpim.services.directory.delete_user import delete_user
from openpim.services.directory.update_user import update_user
from openpim.services.reading import Whose
from openpim.services.signin.revoke_sessions import revoke_sessions as revoke
from openpim.wire.jsonbody import Body

_SEARCHED = {"displayname": "display_name", "userprincipalname": "user_principal_name", "mail": "mail"}
_TEXTS = {
    "displayName": "display_name",
    "userPrincipalName": "user_principal_name",
    "mail": "mail",
    "givenName": "given_name",
    "surname": "surname",
    "jobTitle": "job_title",
    "department": "department",
    "officeLocation": "office_location",
    "mobilePhone": "mobile_phone",
    "employeeId": "employee_id",
}


def key_of(call: Call) -> str:
    """The user the address is about: an id, a sign-in name, or the caller."""
    return call.params.get("id", call.caller.principal_id)


def _user(call: Call) -> User:
    key = key_of(call)
    return settled(browse.user(call.deps, call.caller, key), key)


def index(call: Call) -> Answer:
    query = USERS.query(call, extra=searching(call, _SEARCHED), order=(Order("display_name"),))
    return USERS.collection(call, browse.users(call.deps, call.caller, query))


def show(call: Call) -> Answer:
    return USERS.entity(call, _user(call))


def manager(call: Call) -> Answer:
    key = key_of(call)
    found = settled(browse.manager(call.deps, call.caller, key), f"{key}/manager")
    return USERS.entity(call, found, typed=True, path="directoryObjects")


def direct_reports(call: Call) -> Answer:
    key = key_of(call)
    page = settled(browse.direct_reports(call.deps, call.caller, key, USERS.query(call)), key)
    rows = object_rows(call, page.items, call.options)
    return listed(call, USERS.fragment(call.options, path="directoryObjects"), rows, page.next, page.total)


def member_of(call: Call, *, transitive: bool = False) -> Answer:
    """Groups; behind the last of them the directory roles in force, as Graph mixes them."""
    user = _user(call)
    path = {"group": "groups", "directoryrole": "directoryRoles"}.get(call.cast or "", "directoryObjects")
    if call.cast == "directoryrole":
        rows = _roles(call, user)
        return listed(call, path, rows, None, len(rows) if call.options.count else None)
    if call.cast not in {None, "group"}:
        return listed(call, path, [], None, 0 if call.options.count else None)
    query = GROUPS.query(call, extra=searching(call, {"displayname": "display_name"}))
    page = settled(browse.memberships(call.deps, call.caller, user.id, query, transitive=transitive), user.id)
    rows = object_rows(call, page.items, call.options)
    if (
        page.next is None
        and call.cast is None
        and call.options.filter is None
        and call.options.search is None
    ):
        rows += _roles(call, user)
    return listed(call, GROUPS.fragment(call.options, path=path), rows, page.next, page.total)


def _roles(call: Call, user: User) -> list[dict[str, Any]]:
    """Directory roles in force at the tenant, where the caller may see them."""
    mine = user.id == call.caller.principal_id
    where = q.All(
        (q.Compare("scope", "eq", "/"), *(() if mine else (q.Compare("principal_id", "eq", user.id),)))
    )
    held = schedules.instances(
        call.deps,
        call.caller,
        Provider.DIRECTORY,
        Kind.ASSIGNMENT,
        Whose.PRINCIPAL if mine else Whose.ANYONE,
        q.Query(where, limit=200),
    )
    if isinstance(held, Refusal):
        return []
    roles = browse.roles_by_id(call.deps, call.caller, {one.role_id for one in held.items})
    return [
        {"@odata.type": "#microsoft.graph.directoryRole", **role_row(call, role)}
        for role in sorted(roles.values(), key=lambda one: one.display_name)
    ]


def owned_objects(call: Call) -> Answer:
    user = _user(call)
    page = settled(browse.owned(call.deps, call.caller, user.id, GROUPS.query(call)), user.id)
    rows = object_rows(call, page.items, call.options)
    return listed(call, GROUPS.fragment(call.options, path="directoryObjects"), rows, page.next, page.total)


# ---------------------------------------------------------------- changing


def create(call: Call) -> Answer:
    body = call.json()
    members = _members(body)
    for name in ("displayName", "userPrincipalName"):
        body.need_text(name)
    kind = body.choice("userType", UserType)
    if kind is not None:
        members["user_type"] = kind
    _no_password(body)
    made = settled(create_user(call.deps, call.caller, NewUser(**members)))
    answer = USERS.entity(call, made, status=201)
    return Answer(201, answer.body, {"Location": location(call, "users", made.id)})


def _no_password(body: Body) -> None:
    """A password that is sent is read over: people set their own, by a one-time link (see the divergences)."""
    profile = body.object("passwordProfile")
    if profile is not None:
        profile.text("password", max_length=256)


def update(call: Call) -> Answer:
    body = call.json()
    members = _members(body)
    _no_password(body)
    if not members:
        raise bad("The body names nothing that can be changed.")
    user = _user(call)
    settled(update_user(call.deps, call.caller, user.id, members), user.id)
    return NO_CONTENT


def _members(body: Body) -> dict[str, Any]:
    found: dict[str, Any] = {
        field: body.text(name, max_length=320) for name, field in _TEXTS.items() if body.has(name)
    }
    if body.has("accountEnabled"):
        found["enabled"] = body.need("accountEnabled", body.boolean("accountEnabled"))
    return found


def delete(call: Call) -> Answer:
    user = _user(call)
    settled(delete_user(call.deps, call.caller, user.id), user.id)
    return NO_CONTENT


def set_manager(call: Call) -> Answer:
    above = reference(call.json())
    user = _user(call)
    settled(update_user(call.deps, call.caller, user.id, {"manager_id": above}), above)
    return NO_CONTENT


def remove_manager(call: Call) -> Answer:
    user = _user(call)
    if user.manager_id is None:
        raise Fault("Request_ResourceNotFound", f"{user.display_name} has no manager.")
    settled(update_user(call.deps, call.caller, user.id, {"manager_id": None}), user.id)
    return NO_CONTENT


def _reads(base: str, scopes: tuple[str, ...], *, people_only: bool = False) -> tuple[Endpoint, ...]:
    def get(address: str, handler: Any) -> Endpoint:
        return Endpoint("GET", address, handler, scopes, people_only=people_only)

    return (
        get(base, show),
        get(f"{base}/manager", manager),
        get(f"{base}/directReports", direct_reports),
        get(f"{base}/memberOf", member_of),
        get(f"{base}/transitiveMemberOf", partial(member_of, transitive=True)),
        get(f"{base}/ownedObjects", owned_objects),
    )


def revoke_sessions(call: Call) -> Answer:
    user = _user(call)
    settled(revoke(call.deps, call.caller, user.id), user.id)
    return Answer(200, {"@odata.context": call.context("Edm.Boolean"), "value": True})


ENDPOINTS = (
    *_reads("me", p.ME, people_only=True),
    Endpoint("GET", "users", index, p.USERS_READ),
    Endpoint("POST", "users", create, p.USERS_WRITE),
    *_reads("users/{id}", p.USERS_READ),
    Endpoint("PATCH", "users/{id}", update, p.USERS_WRITE),
    Endpoint("DELETE", "users/{id}", delete, p.USERS_WRITE),
    Endpoint("POST", "me/revokeSignInSessions", revoke_sessions, p.SESSIONS_WRITE, people_only=True),
    Endpoint("POST", "users/{id}/revokeSignInSessions", revoke_sessions, p.SESSIONS_WRITE),
    Endpoint("PUT", "users/{id}/manager/$ref", set_manager, p.USERS_WRITE),
    Endpoint("DELETE", "users/{id}/manager/$ref", remove_manager, p.USERS_WRITE),
)
