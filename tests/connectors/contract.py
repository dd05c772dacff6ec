"""What every connector must pass, whatever its target: derive a class from `ConnectorContract` in a test file of your own and
give it the fixture `rig`, a real target with a few people and entitlements (docs/how-to/write-a-connector.md).

    class TestContract(ConnectorContract):
        @pytest.fixture
        def rig(self, postgres_target): return PostgresRig(postgres_target)
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from openpim.core.connecting import Edge, Op, OpKind, plan
from openpim.core.connecting import Foreign as ForeignRule
from openpim.ports.connector import (
    BadNameError,
    Connector,
    ConnectorKind,
    Fault,
    Fence,
    TargetError,
)
from tests.connectors.hostile import AWKWARD, REFUSED, RESERVED

SECONDS = 15.0  # in which a target that is not there is noticed
SECRET = "tell-Nobody-7f3a9"  # must be part of each secret that a rig opens its connector with


class Rig(Protocol):
    """kind, settings: what is tested. managed: two entitlements of the target; unmanaged: one more, that is not managed.
    people: two names that are there, in the target's own writing. ours_alone: nobody else can make an edge in this kind of
    target (what is read is what was written through here)."""

    kind: ConnectorKind
    settings: dict[str, str]
    managed: tuple[str, str]
    unmanaged: str
    people: tuple[str, str]
    ours_alone: bool

    def open(self) -> Connector:
        """A new connector, as another process has one."""
        ...

    def edge(self, person: str, entitlement: str, until: datetime | None) -> Edge:
        """With a key, where the kind needs one."""
        ...

    def give(self, person: str, entitlement: str) -> None:
        """As somebody else does it, beside us."""
        ...

    def has(self, person: str, entitlement: str) -> bool:
        """What the target itself says, not asked through the connector."""
        ...

    def down(self) -> None:
        """The target takes no connections, until `up`."""
        ...

    def up(self) -> None: ...


def now() -> datetime:
    return datetime.now(UTC)


def in_an_hour() -> datetime:
    return (now() + timedelta(hours=1)).replace(microsecond=0)


def fence(epoch: int = 1, seconds: float = 30.0) -> Fence:
    return Fence(epoch, now() + timedelta(seconds=seconds))


def grants(*edges: Edge) -> list[Op]:
    return [Op(OpKind.GRANT, edge) for edge in edges]


def revokes(*edges: Edge) -> list[Op]:
    return [Op(OpKind.REVOKE, edge) for edge in edges]


def done(connector: Connector, ops: Sequence[Op], epoch: int = 1) -> None:
    receipts = connector.apply(ops, fence(epoch))
    assert [receipt.op for receipt in receipts] == list(ops)
    assert [receipt.error for receipt in receipts] == [""] * len(ops)


def names(connector: Connector) -> set[tuple[str, str, str]]:
    return {edge.name for edge in connector.read().edges}


@contextmanager
def opened(rig: Rig) -> Iterator[Connector]:
    connector = rig.open()
    try:
        yield connector
    finally:
        connector.close()


class ConnectorContract:
    @pytest.fixture
    def connector(self, rig: Rig) -> Iterator[Connector]:
        with opened(rig) as connector:
            yield connector

    @pytest.fixture
    def edge(self, rig: Rig) -> Edge:
        return rig.edge(rig.people[0], rig.managed[0], in_an_hour())

    @pytest.fixture
    def other(self, rig: Rig) -> Edge:
        return rig.edge(rig.people[1], rig.managed[1], in_an_hour())

    # ------------------------------------------------------------ looking

    def test_its_settings_are_taken_by_its_kind(self, rig):
        assert rig.kind.check_settings(rig.settings) == {}
        assert {one.name for one in rig.kind.settings} >= set(rig.settings)

    def test_a_target_that_is_set_up_as_the_docs_say_lacks_nothing(self, connector):
        probe = connector.probe()
        assert probe.reachable
        assert probe.version
        assert probe.lacks == ()
        assert probe.fit

    def test_where_nothing_is_nothing_is_read(self, connector):
        assert connector.read().edges == frozenset()

    # ------------------------------------------------------------ giving and taking

    def test_what_is_given_is_read_by_everybody_and_what_is_taken_is_not(self, rig, connector, edge, other):
        done(connector, grants(edge, other))
        with opened(rig) as another:
            assert names(another) == names(connector) == {edge.name, other.name}
        assert rig.has(edge.subject, edge.entitlement)
        assert not rig.has(edge.subject, other.entitlement)
        done(connector, revokes(edge))
        assert names(connector) == {other.name}
        assert not rig.has(edge.subject, edge.entitlement)
        assert rig.has(other.subject, other.entitlement)

    def test_all_may_be_done_again(self, connector, edge):
        for ops in (grants(edge), revokes(edge), grants(edge), revokes(edge)):
            done(connector, ops)
            done(connector, ops)
        assert names(connector) == set()

    def test_one_that_was_never_given_can_be_taken(self, connector, edge):
        done(connector, revokes(edge))

    def test_nothing_to_do_is_nothing(self, connector):
        assert connector.apply([], fence()) == []
        assert connector.sever([], [], fence()) == []

    def test_what_is_planned_after_it_was_done_is_nothing(self, rig, connector, edge, other):
        capabilities = rig.kind.capabilities(rig.settings)

        def ops() -> Sequence[Op]:
            return plan(
                [edge, other],
                connector.read(),
                [],
                foreign=ForeignRule.ALERT,
                bounded=capabilities.native_end != "none",
                granularity=capabilities.granularity,
            ).ops

        done(connector, ops())
        assert ops() == ()

    def test_its_own_end_is_kept_and_can_be_moved_both_ways(self, rig, connector, edge):
        if rig.kind.capabilities(rig.settings).native_end == "none":
            return
        granularity = rig.kind.capabilities(rig.settings).granularity
        done(connector, grants(edge))
        for minutes in (0, 30, -30):
            assert edge.until is not None
            moved = replace(edge, until=edge.until + timedelta(minutes=minutes))
            if minutes:
                done(connector, [Op(OpKind.BOUND, moved)])
            (found,) = connector.read().edges
            assert found.until is not None
            assert abs(found.until - moved.until) <= granularity

    def test_one_without_an_end_has_none(self, rig, connector):
        edge = rig.edge(rig.people[0], rig.managed[0], None)
        done(connector, grants(edge))
        assert connector.read().edges == {edge}

    def test_what_has_ended_can_be_severed_again_and_again(self, connector, edge, other):
        done(connector, grants(edge, other))
        done(connector, revokes(edge))
        for _ in range(2):
            (severed,) = connector.sever([edge], [other], fence())
            assert (severed.edge, severed.error, severed.residue_until) == (edge, "", None)
        assert names(connector) == {other.name}

    def test_it_can_be_given_again_after_it_was_severed(self, rig, connector, edge):
        for _ in range(2):
            done(connector, grants(edge))
            assert rig.has(edge.subject, edge.entitlement)
            done(connector, revokes(edge))
            connector.sever([edge], [], fence())
            assert not rig.has(edge.subject, edge.entitlement)

    # ------------------------------------------------------------ others, and what is not ours

    def test_what_others_gave_is_read_and_can_be_taken(self, rig, connector):
        if rig.ours_alone:
            return
        rig.give(rig.people[0], rig.managed[0])
        (found,) = connector.read().edges
        assert (found.subject, found.entitlement, found.until) == (rig.people[0], rig.managed[0], None)
        done(connector, revokes(found))
        connector.sever([found], [], fence())
        assert not rig.has(rig.people[0], rig.managed[0])

    def test_what_is_not_managed_is_neither_read_nor_touched(self, rig, connector):
        strange = rig.edge(rig.people[0], rig.unmanaged, in_an_hour())
        (receipt,) = connector.apply(grants(strange), fence())
        assert receipt.error
        assert not rig.has(rig.people[0], rig.unmanaged)
        if rig.ours_alone:
            return
        rig.give(rig.people[0], rig.unmanaged)
        assert connector.read().edges == frozenset()
        (receipt,) = connector.apply(revokes(strange), fence())
        assert receipt.error
        assert rig.has(rig.people[0], rig.unmanaged)

    def test_one_that_fails_does_not_stop_the_others(self, rig, connector, edge, other):
        strange = rig.edge(rig.people[0], rig.unmanaged, in_an_hour())
        receipts = connector.apply(grants(edge, strange, other), fence())
        assert [receipt.ok for receipt in receipts] == [True, False, True]
        assert names(connector) == {edge.name, other.name}

    # ------------------------------------------------------------ names

    def test_names_that_no_target_may_have_are_refused(self, rig):
        for name in REFUSED:
            for check in (rig.kind.check_subject, rig.kind.check_entitlement):
                with pytest.raises(BadNameError) as caught:
                    check(name)
                assert str(caught.value)
                assert "\n" not in str(caught.value)

    def test_a_name_that_is_taken_is_one_name_however_often_it_is_checked(self, rig):
        for name in (*AWKWARD, *RESERVED, *rig.people):
            for check in (rig.kind.check_subject, rig.kind.check_entitlement):
                try:
                    once = check(name)
                except BadNameError:
                    assert name not in rig.people or check is rig.kind.check_entitlement
                else:
                    assert check(once) == once

    def test_awkward_names_are_data(self, rig, connector, edge, other):
        """Nobody has them: each is a no of its own, or an edge of just that name, and nothing else changes."""
        done(connector, grants(edge))
        strange = _taken_by(rig.kind.check_subject, (*AWKWARD, *RESERVED, *REFUSED))
        edges = [rig.edge(name, rig.managed[0], in_an_hour()) for name in strange if name not in rig.people]
        connector.apply(grants(*edges), fence())
        assert names(connector) - {one.name for one in edges} == {edge.name}
        done(connector, revokes(*edges))
        assert names(connector) == {edge.name}
        nobody = [one for one in edges if one.subject not in RESERVED]  # of those one may be somebody
        assert all(not one.error for one in connector.sever(nobody, [edge], fence()))
        assert len(connector.sever(edges, [edge], fence())) == len(edges)
        unmanaged = [rig.edge(rig.people[0], name, in_an_hour()) for name in (*AWKWARD, *RESERVED)]
        assert all(
            receipt.error for receipt in connector.apply([*grants(*unmanaged), *revokes(*unmanaged)], fence())
        )
        assert names(connector) == {edge.name}
        assert rig.has(edge.subject, edge.entitlement)

    # ------------------------------------------------------------ one writer

    def test_a_late_writer_writes_nothing(self, rig, connector, edge, other):
        done(connector, grants(edge), epoch=7)
        with opened(rig) as late:
            for write in (
                lambda: late.apply(grants(other), fence(6)),
                lambda: late.apply(revokes(edge), fence(6)),
                lambda: connector.apply(grants(other), fence(6)),
            ):
                with pytest.raises(TargetError) as caught:
                    write()
                assert caught.value.fault is Fault.FENCED
        assert names(connector) == {edge.name}
        done(connector, grants(other), epoch=7)
        done(connector, revokes(other), epoch=8)

    def test_after_the_lease_nothing_is_written(self, connector, edge):
        with pytest.raises(TargetError) as caught:
            connector.apply(grants(edge), fence(seconds=-0.001))
        assert caught.value.fault is Fault.FENCED
        assert names(connector) == set()

    # ------------------------------------------------------------ a target that is away

    def test_a_target_that_is_away_is_told_in_time_and_used_again_when_it_is_back(self, rig, connector, edge):
        done(connector, grants(edge))
        rig.down()
        try:
            with opened(rig) as another:
                for one in (connector, another):
                    for ask in (
                        one.read,
                        lambda one=one: one.apply(revokes(edge), fence()),
                        lambda one=one: one.sever([edge], [], fence()),
                    ):
                        began = time.monotonic()
                        with pytest.raises(TargetError) as caught:
                            ask()
                        assert time.monotonic() - began < SECONDS
                        assert caught.value.fault is Fault.UNREACHABLE
                        assert SECRET not in str(caught.value) + repr(caught.value)
        finally:
            rig.up()
        assert names(connector) == {edge.name}
        done(connector, revokes(edge))
        assert names(connector) == set()


def _taken_by(check, some: Collection[str]) -> list[str]:
    found = []
    for name in some:
        try:
            found.append(check(name))
        except BadNameError:
            continue
    return sorted(set(found))
