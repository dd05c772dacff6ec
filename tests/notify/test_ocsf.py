"""What goes out as OCSF events has the classes, activities and required attributes of OCSF 1.3.0 (facts of its public schema,
kept in ocsf_facts.json)."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from openpim.core.activities import ACTIVITIES
from openpim.core.audit import AuditEvent, Target
from openpim.core.streams import StreamKind
from openpim.notify.ocsf import VERSION, Ocsf, event_of
from openpim.notify.outbound import GuardedOutbound
from openpim.ports.streams import NotTakenError
from tests.notify.events import ANN, GROUP, PLACE, ROLE, event, hostile_events, outgoing, stream
from tests.notify.hostile import answers, serve

FACTS: dict[str, Any] = json.loads(Path(__file__).with_name("ocsf_facts.json").read_text())


def checked(found: dict[str, Any]) -> dict[str, Any]:
    """The event, which must be one of OCSF's."""
    known = FACTS["classes"][str(found["class_uid"])]
    assert found["category_uid"] == 3
    assert found["class_name"] == known["caption"]
    assert str(found["activity_id"]) in known["activities"]
    assert found["type_uid"] == found["class_uid"] * 100 + found["activity_id"]
    assert set(known["required"]) <= found.keys(), set(known["required"]) - found.keys()
    profiles = {name for one in found["metadata"]["profiles"] for name in FACTS["profiles"][one]}
    assert found.keys() <= {*known["attributes"], *profiles}, found.keys() - set(known["attributes"])
    for names in known["at_least_one"]:
        assert found.keys() & set(names), names
    for name, kind in FACTS["objects_of"].items():
        if name in found:
            _object(found[name], kind)
    assert found["metadata"]["version"] == VERSION == FACTS["version"]
    assert isinstance(found["time"], int)
    json.dumps(found)
    return found


def _object(value: dict[str, Any], kind: str) -> None:
    known = FACTS["objects"][kind]
    assert value.keys() <= set(known["attributes"]), (kind, value.keys() - set(known["attributes"]))
    assert set(known["required"]) <= value.keys(), kind
    for names in known["at_least_one"]:
        assert value.keys() & set(names), (kind, names)
    for name, inner in known.get("objects_of", {}).items():
        if name in value:
            _object(value[name], inner)


def one(activity: str, **more: object) -> dict[str, Any]:
    return checked(event_of(outgoing(event(5, activity, **more))[0]))


def test_there_are_activities() -> None:
    assert len(ACTIVITIES) > 80


@pytest.mark.parametrize(
    "targets", [(), (ROLE, ANN, PLACE), (GROUP, ANN), (ANN,), (Target("Other", "", ""),)]
)
@pytest.mark.parametrize("category", ["RoleManagement", "GroupManagement", "Authentication", "Policy"])
def test_every_activity_is_an_event_of_ocsf(targets: tuple[Target, ...], category: str) -> None:
    nobody = {"actor_kind": "system", "actor_id": "", "actor_name": "", "actor_upn": None}
    for activity in ACTIVITIES:
        for more in ({}, {"result": "failure"}, nobody):
            one(activity, targets=targets, category=category, **more)


@pytest.mark.parametrize(
    ("activity", "category", "targets", "class_uid", "activity_id"),
    [
        ("Add member to role completed (PIM activation)", "RoleManagement", (ROLE, ANN, PLACE), 3005, 1),
        ("Add eligible member to role in PIM completed (timebound)", "RoleManagement", (ROLE, ANN), 3005, 1),
        ("Add member to role outside of PIM (permanent)", "RoleManagement", (ROLE, ANN), 3005, 1),
        ("Remove member from role (PIM activation expired)", "RoleManagement", (ROLE, ANN), 3005, 2),
        ("Remove permanent direct role assignment", "RoleManagement", (ROLE, ANN), 3005, 2),
        ("Remove member from role requested (PIM deactivate)", "RoleManagement", (ROLE, ANN), 3005, 99),
        ("Add member to role requested (PIM activation)", "RoleManagement", (ROLE, ANN), 3005, 99),
        ("Add member to role request denied (PIM activation)", "RoleManagement", (ROLE, ANN), 3005, 99),
        ("Add member to group", "GroupManagement", (GROUP, ANN), 3006, 3),
        ("Remove owner from group", "GroupManagement", (GROUP, ANN), 3006, 4),
        ("Add group", "GroupManagement", (GROUP,), 3004, 1),
        ("Sign in", "Authentication", (ANN,), 3002, 1),
        ("Sign out", "Authentication", (), 3002, 2),
        ("Change password", "Authentication", (ANN,), 3001, 3),
        ("Add passkey", "Authentication", (ANN,), 3001, 10),
        ("Disable account", "UserManagement", (ANN,), 3001, 5),
        ("Delete user", "UserManagement", (ANN,), 3001, 6),
        ("Update role setting in PIM", "Policy", (ROLE,), 3004, 3),
        ("Move resource", "ResourceManagement", (PLACE,), 3004, 5),
        ("Add audit stream", "Policy", (Target("AuditStream", "x", "siem"),), 3004, 1),
    ],
)
def test_the_class_fits_what_happened(
    activity: str, category: str, targets: tuple[Target, ...], class_uid: int, activity_id: int
) -> None:
    found = one(activity, category=category, targets=targets)
    assert (found["class_uid"], found["activity_id"]) == (class_uid, activity_id)
    assert found["activity_name"] == activity


def test_a_refused_grant_is_no_grant() -> None:
    found = one("Add member to role completed (PIM activation)", result="failure")
    assert (found["activity_id"], found["status_id"], found["severity_id"]) == (99, 2, 2)


def test_who_what_where() -> None:
    found = one("Add member to role completed (PIM activation)", ticket_number="INC-1")
    assert found["user"] == {"uid": ANN.id, "name": "Ann", "type_id": 1, "type": "User"}
    assert found["privileges"] == ["Teams Administrator"]
    assert found["actor"]["user"]["name"] == "ann@contoso.com"
    assert found["src_endpoint"] == {"ip": "192.0.2.1"}
    assert found["http_request"] == {"user_agent": "pim/1"}
    assert found["status_detail"] == "because"
    assert found["metadata"]["uid"] == event(5).id
    assert found["metadata"]["sequence"] == 5
    assert found["time"] == 1793610000123
    assert found["unmapped"]["ticket_number"] == "INC-1"


@pytest.mark.parametrize("found", hostile_events(), ids=range(len(hostile_events())))
def test_hostile_texts_arrive_to_the_letter(found: AuditEvent) -> None:
    sent = checked(event_of(outgoing(found)[0]))
    assert json.loads(json.dumps(sent))["status_detail"] == found.reason


def test_a_batch_is_one_array() -> None:
    with serve(answers(b"")) as server:
        sender = Ocsf(GuardedOutbound(["127.0.0.0/8"]))
        assert (
            sender.send(stream(StreamKind.OCSF, server.url()), "Splunk x", outgoing(event(1), event(2))) == ""
        )
        [asked] = server.asked
    found = json.loads(gzip.decompress(asked.body))
    assert [each["metadata"]["sequence"] for each in found] == [1, 2]
    assert asked.headers["authorization"] == "Splunk x"


def test_a_no_is_a_no() -> None:
    with serve(answers(b"", "500 No")) as server, pytest.raises(NotTakenError):
        Ocsf(GuardedOutbound(["127.0.0.0/8"])).send(
            stream(StreamKind.OCSF, server.url()), "", outgoing(event())
        )
