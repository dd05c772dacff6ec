"""`getMemberGroups`, `getMemberObjects` and the `check…` of both, for people, groups, applications and any object."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from openpim.core.caller import Caller
from openpim.core.refusals import Refusal
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.dispatch import lets_in
from openpim.faces.graph.faults import settled
from openpim.faces.graph.table import Endpoint
from openpim.ports.deps import Deps
from openpim.services import browse, member_objects

MOST_GROUPS = 20
MOST_OBJECTS = 1000
_Reader = Callable[..., "frozenset[str] | Refusal"]


def _key(call: Call, *, person: bool) -> str:
    """An id; for people a sign-in name too, and the caller where the address names nobody."""
    key = call.params.get("id", call.caller.principal_id)
    return settled(browse.user(call.deps, call.caller, key), key).id if person else key.lower()


def _read(call: Call, reader: _Reader, key: str, *, security_only: bool = False) -> frozenset[str]:
    deps: Deps = call.deps
    caller: Caller = call.caller
    roles = {"roles": lets_in(caller, p.ROLE_ASSIGNMENTS_READ)} if reader is member_objects.all_of else {}
    return settled(reader(deps, caller, key, security_only=security_only, **roles), key)


def _listed(call: Call, ids: list[str]) -> Answer:
    return Answer(200, {"@odata.context": call.context("Collection(Edm.String)"), "value": ids})


def get(call: Call, reader: _Reader, *, person: bool = False) -> Answer:
    body = call.json(allow_empty=True)
    only = bool(body.boolean("securityEnabledOnly"))
    return _listed(call, sorted(_read(call, reader, _key(call, person=person), security_only=only)))


def check(call: Call, reader: _Reader, member: str, most: int, *, person: bool = False) -> Answer:
    """Those of the ids in the body that the principal is in, in the order they were asked."""
    body = call.json()
    asked = body.need(member, body.texts(member, most=most, max_length=200))
    held = _read(call, reader, _key(call, person=person))
    return _listed(call, [one for one in dict.fromkeys(key.strip().lower() for key in asked) if one in held])


def _endpoints(
    path: str, read: tuple[str, ...], *, person: bool = False, people_only: bool = False
) -> tuple[Endpoint, ...]:
    groups, everything = member_objects.groups_of, member_objects.all_of
    acts = {
        "getMemberGroups": partial(get, reader=groups, person=person),
        "getMemberObjects": partial(get, reader=everything, person=person),
        "checkMemberGroups": partial(
            check, reader=groups, member="groupIds", most=MOST_GROUPS, person=person
        ),
        "checkMemberObjects": partial(
            check, reader=everything, member="ids", most=MOST_OBJECTS, person=person
        ),
    }
    return tuple(
        Endpoint("POST", f"{path}/{name}", act, read, people_only=people_only) for name, act in acts.items()
    )


ENDPOINTS = (
    *_endpoints("me", (*p.ME, *p.GROUPS_READ), person=True, people_only=True),
    *_endpoints("users/{id}", (*p.USERS_READ, *p.GROUPS_READ), person=True),
    *_endpoints("groups/{id}", p.GROUPS_READ),
    *_endpoints("servicePrincipals/{id}", p.APPLICATIONS_READ),
    *_endpoints("directoryObjects/{id}", p.OBJECTS_READ),
)
