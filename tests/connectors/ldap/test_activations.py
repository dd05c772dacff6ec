"""Entries that end by themselves, in a real OpenLDAP: to the second, with us dead and the directory restarted in between."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from openpim.core.connecting import Edge, Op, OpKind
from openpim.ports.connector import Fault, TargetError
from tests.connectors.contract import done, fence, grants, in_an_hour, names, now, opened, revokes
from tests.connectors.ldap.conftest import KEYS
from tests.connectors.ldap.person import Person
from tests.connectors.ldap.slapd import ACTIVATIONS, GROUPS, PEOPLE, SALARIES

JANUARY = f"cn=January,{SALARIES}"


@pytest.fixture
def edge() -> Edge:
    return Edge("alice", "payroll-admins", in_an_hour(), KEYS["alice"])


@pytest.fixture
def live(slapd):
    person = Person(slapd.port, slapd.authority, f"uid=alice,{PEOPLE}", "of-alice")
    yield person
    person.close()


def test_who_has_an_activation_may_and_then_may_not(slapd, activations, edge, live):
    shown = f"cn=payroll-admins-now,{GROUPS}"
    with opened(activations) as connector:
        assert not slapd.writes("alice")
        assert not live.writes(JANUARY)
        done(connector, grants(edge))
        assert slapd.writes("alice")
        assert live.writes(JANUARY)
        assert not slapd.writes("bob")
        assert slapd.values(shown, "member") == {f"uid=alice,{PEOPLE}"}
        done(connector, revokes(edge))
        assert not live.writes(JANUARY)
        assert not slapd.writes("alice")
        assert slapd.values(shown, "member") == set()


def test_it_ends_by_itself_with_us_dead_and_the_directory_killed_in_between(slapd, activations, edge):
    until = now() + timedelta(seconds=3)
    with opened(activations) as connector:
        done(connector, grants(replace(edge, until=until)))
    slapd.kill()
    slapd.start()
    live = Person(slapd.port, slapd.authority, f"uid=alice,{PEOPLE}", "of-alice")
    assert live.writes(JANUARY)
    while live.writes(JANUARY):
        assert now() < until + timedelta(seconds=5)
        time.sleep(0.05)
    assert abs(now() - until) < timedelta(seconds=1.5)
    live.close()
    with opened(activations) as connector:
        assert connector.read().edges == frozenset()
        done(connector, revokes(replace(edge, until=until)))  # it is gone already


def test_whoever_dies_between_the_entry_and_its_end_leaves_nothing_that_lasts(
    slapd, activations, edge, monkeypatch
):
    with opened(activations) as connector:

        def dies(*_rest):
            raise TargetError(Fault.UNREACHABLE, "dead")

        monkeypatch.setattr(type(connector), "_bound", dies)
        with pytest.raises(TargetError):
            connector.apply(grants(edge), fence())
        monkeypatch.undo()
        (found,) = connector.read().edges
        assert found.until is not None
        assert found.until - now() <= timedelta(seconds=61)
        done(connector, [Op(OpKind.BOUND, edge)])
        (found,) = connector.read().edges
        assert found.until is not None
        assert found.until - now() > timedelta(minutes=50)


def test_who_comes_late_takes_back_what_it_has_just_made(slapd, activations, edge, monkeypatch):
    """Somebody later writes between its look at the fence and its end."""
    other = Edge("bob", "auditors", in_an_hour(), KEYS["bob"])
    with opened(activations) as late, opened(activations) as later:
        again = type(late)._again

        def overtaken(self, connection, there):
            if self is late:
                done(later, grants(other), epoch=8)
            return again(self, connection, there)

        monkeypatch.setattr(type(late), "_again", overtaken)
        with pytest.raises(TargetError) as caught:
            late.apply(grants(edge), fence(7))
        assert caught.value.fault is Fault.FENCED
        assert names(later) == {other.name}


def test_two_activations_of_one_person_are_two_and_each_ends_alone(slapd, activations, edge):
    second = replace(edge, key=KEYS["bob"])
    with opened(activations) as connector:
        done(connector, grants(edge, second))
        done(connector, revokes(edge))
        assert names(connector) == {second.name}
        assert slapd.writes("alice")


def test_an_end_can_be_given_and_taken_away(slapd, activations, edge):
    endless = replace(edge, until=None)
    with opened(activations) as connector:
        for one in (endless, edge, endless):
            done(connector, [Op(OpKind.BOUND, one)])
            (found,) = connector.read().edges
            assert (found.until is None) is (one.until is None)


def test_one_whose_end_has_passed_is_not_made(slapd, activations, edge):
    with opened(activations) as connector:
        (receipt,) = connector.apply(grants(replace(edge, until=now() - timedelta(seconds=1))), fence())
        assert receipt.error
        assert connector.read().edges == frozenset()


def test_an_end_that_the_directory_does_not_take_is_told(slapd, activations, edge):
    with opened(activations) as connector:
        far = replace(edge, until=datetime.now(UTC) + timedelta(days=3650))
        (receipt,) = connector.apply(grants(far), fence())
        assert "olcDDSmaxTtl" in receipt.error
        (found,) = connector.read().edges
        assert found.until is not None
        assert found.until < now() + timedelta(seconds=61)


def test_of_an_entry_that_others_made_only_what_is_managed_is_taken(slapd, activations):
    entry = f"cn=by hand,{ACTIVATIONS}"
    slapd.add(
        f"dn: {entry}\nobjectClass: groupOfNames\ncn: by hand\nmember: uid=alice,{PEOPLE}\n"
        f"member: uid=bob,{PEOPLE}\nbusinessCategory: Payroll-Admins\nbusinessCategory: treasurers\n"
    )
    with opened(activations) as connector:
        edges = {edge.subject: edge for edge in connector.read().edges}
        assert set(edges) == {"alice", "bob"}
        done(connector, revokes(edges["alice"]))
        assert slapd.values(entry, "member") == {f"uid=bob,{PEOPLE}"}
        done(connector, revokes(edges["bob"]))
        assert connector.read().edges == frozenset()
        assert slapd.values(entry, "businessCategory") == {"treasurers"}
        outside = replace(edges["bob"], key=f"dn:cn=payroll-admins,{GROUPS}")
        (receipt,) = connector.apply(revokes(outside), fence())
        assert receipt.error


def test_hundreds_at_once_are_read_in_pages(slapd, activations):
    edges = [Edge("alice", "payroll-admins", in_an_hour(), f"many-{number}") for number in range(600)]
    with opened(activations) as connector:
        done(connector, grants(*edges))
        assert names(connector) == {edge.name for edge in edges}
        done(connector, revokes(*edges))
        assert names(connector) == set()
