"""What a look makes of a record: every state with everything that can be seen, and the table of its moves."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from openpim.core.connecting import MOVES, OVER, Edge, Effect, EffectState, Wanted
from openpim.core.proving import asked, ended, proved

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
EDGE = Edge("ann", "payroll", NOW + timedelta(hours=1))
PAST = Edge("ann", "payroll", NOW)
FAILURES = (0, 3)


def effects(states: frozenset[EffectState] | type[EffectState]) -> list[Effect]:
    at = NOW - timedelta(hours=1)
    return [
        Effect("t", "p", EDGE, state, at, at, failures=failures, error="No." if failures else "")
        for state, failures in itertools.product(states, FAILURES)
    ]


def looks() -> list[tuple[Effect, Effect]]:
    """Each record with each that a look can make of it."""
    found = [(old, asked("t", Wanted(EDGE, "p", ()), NOW)) for old in effects(OVER)]
    for old in effects(frozenset(EffectState) - OVER):
        for edge, there, error in itertools.product((EDGE, PAST), (True, False), ("", "No.")):
            found.append((old, proved(old, Wanted(edge, "p", ()), edge if there else None, error, NOW)))
    residues = (None, NOW, NOW + timedelta(seconds=1))
    for old in effects(EffectState):
        for there, error, residue in itertools.product((True, False), ("", "No."), residues):
            found.append((old, ended(old, there=there, error=error, now=NOW, residue_until=residue)))
    return found


def test_the_table_of_moves_is_what_is_made() -> None:
    made = {(old.state, new.state) for old, new in looks() if old.state is not new.state}
    assert made == {(old, new) for old, moves in MOVES.items() for new in moves}


def test_only_what_was_seen_is_said_to_be_so() -> None:
    for old in effects(EffectState):
        wanted = Wanted(EDGE, "p", ())
        assert proved(old, wanted, None, "", NOW).state is EffectState.PENDING
        assert proved(old, wanted, EDGE, "", NOW).state is EffectState.EFFECTIVE
        assert ended(old, there=True, error="", now=NOW).state is EffectState.ENDING
        assert ended(old, there=False, error="No.", now=NOW).state is EffectState.ENDING
        over = ended(old, there=False, error="", now=NOW)
        assert (over.state, over.failures, over.error) == (EffectState.ENDED, 0, "")


def test_a_failure_counts_and_what_goes_well_starts_anew() -> None:
    for old, new in looks():
        assert new.failures in {0, old.failures, old.failures + 1 if new.state is old.state else 1}
        assert bool(new.error) is bool(new.failures)


def test_who_looks_again_at_the_same_changes_nothing() -> None:
    wanted = Wanted(EDGE, "p", ())
    for old in effects(EffectState):
        once = proved(old, wanted, EDGE, "", NOW)
        assert proved(once, wanted, EDGE, "", NOW + timedelta(minutes=1)) == once
