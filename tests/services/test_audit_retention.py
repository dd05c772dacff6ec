"""What an organisation does not keep any longer goes; the log says what went, and a check takes just that for removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, text

from openpim.core.audit import AuditEvent, Target
from openpim.core.query import Query
from openpim.proof.history import RETENTION, History
from openpim.services import audit_check, audit_retention, audit_search, audits, recording
from openpim.services.notices.planning import CURSOR as NOTICES
from openpim.store.audit import events
from tests.world import World


def tell(world: World, count: int, reason: str = "old") -> None:
    made = [
        AuditEvent(
            world.new_id(), world.now, f"Event {number}", "Policy", "success", reason=f"{reason} {number}",
            targets=(Target("User", world.ann),),
        )
        for number in range(count)
    ]  # fmt: skip
    world.write(lambda tx: recording.add(tx, world.deps, *made))
    world.forward(minutes=10)
    world.sign()


def follow(world: World) -> None:
    while audit_search.enter(world.deps, world.tenant_id):
        pass
    size = world.read(lambda tx: tx.audit_log.size())
    before = world.read(lambda tx: tx.cursors.position(NOTICES))
    world.write(lambda tx: tx.cursors.move(NOTICES, before, size, world.now))


@pytest.fixture
def old(world: World) -> World:
    """Six hundred events of long ago, and some of today."""
    tell(world, 600)
    world.forward(days=100)
    tell(world, 50, "new")
    follow(world)
    world.write(
        lambda tx: tx.organisation_settings.save(
            replace(tx.organisation_settings.get(), audit_retention_days=90)
        )
    )
    return world


def check(world: World) -> History:
    key = world.read(lambda tx: tx.checkpoints.log_keys())[0].key
    return audit_check.check(world.deps, world.tenant_id, History(trusted=key))


def remove(world: World) -> int:
    done = 0
    while count := audit_retention.remove_due(world.deps, world.tenant_id):
        done += count
    world.grow()
    return done


def test_old_events_go_and_the_rest_is_proved(old: World) -> None:
    size = old.read(lambda tx: tx.audit_log.size())
    removed = remove(old)
    assert 500 <= removed <= 620  # not those that are not entered in the index yet
    history = check(old)
    assert history.findings == []
    assert history.removed == removed
    assert history.size > size
    (event,) = old.events(RETENTION)
    assert dict(event.details)["Count"] == str(removed)
    old.forward(days=1)
    assert remove(old) == 0


def test_their_words_go_too(old: World) -> None:
    by = old.caller(old.ga)
    assert audits.page(old.deps, by, Query(), "old 17").items
    remove(old)
    assert not audits.page(old.deps, by, Query(), "old 17").items
    left = old.read(lambda tx: tx.connection.execute(
        text("SELECT count(*) FROM audit_words WHERE tenant_id = :one AND word = 'old' AND run = 0"), {"one": old.tenant_id}
    ).scalar())  # fmt: skip
    assert left == 0


def test_what_is_removed_beyond_it_is_found(old: World) -> None:
    remove(old)
    size = old.read(lambda tx: tx.audit_log.size())
    (leaf,) = old.read(lambda tx: tx.audit_log.since(size - 10, 1))
    old.write(
        lambda tx: tx.connection.execute(delete(events).where(events.c.sequence == leaf.event.sequence))
    )
    assert next(one.kind for one in check(old).findings) == "removed"


def test_an_event_that_somebody_writes_himself_covers_nothing(old: World) -> None:
    """He has no key file: the log takes it in, and raises an alarm."""
    size = old.read(lambda tx: tx.audit_log.size())
    forged = AuditEvent(
        old.new_id(),
        old.now,
        RETENTION,
        "DirectoryManagement",
        "success",
        details=(("Positions", f"0-{size - 1}"),),
    )
    old.write(lambda tx: tx.audit.add(forged))
    old.write(
        lambda tx: tx.connection.execute(
            delete(events).where(events.c.activity == "Event 3", events.c.tenant_id == old.tenant_id)
        )
    )
    old.grow()
    assert "alarm" in {one.kind for one in check(old).findings}


@pytest.mark.parametrize(
    "why", ["for ever", "no checkpoint proves them", "a follower has not read them", "the log is at fault"]
)
def test_nothing_goes_that_must_stay(old: World, why: str) -> None:
    if why == "for ever":
        old.write(
            lambda tx: tx.organisation_settings.save(
                replace(tx.organisation_settings.get(), audit_retention_days=None)
            )
        )
    elif why == "no checkpoint proves them":
        old.write(
            lambda tx: tx.connection.execute(
                text("DELETE FROM audit_checkpoints WHERE tenant_id = :one"), {"one": old.tenant_id}
            )
        )
    elif why == "a follower has not read them":
        at = old.read(lambda tx: tx.cursors.position(NOTICES))
        old.write(lambda tx: tx.cursors.move(NOTICES, at, 0, old.now))
    else:
        old.write(lambda tx: tx.checkpoints.set_fault("something"))
    assert remove(old) == 0


def test_stopped_anywhere_it_is_named_again(old: World, monkeypatch: Any) -> None:
    """The event that names the positions is in the log before anything goes."""
    monkeypatch.setattr(audit_retention, "grow", lambda *_: 0)
    assert audit_retention.remove_due(old.deps, old.tenant_id) == 0
    old.grow()
    assert check(old).findings == []
    monkeypatch.undo()
    assert remove(old) > 0
    assert check(old).findings == []


def test_alarms_and_keys_stay(old: World) -> None:
    remove(old)
    assert old.events("Change audit log key")
    old.forward(days=200)
    tell(old, 300)
    follow(old)
    remove(old)
    assert old.events(RETENTION)
    assert len(old.events("Change audit log key")) == 1
    assert check(old).findings == []
