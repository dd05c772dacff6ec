"""`/groups`: groups, who is in them and who owns them."""

from __future__ import annotations

from functools import partial
from typing import Any

from openpim.core.directory import Group
from openpim.core.query import Order
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.dispatch import location
from openpim.faces.graph.faults import bad, settled
from openpim.faces.graph.objects import GROUPS, object_rows, people, people_query, searching
from openpim.faces.graph.references import reference, references
from openpim.faces.graph.resource import listed
from openpim.faces.graph.table import Endpoint
from openpim.services import browse
from openpim.services.directory.create_group import NewGroup, create_group
from openpim.services.directory.delete_group import delete_group
from openpim.services.directory.group_members import add_member, remove_member
from openpim.services.directory.group_owners import add_owner, remove_owner
from openpim.services.directory.update_group import update_group
from openpim.wire.jsonbody import Body

_SEARCHED = {"displayname": "display_name", "description": "description"}


def _key(call: Call) -> str:
    return call.params["id"].lower()


def index(call: Call) -> Answer:
    query = GROUPS.query(call, extra=searching(call, _SEARCHED), order=(Order("display_name"),))
    return GROUPS.collection(call, browse.groups(call.deps, call.caller, query))


def show(call: Call) -> Answer:
    return GROUPS.entity(call, _group(call))


def _group(call: Call) -> Group:
    key = _key(call)
    return settled(browse.group(call.deps, call.caller, key), key)


def members(call: Call, *, transitive: bool = False, owners: bool = False) -> Answer:
    key = _key(call)
    page = browse.members(
        call.deps, call.caller, key, people_query(call), transitive=transitive, owners=owners
    )
    return people(call, settled(page, key))


def member_of(call: Call, *, transitive: bool = False) -> Answer:
    key = _key(call)
    page = browse.memberships(call.deps, call.caller, key, GROUPS.query(call), transitive=transitive)
    found = settled(page, key)
    rows = object_rows(call, found.items, call.options)
    return listed(call, GROUPS.fragment(call.options, path="directoryObjects"), rows, found.next, found.total)


# ---------------------------------------------------------------- changing


def create(call: Call) -> Answer:
    body = call.json()
    body.need_text("displayName", max_length=256)
    found = _members(body)
    if body.boolean("mailEnabled"):
        raise body.fail("mailEnabled", "must be false: groups have no mailbox here")
    if body.has("isAssignableToRole"):
        found["role_assignable"] = bool(body.boolean("isAssignableToRole"))
    dynamic = "dynamicmembership" in {one.lower() for one in body.texts("groupTypes", most=10) or ()}
    if dynamic and not found.get("membership_rule"):
        raise body.fail("membershipRule", "is required for a dynamic group")
    new = NewGroup(**found, owners=references(body, "owners"), members=references(body, "members"))
    made = settled(create_group(call.deps, call.caller, new))
    answer = GROUPS.entity(call, made, status=201)
    return Answer(201, answer.body, {"Location": location(call, "groups", made.id)})


def update(call: Call) -> Answer:
    body = call.json()
    found = _members(body)
    if body.has("isAssignableToRole"):
        found["role_assignable"] = bool(body.boolean("isAssignableToRole"))
    added = references(body, "members")
    if not found and not added:
        raise bad("The body names nothing that can be changed.")
    key = _key(call)
    if found:
        settled(update_group(call.deps, call.caller, key, found), key)
    for member in added:
        settled(add_member(call.deps, call.caller, key, member), member)
    return NO_CONTENT


def _members(body: Body) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field, longest in (
        ("displayName", "display_name", 256),
        ("description", "description", 1024),
        ("mailNickname", "mail_nickname", 64),
        ("membershipRule", "membership_rule", 3072),
    ):
        if body.has(name):
            found[field] = body.text(name, max_length=longest)
    if body.has("securityEnabled"):
        found["security_enabled"] = body.need("securityEnabled", body.boolean("securityEnabled"))
    return found


def delete(call: Call) -> Answer:
    key = _key(call)
    settled(delete_group(call.deps, call.caller, key), key)
    return NO_CONTENT


def add_member_ref(call: Call) -> Answer:
    who = reference(call.json())
    settled(add_member(call.deps, call.caller, _key(call), who), who)
    return NO_CONTENT


def remove_member_ref(call: Call) -> Answer:
    who = call.params["member"].lower()
    settled(remove_member(call.deps, call.caller, _key(call), who), who)
    return NO_CONTENT


def add_owner_ref(call: Call) -> Answer:
    who = reference(call.json())
    settled(add_owner(call.deps, call.caller, _key(call), who), who)
    return NO_CONTENT


def remove_owner_ref(call: Call) -> Answer:
    who = call.params["owner"].lower()
    settled(remove_owner(call.deps, call.caller, _key(call), who), who)
    return NO_CONTENT


ENDPOINTS = (
    Endpoint("GET", "groups", index, p.GROUPS_READ),
    Endpoint("POST", "groups", create, p.ROLE_GROUPS_WRITE),
    Endpoint("GET", "groups/{id}", show, p.GROUPS_READ),
    Endpoint("PATCH", "groups/{id}", update, p.ROLE_GROUPS_WRITE),
    Endpoint("DELETE", "groups/{id}", delete, p.ROLE_GROUPS_WRITE),
    Endpoint("GET", "groups/{id}/members", members, p.GROUPS_READ),
    Endpoint("GET", "groups/{id}/transitiveMembers", partial(members, transitive=True), p.GROUPS_READ),
    Endpoint("GET", "groups/{id}/owners", partial(members, owners=True), p.GROUPS_READ),
    Endpoint("GET", "groups/{id}/memberOf", member_of, p.GROUPS_READ),
    Endpoint("GET", "groups/{id}/transitiveMemberOf", partial(member_of, transitive=True), p.GROUPS_READ),
    Endpoint("POST", "groups/{id}/members/$ref", add_member_ref, p.ROLE_MEMBERS_WRITE),
    Endpoint("DELETE", "groups/{id}/members/{member}/$ref", remove_member_ref, p.ROLE_MEMBERS_WRITE),
    Endpoint("POST", "groups/{id}/owners/$ref", add_owner_ref, p.ROLE_GROUPS_WRITE),
    Endpoint("DELETE", "groups/{id}/owners/{owner}/$ref", remove_owner_ref, p.ROLE_GROUPS_WRITE),
)
