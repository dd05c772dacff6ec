"""`/Groups`: groups as a provisioner reads and writes them. Members are written one by one, whatever the group's size."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from scim2_models import Context, PatchOp, SearchRequest

from openpim.core.directory import PrincipalKind
from openpim.core.directory_rules import is_guid
from openpim.core.provisioning import Record, Team
from openpim.core.query import Page, Query
from openpim.core.refusals import Refusal
from openpim.faces.scim import dialects
from openpim.faces.scim.call import Answer, Call, FaultError, refused, version_of
from openpim.faces.scim.filters import GROUPS, condition_of, order_of
from openpim.faces.scim.models import Group
from openpim.faces.scim.paging import listed, modified, page_of, selected
from openpim.services.provisioning import teams
from openpim.services.provisioning.teams import Step, Wanted
from openpim.wire.instants import render_datetime

_SCHEMA = str(Group.__schema__)
Doc = dict[str, Any]
SHOWN: Final = 1000  # members in the answer to a change; of a group with more it is 204 (RFC 7644 3.5.2)


def index(call: Call) -> Answer:
    return _found(call, call.search(Group))


def search(call: Call) -> Answer:
    """`POST /Groups/.search`."""
    return _found(call, call.search(Group, call.json()))


def show(call: Call, group_id: str) -> Answer:
    asked = call.search(Group)
    team = teams.get(call.deps, call.caller, group_id, members=_wants_members(asked))
    if isinstance(team, Refusal):
        refused(team)
    return _answer(call, team, asked, 200)


def create(call: Call) -> Answer:
    resource = Group.model_validate(call.json(), scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    steps = (Step("add", _ids(resource)),) if resource.members else ()
    made = teams.create(
        call.deps,
        call.caller,
        Wanted(resource.display_name or "", Record(resource.external_id), _checked(steps)),
    )
    if isinstance(made, Refusal):
        refused(made)
    return _answer(call, made, call.search(Group), 201)


def replace(call: Call, group_id: str) -> Answer:
    """Members that are not named are taken out, as RFC 7644 3.5.1 has it; a body without any leaves them."""
    body = call.json()
    resource = Group.model_validate(body, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)
    said = any(name.lower() == "members" for name in body)
    steps = _checked((Step("set", _ids(resource)),)) if said else ()

    def decide(before: Team) -> Wanted:
        _check(call, before)
        return Wanted(resource.display_name or "", Record(resource.external_id), steps)

    return _changed(call, group_id, decide)


def patch(call: Call, group_id: str) -> Answer:
    """The answer is the resource, as RFC 7644 3.5.2 allows."""
    rest, steps = dialects.of_group(call.json())
    steps = _checked(steps)
    asked = (
        None if rest is None else PatchOp[Group].model_validate(rest, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
    )

    def decide(before: Team) -> Wanted:
        _check(call, before)
        external_id = before.record.external_id if before.record is not None else None
        resource = Group(display_name=before.group.display_name, external_id=external_id)
        if asked is not None:
            asked.patch(resource)
        return Wanted(resource.display_name or "", Record(resource.external_id), steps)

    return _changed(call, group_id, decide)


def delete(call: Call, group_id: str) -> Answer:
    allow = (lambda before: _check(call, before)) if call.headers.get("if-match") else None
    refusal = teams.delete(call.deps, call.caller, group_id, allow)
    if refusal is not None:
        refused(refusal)
    return Answer(204)


def document(call: Call, team: Team) -> Doc:
    """The whole resource without meta; its version is of this, so there is none without members."""
    doc: Doc = {"id": team.group.id, "displayName": team.group.display_name}
    if team.record is not None and team.record.external_id is not None:
        doc["externalId"] = team.record.external_id
    if team.members:
        doc["members"] = [
            {
                "value": one.id,
                "$ref": call.address("Users" if one.kind is PrincipalKind.USER else "Groups", one.id),
                "type": "User" if one.kind is PrincipalKind.USER else "Group",
            }
            for one in team.members
            if one.kind is not PrincipalKind.SERVICE_PRINCIPAL
        ]
    return doc


def rendered(call: Call, team: Team, asked: SearchRequest[Any]) -> Doc:
    doc = document(call, team)
    meta = {
        "resourceType": "Group",
        "created": render_datetime(team.group.created_at),
        "lastModified": render_datetime(modified(team.group, team.record)),
        "location": call.address("Groups", team.group.id),
    }
    if team.members is not None:
        meta["version"] = version_of(doc)
    return selected(Group, {"schemas": [_SCHEMA], **doc, "meta": meta}, asked)


def _found(call: Call, asked: SearchRequest[Any]) -> Answer:
    return listed(asked, matching(call, asked), lambda one: rendered(call, one, asked))


def matching(call: Call, asked: SearchRequest[Any]) -> Page[Team]:
    where, order = condition_of(asked, GROUPS), order_of(asked, GROUPS)
    members = _wants_members(asked)

    def ask(limit: int, skip: int) -> Page[Team] | Refusal:
        query = Query(where, order, limit=limit, skip=skip, count=True)
        return teams.page(call.deps, call.caller, query, members=members)

    return page_of(asked, ask)


def _changed(call: Call, group_id: str, decide: Any) -> Answer:
    asked = call.search(Group)
    checked, wanted = bool(call.headers.get("if-match")), _wants_members(asked)
    shown = (None if asked.attributes else SHOWN) if wanted else 0
    outcome = teams.change(call.deps, call.caller, group_id, decide, members=checked, shown=shown)
    if isinstance(outcome, Refusal):
        refused(outcome)
    if wanted and outcome.members is None:
        return Answer(204)
    return _answer(call, outcome if wanted else dataclasses.replace(outcome, members=None), asked, 200)


def _answer(call: Call, team: Team, asked: SearchRequest[Any], status: int) -> Answer:
    location = call.address("Groups", team.group.id)
    headers = {"Content-Location": location}
    if team.members is not None:
        headers["ETag"] = version_of(document(call, team))
        if status == 200 and not call.body and call.known(headers["ETag"]):
            return Answer(304, None, {"ETag": headers["ETag"]})
    if status == 201:
        headers["Location"] = location
    return Answer(status, rendered(call, team, asked), headers)


def _check(call: Call, before: Team) -> None:
    if before.members is not None:
        call.check_version(version_of(document(call, before)))


def _wants_members(asked: SearchRequest[Any]) -> bool:
    """They may be many: they are read only where they are shown."""
    if asked.attributes:
        return any(_of_members(str(one)) for one in asked.attributes)
    return not any(_of_members(str(one)) for one in asked.excluded_attributes or ())


def _of_members(name: str) -> bool:
    return name.lower().rsplit(":", 1)[-1].split(".")[0] == "members"


def _ids(resource: Group) -> tuple[str, ...]:
    return dialects.member_ids([{"value": one.value} for one in resource.members or ()])


def _checked(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    for step in steps:
        for one in step.ids:
            if not is_guid(one) and step.what != "remove":
                raise FaultError(400, f"There is no user or group with the id {one[:100]!r}.", "invalidValue")
    return tuple(Step(one.what, tuple(id for id in one.ids if is_guid(id))) for one in steps)  # noqa: A001
