"""The audit in the portal: one's own and everybody's, filters, an event in full, downloads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence

import pytest

from openpim.core.signin.values import Account
from openpim.faces.portal import audit, downloads
from openpim.faces.portal.call import BrokenOffError
from openpim.services.signin.sessions import end_all
from tests.faces.portal.client import Shown, Site
from tests.world import ASSIGNMENT, READER, World, ok

FORMULA = "=cmd|' /C calc'!A0"


def activity(site: Site, reason: str = "Rooms") -> None:
    site.world.eligible(site.world.ann)
    ok(site.world.activate(site.world.ann, justification=reason))


def reader(site: Site) -> str:
    rhea = site.world.user("Rhea")
    ok(site.world.give(rhea, READER, ASSIGNMENT, permanent=True))
    return rhea


def test_each_sees_his_own_and_readers_all(site: Site) -> None:
    activity(site)
    asked = "Add member to role requested (PIM activation)"
    assert asked in site.browser(site.world.ann).get("/portal/audit").text
    stranger = site.browser(site.world.user("Zoe"))
    assert asked not in stranger.get("/portal/audit").text
    assert asked not in stranger.get("/portal/audit/all").text
    assert "Resource audit" not in stranger.get("/portal/audit").text
    page = site.browser(reader(site)).get("/portal/audit/all")
    assert asked in page.text
    assert "Resource audit" in page.text


def test_filters(site: Site) -> None:
    activity(site)
    eyes = site.browser(reader(site))
    assert "No events" in eyes.get("/portal/audit/all?q=nobody+of+this+name").text
    assert "No events" not in eyes.get("/portal/audit/all?q=SOME&activity=pim+ACTIVATION&result=success").text
    assert "No events" in eyes.get("/portal/audit/all?result=failure&activity=requested").text
    assert "No events" in eyes.get("/portal/audit/all?until=2001-01-01").text
    page = eyes.get("/portal/audit/all?since=yesterday")
    assert page.status == 400
    assert "This is not a day" in page.text
    assert eyes.get("/portal/audit/all?after=nonsense").status == 400


def test_an_event_in_full(site: Site) -> None:
    activity(site, "Rooms & <b>doors</b>")
    ann = site.browser(site.world.ann)
    links = [one for one in ann.get("/portal/audit?activity=activation").links if one.count("/") == 3]
    page = ann.get(next(one for one in links if len(one) > 40))
    assert page.status == 200
    assert "<b>doors" not in page.html
    assert "Rooms & <b>doors</b>" in page.text
    assert site.browser(site.world.user("Zoe")).get(links[-1]).status == 404


def test_downloads(site: Site) -> None:
    activity(site, FORMULA)
    ann = site.browser(site.world.ann)
    got = ann.get("/portal/audit/csv?activity=activation").answer
    assert got.headers["content-disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(got.content.decode("utf-8-sig"))))
    assert rows
    assert all(not value.startswith("=") for row in rows for value in row.values())
    lines = ann.get("/portal/audit/jsonl?activity=activation").answer
    assert lines.headers["content-type"] == "application/jsonl; charset=utf-8"
    named = [json.loads(line) for line in lines.text.splitlines()]
    assert [one["id"] for one in named] == [one["id"] for one in rows]
    assert any(FORMULA in row["details"] + row["reason"] for row in named)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "A_PART", 5)


def ids(page: Shown) -> list[str]:
    return [one["id"] for one in csv.DictReader(io.StringIO(page.answer.content.decode("utf-8-sig")))]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_download_has_all_that_the_list_has(site: Site, small_parts: None) -> None:
    """In parts, with the list's filters, for whoever asks: nothing twice, nothing left out, the newest first."""
    for number in range(6):
        site.world.eligible(site.world.user(f"Person {number}"))
    rhea = reader(site)
    everything = [one.id for one in reversed(site.world.events())]
    assert len(everything) >= 20
    site.world.grow()  # words are looked for in the log
    eyes = site.browser(rhea)
    assert [one for one in ids(eyes.get("/portal/audit/csv?all=1")) if one in everything] == everything
    asked = eyes.get("/portal/audit/csv?all=1&activity=eligible+member")
    assert 5 < len(ids(asked)) < len(everything)
    assert ids(asked) == [
        json.loads(line)["id"] for line in eyes.get("/portal/audit/jsonl?all=1&activity=eligible+member").answer.text.splitlines()
    ]  # fmt: skip
    assert len(ids(eyes.get("/portal/audit/csv?all=1&words=eligible"))) > 5
    stranger = site.browser(site.world.user("Zoe"))
    assert not set(ids(stranger.get("/portal/audit/csv?all=1"))) & set(ids(asked))
    assert eyes.client.head("/portal/audit/csv?all=1").content == b""


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("wrong", ["since=yesterday", "until=2026-13-01", "about=Nobody"])
def test_what_cannot_be_read_in_a_filter_is_not_a_download_without_it(site: Site, wrong: str) -> None:
    eyes = site.browser(reader(site))
    for what in ("csv", "jsonl"):
        assert eyes.get(f"/portal/audit/{what}?all=1&{wrong}").status == 400


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("loss", ["role", "session", "lock"])
def test_a_download_is_broken_off_when_its_reader_may_no_more(
    site: Site, small_parts: None, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    """Not ended as if it were whole."""
    for number in range(6):
        site.world.eligible(site.world.user(f"Person {number}"))
    world, rhea = site.world, reader(site)
    eyes = site.browser(rhea)
    asked: list[int] = []
    rows = downloads.csv_rows

    def counted(columns: Sequence[str], found: Iterable[Mapping[str, str]]) -> bytes:
        asked.append(1)
        if len(asked) == 3:  # the head, and two parts
            lose(world, rhea, loss)
        return rows(columns, found)

    monkeypatch.setattr(downloads, "csv_rows", counted)
    with pytest.raises(BrokenOffError):
        eyes.get("/portal/audit/csv?all=1")
    assert len(asked) == 3


def lose(world: World, who: str, what: str) -> None:
    if what == "role":
        world.forward(minutes=6)
        ok(world.take(who, READER, ASSIGNMENT))
    elif what == "session":
        account = Account(world.tenant_id, who)
        world.deps.store.write("", lambda tx: end_all(tx, world.deps, account))
    else:
        world.disable(who)


def test_no_cell_is_a_formula() -> None:
    from openpim.faces.portal.downloads import plain_cell

    assert [plain_cell(one) for one in ("=1", "+1", "-1", "@a", "\t=1", "a=1")] == [
        "'=1", "'+1", "'-1", "'@a", "'\t'=1", "a=1",
    ]  # fmt: skip


def test_what_concerns_somebody_by_name(site: Site) -> None:
    """By address, exact name or id; what means nobody is said at the field."""
    world = site.world
    world.eligible(world.bob)
    admin = site.browser(world.ga)
    address = world.read(lambda tx: tx.users.get(world.bob)).user_principal_name
    for about in (world.bob, "bob", address):
        page = admin.get(f"/portal/audit/all?about={about}")
        assert page.status == 200, page.text
        assert "bob" in page.text
        assert "Add eligible member" in page.text
    page = admin.get("/portal/audit/all?about=nobody")
    assert page.status == 400
    assert "Nobody is called so" in page.text
    assert "Add eligible member" not in page.text
    assert "Add eligible member" not in admin.get("/portal/audit/csv?all=1&about=nobody").answer.text
    assert "Add eligible member" in admin.get("/portal/audit/csv?all=1&about=bob").answer.text


def test_words_are_searched_and_events_say_where_they_are_in_the_log(site: Site) -> None:
    activity(site, "an unheard-of giraffe")
    site.world.grow()
    eyes = site.browser(reader(site))
    page = eyes.get("/portal/audit/all?words=giraffe+activation")
    assert "Add member to role requested (PIM activation)" in page.text
    assert "No events" in eyes.get("/portal/audit/all?words=zebra").text
    stranger = site.browser(site.world.user("Zoe"))
    assert "No events" in stranger.get("/portal/audit/all?words=giraffe").text
    event = site.world.events("Add member to role requested (PIM activation)")[-1]
    assert "not proved by a checkpoint yet" in eyes.get(f"/portal/audit/{event.id}").text
    site.world.forward(minutes=10)
    site.world.sign()
    text = eyes.get(f"/portal/audit/{event.id}").text
    assert f"Position {event.position}, proved by checkpoint 0" in text
    assert "giraffe" in eyes.get("/portal/audit/csv?all=1&words=giraffe").text
