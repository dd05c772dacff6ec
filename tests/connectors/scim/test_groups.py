"""What is particular about groups in applications: names, several of one name, people who go, and answers that are nonsense."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from openpim.connectors.scim import KIND
from openpim.core.connecting import Edge
from openpim.ports.connector import Fault, TargetError
from tests.connectors.contract import SECRET, done, fence, grants, names, now, revokes
from tests.connectors.http_server import HttpServer
from tests.connectors.opening import opening
from tests.connectors.scim.rigs import MANAGED, OtherRig
from tests.faces.scim.client import GROUP, USER

PAYROLL = MANAGED[0]


def fault_of(ask: Callable[[], object]) -> TargetError | None:
    try:
        ask()
    except TargetError as error:
        return error
    return None


def test_a_person_is_one_in_whatever_case_the_application_writes_him(other: OtherRig) -> None:
    other.make("Users", {"schemas": [USER], "userName": "Carla@Example.ORG"})
    connector = other.open()
    carla = Edge(KIND.check_subject("CARLA@example.org"), PAYROLL)
    done(connector, grants(carla))
    assert names(connector) == {carla.name}
    done(connector, revokes(carla))
    assert names(connector) == set()


def test_people_by_mail(other: OtherRig) -> None:
    mail = [{"value": "dora@example.org", "type": "work", "primary": True}]
    key = other.make("Users", {"schemas": [USER], "userName": "d4711", "emails": mail})
    connector = other.open(people_by="emails")
    edge = Edge("dora@example.org", PAYROLL)
    done(connector, grants(edge))
    assert names(connector) == {edge.name}
    assert key in {one["value"] for one in other.ask("GET", f"/Groups/{other.groups[PAYROLL]}")["members"]}


def test_groups_by_id(other: OtherRig) -> None:
    key = other.groups[PAYROLL]
    connector = other.open((key,), groups_by="id")
    done(connector, grants(Edge("alice", key)))
    assert other.has("alice", PAYROLL)
    assert other.open(("nothing",), groups_by="id").read().unread.keys() == {"nothing"}


def test_one_group_that_cannot_be_told_holds_up_no_other(other: OtherRig) -> None:
    managed = (PAYROLL, "Nowhere", "Twice")
    for _ in range(2):
        other.make("Groups", {"schemas": [GROUP], "displayName": "Twice"})
    connector = other.open(managed)
    edge = Edge("alice", PAYROLL)
    receipts = connector.apply(grants(Edge("alice", "Nowhere"), Edge("alice", "Twice"), edge), fence())
    assert [one.ok for one in receipts] == [False, False, True]
    found = connector.read()
    assert found.edges == {edge}
    assert found.unread.keys() == {"Nowhere", "Twice"}
    assert len(connector.probe().lacks) == 2
    ended = connector.sever([Edge("alice", "Nowhere")], [], fence())
    assert ended[0].error


def test_two_names_of_one_group_prove_nothing_about_either(other: OtherRig) -> None:
    managed = (PAYROLL, PAYROLL.upper())
    found = other.open(managed).read()
    assert found.unread.keys() == set(managed)
    (receipt,) = other.open(managed).apply(grants(Edge("alice", PAYROLL)), fence())
    assert not receipt.ok


def test_a_group_that_was_made_anew_is_found_again(other: OtherRig) -> None:
    connector = other.open()
    done(connector, grants(Edge("alice", PAYROLL)))
    other.ask("DELETE", f"/Groups/{other.groups[PAYROLL]}")
    assert connector.read().unread.keys() == {PAYROLL}
    other.groups[PAYROLL] = other.make("Groups", {"schemas": [GROUP], "displayName": PAYROLL})
    assert connector.read().edges == frozenset()
    done(connector, grants(Edge("alice", PAYROLL)))
    assert other.has("alice", PAYROLL)


def test_who_is_gone_or_has_another_name_is_taken_out_all_the_same(other: OtherRig) -> None:
    connector = other.open()
    edge = Edge("alice", PAYROLL)
    done(connector, grants(edge))
    assert names(connector) == {edge.name}
    renamed = {"schemas": [USER], "userName": "alice.married"}
    other.ask("PUT", f"/Users/{other.users['alice']}", renamed)
    done(connector, revokes(edge))
    assert not other.has("alice", PAYROLL)
    done(connector, revokes(Edge("nobody", PAYROLL)))


def test_one_member_at_a_time(other: OtherRig) -> None:
    """What somebody else changes at the same moment is not undone."""
    sent: list[Any] = []
    inner = other.server._application

    def watching(environ: Any, start: Any) -> Any:
        if environ["REQUEST_METHOD"] == "PATCH":
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            sent.append(json.loads(body)["Operations"])
            import io

            environ["wsgi.input"] = io.BytesIO(body)
        assert environ["REQUEST_METHOD"] != "PUT"
        return inner(environ, start)

    other.server.down()
    other.server._application = watching
    other.server.up()
    connector = other.open()
    both = [Edge("alice", PAYROLL), Edge("bob", PAYROLL)]
    done(connector, grants(*both))
    done(connector, revokes(both[0]))
    assert [len(one) for one in sent] == [1, 1, 1]
    assert sent[0] == [{"op": "add", "path": "members", "value": [{"value": other.users["alice"]}]}]
    assert sent[2] == [{"op": "remove", "path": f'members[value eq "{other.users["alice"]}"]'}]


def test_a_session_that_lives_on_is_told(other: OtherRig) -> None:
    connector = other.open(session_seconds="3600")
    before = now()
    (severed,) = connector.sever([Edge("alice", PAYROLL)], [], fence())
    assert severed.residue_until is not None
    assert timedelta(0) <= severed.residue_until - before - timedelta(hours=1) < timedelta(minutes=1)
    assert KIND.capabilities({"session_seconds": "3600"}).worst_case_after_revoke == timedelta(hours=1)


def test_who_is_still_in_it_is_not_severed(other: OtherRig) -> None:
    connector = other.open()
    other.give("alice", PAYROLL)
    (severed,) = connector.sever([Edge("alice", PAYROLL)], [], fence())
    assert severed.error


def test_a_token_that_is_not_taken(other: OtherRig) -> None:
    other.refuse = True
    connector = other.open()
    for ask in (
        connector.read,
        connector.probe,
        lambda: connector.apply(grants(Edge("alice", PAYROLL)), fence()),
    ):
        with pytest.raises(TargetError) as caught:
            ask()
        assert caught.value.fault is Fault.REFUSED
        assert SECRET not in str(caught.value)


NONSENSE = [
    (200, b""), (200, b"<html>"), (200, b"[]"), (200, b'{"Resources": 5}'), (200, b'{"Resources": [5]}'),
    (200, b'{"Resources": [{"id": 5}]}'), (200, b'{"Resources": [{"id": "x", "displayName": 5}]}'), (200, b"[" * 100_000),
    (302, b""), (500, b"oops"), (503, b""), (429, b"{}"), (418, b"tea"), (404, b"{}"), (200, b'{"id": "x", "displayName": "Payroll admins", "members": 5}'),
    (200, b'{"Resources": [{"id": "x", "displayName": "Payroll admins"}], "id": "x", "displayName": "Payroll admins", "members": [5, {"value": 5}, {"value": "y"}]}'),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body"), NONSENSE)
def test_nonsense_is_a_fault_of_the_target_and_no_crash(status: int, body: bytes) -> None:
    def application(_environ: Any, start: Any) -> Any:
        start(
            f"{status} Whatever", [("Content-Type", "application/json"), ("Location", "http://127.0.0.1:1/")]
        )
        return [body]

    server = HttpServer(application)
    try:
        settings = {"url": server.address}
        connector = KIND.open(opening(KIND, MANAGED, settings, {"token": SECRET}))
        edge = Edge("alice", PAYROLL)
        for ask in (
            connector.probe,
            connector.read,
            lambda: connector.apply(grants(edge), fence()),
            lambda: connector.apply(revokes(edge), fence()),
            lambda: connector.sever([edge], [], fence()),
        ):
            fault = fault_of(ask)
            assert fault is None or SECRET not in fault.message
    finally:
        server.down()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "app.example.com",
        "ftp://a",
        "https://",
        "https://a?b=c",
        "https://a#b",
        "https://u:p@a/",
        "https://a b/",
        "https://a:x/",
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    assert "url" in KIND.check_settings({"url": url})


@pytest.mark.parametrize("text", ["x", "-1", "2592001", "0000000019", "0" * 5000])
def test_seconds_that_are_none(text: str) -> None:
    assert set(KIND.check_settings({"url": "https://a", "session_seconds": text})) == {"session_seconds"}


def test_an_address_inside_is_not_called_unless_it_is_allowed() -> None:
    from openpim.notify.outbound import GuardedOutbound

    made = opening(KIND, MANAGED, {"url": "https://169.254.169.254/scim"}, {"token": SECRET})
    object.__setattr__(made, "outbound", GuardedOutbound([]))
    with pytest.raises(TargetError):
        KIND.open(made).read()
