"""Somebody writes to the database itself. Whatever he changes, removes, puts in or sets back, the check finds it and says
what it was. He has the database and not the key file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import BigInteger, LargeBinary, delete, func, insert, select, update

from openpim.core.audit import AuditEvent, Target, leaf_bytes
from openpim.proof.history import Finding, History, UnreadableError
from openpim.proof.merkle import add_to_tiles, edge_of, leaf_hash
from openpim.services import audit_check, audit_proof, checkpoints, recording
from openpim.store.audit import entries, events, queue, targets
from openpim.store.audit_log import logs, tiles
from openpim.store.checkpoints import checkpoints as checkpoint_table
from openpim.store.checkpoints import keys as key_table
from openpim.store.database import Database
from openpim.store.types import Instant
from tests.conftest import _Databases
from tests.world import World

MANY = 600  # more than two tiles


@pytest.fixture(scope="module")
def untouched() -> Iterator[dict[str, tuple[_Databases, str, World]]]:
    """Of each kind of database one that holds what each test begins with."""
    made: dict[str, tuple[_Databases, str, World]] = {}
    yield made
    for databases, _, _ in made.values():
        databases.remove()


@pytest.fixture
def world(
    _databases: _Databases,
    database_kind: str,
    untouched: dict[str, tuple[_Databases, str, World]],
    request: pytest.FixtureRequest,
) -> Iterator[World]:
    """A log of some hundred events under several checkpoints, and a few that no checkpoint proves yet."""
    if database_kind not in untouched:
        server = request.getfixturevalue("postgres_server") if database_kind == "postgresql" else None
        databases = _Databases(server)
        url = databases.like()
        untouched[database_kind] = databases, url, filled(url)
    _, url, first = untouched[database_kind]
    database = Database(_databases.like(url))
    yield first.again(database)
    database.close()


def filled(url: str) -> World:
    world = World(url)
    for _ in range(4):
        tell(world, MANY // 4)
        world.forward(minutes=10)
        assert world.sign() is not None
    tell(world, 5)
    world.grow()
    world.close()
    return world


def tell(world: World, count: int) -> None:
    made = [
        AuditEvent(
            world.new_id(), world.now, f"Event {number}", "Policy", "success", actor_id=world.ann, actor_kind="user",
            actor_name="someone", ip="192.0.2.1", client="x", app_id="app", amr=("mfa", "pwd"), details=(("Number", str(number)),),
        )
        for number in range(count)
    ]  # fmt: skip
    world.write(lambda tx: recording.add(tx, world.deps, *made))


def lines(world: World) -> list[bytes]:
    found: list[bytes] = []
    at: str | None = ""
    while at is not None:
        portion = world.read(lambda tx, at=at: audit_proof.portion(tx, at, world.now))
        found += portion.lines
        at = portion.next
    return found


def key_of(world: World) -> str:
    return world.read(lambda tx: tx.checkpoints.log_keys())[0].key


def check(world: World, given: list[bytes] | None = None, **more: Any) -> list[Finding]:
    history = History(**more)
    history.feed(lines(world) if given is None else given)
    return history.finish()


def kinds(found: list[Finding]) -> dict[str, list[int | None]]:
    told: dict[str, list[int | None]] = {}
    for one in found:
        told.setdefault(one.kind, []).append(one.position)
    return told


def run(world: World, *statements: Any) -> None:
    def work(tx: Any) -> None:
        for statement in statements:
            assert tx.connection.execute(statement).rowcount != 0

    world.write(work)


def at(world: World, position: int) -> AuditEvent:
    found = world.read(lambda tx: tx.audit_log.since(position, 1))[0]
    assert found.position == position
    return found.event


def change(world: World, position: int, **values: Any) -> None:
    run(world, update(events).where(events.c.sequence == at(world, position).sequence).values(values))


def remove(world: World, *positions: int) -> None:
    run(world, delete(events).where(events.c.sequence.in_([at(world, one).sequence for one in positions])))


def test_an_untouched_history_is_proved(world: World) -> None:
    history = History(trusted=key_of(world))
    history.feed(lines(world))
    assert history.finish() == []
    assert history.size == history.events == world.read(lambda tx: tx.audit_log.size())
    assert history.proved < history.size
    assert [number for number, _ in history.checkpoints] == [0, 1, 2, 3]
    again = History(remembered=(history.size, history.root()))
    tell(world, 300)
    world.forward(minutes=10)
    world.sign()
    again.feed(lines(world))
    assert again.finish() == []


CHANGED = [one.name for one in events.c if one.name not in {"sequence", "mac"}]


@pytest.mark.parametrize("column", CHANGED)
def test_a_changed_column_is_found(world: World, column: str) -> None:
    position = 300
    kind = events.c[column].type
    before = at(world, position)
    if isinstance(kind, Instant):
        value: Any = before.at + timedelta(microseconds=1)
    elif column == "tenant_id":
        value = world.new_id()
    elif column in {"targets", "details", "amr"}:
        value = (
            '[["Number", "9"]]'
            if column == "details"
            else "[]"
            if column == "amr"
            else '[["User", "x", "y", []]]'
        )
    else:
        value = "changed"
    assert not isinstance(kind, BigInteger | LargeBinary)
    change(world, position, **{column: value})
    assert position in kinds(check(world))["removed" if column == "tenant_id" else "changed"]


@pytest.mark.parametrize("column", ["actor_upn", "app_id", "ip", "client"])
def test_nothing_and_an_empty_text_are_not_the_same(world: World, column: str) -> None:
    value = None if column in {"app_id", "ip", "client"} else ""
    change(world, 300, **{column: value})
    assert kinds(check(world)) == {"changed": [300]}


def test_a_changed_event_that_no_checkpoint_proves_yet_is_found(world: World) -> None:
    size = world.read(lambda tx: tx.audit_log.size())
    change(world, size - 2, reason="changed")
    assert kinds(check(world)) == {"changed": [size - 2]}


@pytest.mark.parametrize("which", ["first", "middle", "last", "many"])
def test_a_removed_event_is_found(world: World, which: str) -> None:
    size = world.read(lambda tx: tx.audit_log.size())
    positions = {"first": [0], "middle": [300], "last": [size - 1], "many": [10, 11, 12]}[which]
    remove(world, *positions)
    (found,) = check(world)
    assert (found.kind, found.position) == ("removed", positions[0])
    if which == "many":
        assert "10 to 12" in found.text


def test_removed_with_its_entry(world: World) -> None:
    sequence = at(world, 300).sequence
    run(
        world,
        delete(events).where(events.c.sequence == sequence),
        delete(entries).where(entries.c.sequence == sequence),
    )
    assert kinds(check(world)) == {"removed": [300]}


def forged(world: World, **more: Any) -> AuditEvent:
    made = AuditEvent(world.new_id(), world.now, "Sign in", "Authentication", "success", actor_id=world.bob)
    return replace(made, **more)


def test_put_beside_the_log(world: World) -> None:
    made = forged(world)
    world.write(lambda tx: tx.audit.add(made))
    run(world, delete(queue).where(queue.c.event_id == made.id))
    world.grow()
    (found,) = check(world)
    assert found.kind == "outside"
    assert made.id in found.text


def test_put_into_what_waits(world: World) -> None:
    """The log takes it in, says so in an alarm, and the check tells of the alarm until somebody has looked at it."""
    made = forged(world)
    world.write(lambda tx: tx.audit.add(made))
    world.grow()
    (found,) = check(world)
    assert found.kind == "alarm"
    assert made.id in found.text
    assert check(world, accepted=[found.position]) == []


def test_put_in_between(world: World) -> None:
    """All behind it moved up by one, tiles and all: the hashes are not the signed ones."""
    made = forged(world)
    world.write(lambda tx: tx.audit.add(made))
    rebuild(world, lambda found: [*found[:300], made.id, *(one for one in found[300:] if one != made.id)])
    found = check(world)
    later = world.read(lambda tx: tx.checkpoints.since(1, 9))
    assert kinds(found)["hashes"] == [one.size - 1 for one in later]
    assert any("put in between" in one.text for one in found)


def test_swapped(world: World) -> None:
    one, other = at(world, 100).sequence, at(world, 500).sequence
    far = 10**9
    run(
        world,
        update(entries).where(entries.c.sequence == one).values(position=far),
        update(entries).where(entries.c.sequence == other).values(position=100),
        update(entries).where(entries.c.sequence == one).values(position=500),
    )
    found = check(world)
    assert kinds(found)["reordered"] == [100, 500]
    assert any("stands at position 100 and belongs at 500" in one.text for one in found)


def test_swapped_with_the_hashes(world: World) -> None:
    def swap(found: list[str]) -> list[str]:
        found[100], found[500] = found[500], found[100]
        return found

    rebuild(world, swap)
    assert "hashes" in kinds(check(world))


def test_rewritten_from_one_event_on(world: World) -> None:
    """An event changed, and every hash made anew: only the signatures cannot be."""
    change(world, 200, actor_id=world.bob)
    rebuild(world, lambda found: found)
    found = check(world)
    assert set(kinds(found)) == {"hashes"}
    assert "checkpoint 1" in found[0].text


def rebuild(world: World, order: Callable[[list[str]], list[str]]) -> None:
    """Write the whole log anew, as somebody would who knows how it is made."""

    def work(tx: Any) -> None:
        mine = entries.c.tenant_id == world.tenant_id
        found = tx.audit_log.since(0, 100_000)
        by_id = {one.event.id: one.event for one in found}
        wanted = order([one.event.id for one in found])
        rows = [by_id.get(one) or tx.audit.get(one) for one in wanted]
        tx.connection.execute(delete(entries).where(mine))
        tx.connection.execute(delete(queue).where(queue.c.tenant_id == world.tenant_id))
        tx.connection.execute(delete(tiles).where(tiles.c.tenant_id == world.tenant_id))
        tx.connection.execute(
            insert(entries),
            [
                {"sequence": one.sequence, "tenant_id": world.tenant_id, "position": number}
                for number, one in enumerate(rows)
            ],
        )
        hashes = [leaf_hash(leaf_bytes(one, world.tenant_id)) for one in rows]
        assert edge_of(0) == []
        for (level, number), data in add_to_tiles(0, {}, hashes).items():
            row = {"tenant_id": world.tenant_id, "level": level, "number": number, "hashes": data}
            tx.connection.execute(insert(tiles), row)
        tx.connection.execute(update(logs).where(logs.c.tenant_id == world.tenant_id).values(size=len(rows)))

    world.write(work)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_changed_tiles_are_found(world: World, number: int) -> None:
    mine = (tiles.c.tenant_id == world.tenant_id) & (tiles.c.level == 0) & (tiles.c.number == number)
    data = world.read(lambda tx: tx.audit_log.tile(0, number))
    spoilt = data[:32] + bytes(32) + data[64:]
    run(world, update(tiles).where(mine).values(hashes=spoilt))
    assert number * 256 + 1 in kinds(check(world))["changed"]
    run(world, update(tiles).where(mine).values(hashes=data[:-1]))
    assert number * 256 in kinds(check(world))["hashes"]
    run(world, delete(tiles).where(mine))
    assert number * 256 in kinds(check(world))["hashes"]


def test_changed_checkpoints_are_found(world: World) -> None:
    mine = (checkpoint_table.c.tenant_id == world.tenant_id) & (checkpoint_table.c.number == 1)
    note = world.read(lambda tx: tx.checkpoints.get(1)).note
    for spoilt in (
        note.replace("\n3", "\n2"),
        note[:-10] + "AAAAAAA=\n",
        "",
        note.replace("time 2026", "time 2025"),
    ):
        assert spoilt != note or "\n3" not in note
        run(world, update(checkpoint_table).where(mine).values(note=spoilt))
        assert "checkpoint" in kinds(check(world)) or spoilt == note
    run(world, delete(checkpoint_table).where(mine))
    assert kinds(check(world)) == {"checkpoint": [None]}


def test_another_key_is_found(world: World) -> None:
    """Somebody makes a log of his own, with a key of his own: it is not the one that is trusted."""
    trusted = key_of(world)
    run(world, delete(key_table).where(key_table.c.tenant_id == world.tenant_id))
    run(world, delete(checkpoint_table).where(checkpoint_table.c.tenant_id == world.tenant_id))
    world.deps = replace(world.deps, secret=lambda size: "x" * size)
    world.forward(minutes=10)
    assert world.sign() is not None
    assert check(world) == []
    assert "key" in kinds(check(world, trusted=trusted))


def test_set_back_to_an_earlier_state_is_found(world: World) -> None:
    """The whole database as it was some time ago: every signature in it is good, and only who remembers sees it."""
    before = History()
    before.feed(lines(world))
    assert before.finish() == []
    size = world.read(lambda tx: tx.checkpoints.get(2)).size
    rolled_back(world, size)
    assert check(world) == []
    found = check(world, remembered=(before.size, before.root()))
    assert kinds(found) == {"rolled back": [None]}
    # Grown again since, to more than there was.
    tell(world, MANY)
    world.forward(minutes=10)
    assert world.sign() is not None
    assert set(kinds(check(world, remembered=(before.size, before.root())))) == {"hashes"}


def rolled_back(world: World, size: int, *, with_checkpoints: bool = True) -> None:
    def work(tx: Any) -> None:
        found = tx.audit_log.since(0, 100_000)
        gone = [one.event.sequence for one in found[size:]]
        hashes = [leaf_hash(leaf_bytes(one.event, world.tenant_id)) for one in found[:size]]
        tx.connection.execute(delete(entries).where(entries.c.sequence.in_(gone)))
        tx.connection.execute(delete(events).where(events.c.sequence.in_(gone)))
        tx.connection.execute(delete(queue).where(queue.c.tenant_id == world.tenant_id))
        tx.connection.execute(delete(tiles).where(tiles.c.tenant_id == world.tenant_id))
        for (level, number), data in add_to_tiles(0, {}, hashes).items():
            row = {"tenant_id": world.tenant_id, "level": level, "number": number, "hashes": data}
            tx.connection.execute(insert(tiles), row)
        tx.connection.execute(update(logs).where(logs.c.tenant_id == world.tenant_id).values(size=size))
        if with_checkpoints:
            tx.connection.execute(
                delete(checkpoint_table).where(
                    checkpoint_table.c.tenant_id == world.tenant_id, checkpoint_table.c.size > size
                )
            )

    world.write(work)


def test_set_back_behind_its_checkpoints(world: World) -> None:
    rolled_back(world, 400, with_checkpoints=False)
    assert "rolled back" in kinds(check(world))


def test_back_dated(world: World) -> None:
    """An event with a good mark, written now and dated last week: as if the clock had been set back for it."""
    world.forward(minutes=1)
    moment = world.now
    world.at(moment - timedelta(minutes=2))
    tell(world, 1)
    world.at(moment - timedelta(days=7))
    tell(world, 1)
    world.at(moment + timedelta(days=7))
    tell(world, 1)
    world.at(moment)
    world.forward(minutes=10)
    world.sign()
    size = world.read(lambda tx: tx.audit_log.size())
    found = check(world)
    assert kinds(found) == {"backdated": [size - 2, size - 1]}
    assert "older than the checkpoint" in found[0].text
    assert "newer than the checkpoint" in found[1].text


# ---------------------------------------------------------------- exports that were doctored


def test_doctored_exports(world: World) -> None:
    whole = lines(world)
    place = next(index for index, line in enumerate(whole) if line.startswith(b'{"position":300,'))
    assert kinds(check(world, whole[:place] + whole[place + 1 :])) == {"removed": [300]}
    assert kinds(check(world, [*whole[: place + 1], *whole[place:]])) == {"inserted": [300]}
    swapped = [*whole[:place], whole[place + 1], whole[place], *whole[place + 2 :]]
    assert check(world, swapped) == []  # where a line stands says nothing; its position does
    other = whole[place].replace(b'"Event', b'"event')
    assert kinds(check(world, [*whole[:place], other, *whole[place + 1 :]])) == {"changed": [300]}
    elsewhere = whole[place].replace(b'{"position":300,', b'{"position":9999,')
    assert set(kinds(check(world, [*whole[:place], elsewhere, *whole[place + 1 :]]))) == {
        "inserted",
        "removed",
    }


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: [],
        lambda whole: whole[1:],
        lambda whole: whole[:-300],
        lambda whole: [whole[0], b"nonsense", *whole[1:]],
        lambda whole: [whole[0], b'["a"]', *whole[1:]],
        lambda whole: [b"[" * 100_000, *whole],
        lambda whole: [line for line in whole if not line.startswith(b'{"tile":1,')],
        lambda whole: [*whole, b'{"position":x,"leaf":{}}'],
        lambda whole: [json.dumps({**json.loads(whole[0]), "size": "9"}).encode(), *whole[1:]],
        lambda whole: [json.dumps({**json.loads(whole[0]), "v": 2}).encode(), *whole[1:]],
    ],
)  # fmt: skip
def test_what_is_no_whole_export_is_refused(
    world: World, spoil: Callable[[list[bytes]], list[bytes]]
) -> None:
    with pytest.raises(UnreadableError):
        check(world, spoil(lines(world)))


@pytest.mark.parametrize(
    "leaf", [b"", b"{}", b"[]", b'{"activity":"Audit checkpoint refused"}', b"\xff", b"[" * 10_000]
)
def test_any_line_is_judged(world: World, leaf: bytes) -> None:
    whole = lines(world)
    place = next(index for index, line in enumerate(whole) if line.startswith(b'{"position":300,'))
    given = [*whole[:place], b'{"position":300,"leaf":' + leaf + b"}", *whole[place + 1 :]]
    assert 300 in kinds(check(world, given))["changed"]


# ---------------------------------------------------------------- signing


def alarm(world: World) -> AuditEvent:
    return world.events(checkpoints.REFUSED)[-1]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda world: rolled_back(world, 400, with_checkpoints=False), "had"),
        (lambda world: (change(world, 20, actor_id="x"), rebuild(world, lambda found: found)), "does not begin"),
        (lambda world: run(world, delete(key_table).where(key_table.c.tenant_id == world.tenant_id)), "keys"),
        (
            lambda world: run(
                world, update(checkpoint_table).where(checkpoint_table.c.tenant_id == world.tenant_id).values(note="x")
            ),
            "signed note",
        ),
        (
            lambda world: run(
                world, update(checkpoint_table).where(checkpoint_table.c.tenant_id == world.tenant_id).values(size=7)
            ),
            "was changed",
        ),
        (
            lambda world: run(
                world, update(key_table).where(key_table.c.tenant_id == world.tenant_id).values(sealed="x")
            ),
            "key file",
        ),
        (
            lambda world: run(
                world, delete(tiles).where(tiles.c.tenant_id == world.tenant_id, tiles.c.number == 2)
            ),
            "damaged",
        ),
    ],
)  # fmt: skip
def test_nothing_is_signed_that_contradicts_what_was(
    world: World, spoil: Callable[[World], Any], why: str
) -> None:
    count = world.read(lambda tx: tx.connection.execute(
        select(func.count()).select_from(checkpoint_table).where(checkpoint_table.c.tenant_id == world.tenant_id)
    ).scalar())  # fmt: skip
    spoil(world)
    for _ in range(3):
        world.forward(minutes=10)
        assert world.sign() is None
    after = world.read(lambda tx: tx.connection.execute(
        select(func.count()).select_from(checkpoint_table).where(checkpoint_table.c.tenant_id == world.tenant_id)
    ).scalar())  # fmt: skip
    assert after == count
    assert why in world.read(lambda tx: tx.checkpoints.fault())
    assert len(world.events(checkpoints.REFUSED)) == 1
    assert why in alarm(world).reason
    tell(world, 3)
    before = world.read(lambda tx: tx.audit_log.size())
    goes_on = why != "damaged"
    assert (world.grow() >= before + 3) is goes_on


def test_what_is_mended_is_signed_again(world: World) -> None:
    mine = (tiles.c.tenant_id == world.tenant_id) & (tiles.c.level == 0) & (tiles.c.number == 2)
    data = world.read(lambda tx: tx.audit_log.tile(0, 2))
    run(world, update(tiles).where(mine).values(hashes=hashlib.sha256(data).digest() * (len(data) // 32)))
    world.forward(minutes=10)
    assert world.sign() is None
    now_there = world.read(lambda tx: tx.audit_log.tile(0, 2))
    run(world, update(tiles).where(mine).values(hashes=data + now_there[len(data) :]))
    world.forward(minutes=10)
    assert world.sign() is not None
    assert len(world.events(checkpoints.RESUMED)) == 1
    position = world.read(lambda tx: tx.audit_log.position_of(alarm(world).id))
    assert kinds(check(world)) == {"alarm": [position]}


def test_keys_change_and_vouch_for_each_other(world: World) -> None:
    first = key_of(world)
    for _ in range(2):
        world.forward(days=366)
        tell(world, 3)
        assert world.sign() is not None
    history = History(trusted=first)
    history.feed(lines(world))
    assert history.finish() == []
    assert len(history.keys) == 3
    assert len(world.events(checkpoints.NEXT_KEY)) == 3


def test_a_log_that_stands_still_says_so_once_a_day(world: World) -> None:
    world.forward(minutes=10)
    assert world.sign() is not None
    world.forward(hours=23)
    assert world.sign() is None
    world.forward(hours=1)
    made = world.sign()
    assert made is not None
    assert made.size == world.read(lambda tx: tx.audit_log.size())


# ---------------------------------------------------------------- the operator's check


def checked(world: World) -> dict[str, list[int | None]]:
    return kinds(audit_check.check(world.deps, world.tenant_id, History(trusted=key_of(world))).findings)


def targeted(world: World) -> AuditEvent:
    event = world.write(
        lambda tx: recording.record(
            tx, world.deps, world.system, world.now, activity="x", category="Policy",
            targets=(Target("User", world.ann), Target("Role", "r" * 100)),
        )
    )  # fmt: skip
    assert checked(world) == {}
    world.grow()
    assert checked(world) == {}
    return event


@pytest.mark.parametrize("spoil", ["another target", "another time", "gone", "more", "of no event"])
def test_a_changed_index_of_targets_is_found(world: World, spoil: str) -> None:
    event = targeted(world)
    c = targets.c
    mine = (c.tenant_id == world.tenant_id) & (c.event_id == event.id) & (c.target_id == world.ann)
    row = {"tenant_id": world.tenant_id, "target_id": world.bob, "at": world.now, "event_id": event.id}
    statement = {
        "another target": update(targets).where(mine).values(target_id=world.bob),
        "another time": update(targets).where(mine).values(at=world.now + timedelta(1)),
        "gone": delete(targets).where(mine),
        "more": insert(targets).values(row),
        "of no event": insert(targets).values(row | {"event_id": world.new_id()}),
    }[spoil]
    run(world, statement)
    assert set(checked(world)) == {"index"}


def test_a_log_whose_key_file_was_lost_begins_with_a_new_key(world: World) -> None:
    """As docs/how-to/back-up-and-restore.md says."""
    mine = key_table.c.tenant_id == world.tenant_id
    run(world, update(key_table).where(mine).values(sealed="x"))
    tell(world, 1)
    world.forward(minutes=10)
    assert world.sign() is None
    run(
        world,
        delete(checkpoint_table).where(checkpoint_table.c.tenant_id == world.tenant_id),
        delete(key_table).where(mine),
    )
    assert world.sign() is not None
    assert world.read(lambda tx: tx.checkpoints.fault()) == ""
    assert "alarm" in kinds(check(world))  # that signing had stopped is told
