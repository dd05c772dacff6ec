"""Assignments from a file: what spreadsheets write is read, what is wrong is said with its line, thousands of rows are
looked at in pages, and all of it is done or nothing."""

from __future__ import annotations

import csv
import io

import pytest

from openpim.core.policy import Requirement
from openpim.faces.portal import assignment_csv, downloads
from openpim.faces.portal.assignment_csv import UnreadableError
from openpim.services import submit_all
from tests.faces.portal.client import Browser, Shown, Site
from tests.world import HELPDESK, World

IMPORT = "/portal/assignments/import"
HEAD = "action,role,scope,member,type,start,end,justification,id"
ROW = "assign,Teams Administrator,/,{},eligible,,permanent,Rooms,"


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser(site.world.pra)


def sent(
    admin: Browser, *rows: str, head: str = HEAD, encoding: str = "utf-8", name: str = "list.csv"
) -> Shown:
    return admin.upload(IMPORT, "file", name, "\r\n".join([head, *rows, ""]).encode(encoding))


def confirm(admin: Browser, go: str = "do") -> Shown:
    assert admin.page is not None
    seal = next(attrs["value"] for _, attrs in admin.page.tags if attrs.get("name") == "sealed")
    return admin.post(IMPORT, sealed=seal, go=go)


def held(world: World, person: str) -> list[object]:
    return [one for one in world.everything("schedules") if one.principal_id == person]


# ---------------------------------------------------------------- how it is written


@pytest.mark.parametrize(("encoding", "separator"), [("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t")])
def test_what_spreadsheets_write(site: Site, admin: Browser, encoding: str, separator: str) -> None:
    world = site.world
    zoe = world.user("Zoë Müller")
    rows = [ROW.format("Zoë Müller").replace(",", separator)]
    page = sent(admin, *rows, head=HEAD.replace(",", separator), encoding=encoding)
    assert page.status == 200, page.text
    assert "Zoë Müller" in page.text
    assert "Sent was list.csv" in page.text
    assert "1 row is carried out" in confirm(admin).text
    assert len(held(world, zoe)) == 1


def test_a_first_line_that_names_the_separator(site: Site, admin: Browser) -> None:
    page = sent(admin, HEAD.replace(",", ";"), ROW.format("ann").replace(",", ";"), head="sep=;")
    assert page.status == 200, page.text
    row = next(row for row in page.html.split("<tr>") if "Can be done" in row)
    assert ">3</td>" in row, "as the spreadsheet counts"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"role,member,type,end\r\nA,ann,eligible,permanent\r\nB,Zo\xeb,eligible,permanent\r\n", "Line 3 is not UTF-8 (byte 0xEB)"),
        (b"role,member,type,end\nA,a\x00b,eligible,permanent\n", "Line 2 holds a null character"),
        (b'role,member,type,end\nA,ann,eligible,permanent\nB,"ann,eligible,permanent\n', "is not CSV"),
        (b"PK\x03\x04\x00\x00\xff\xfe", "save the sheet as CSV UTF-8"),
        (b"\xff\xfea", "begins as UTF-16"),
        (b"", "nothing to do"),
        (b"role,member,type\nA,ann,eligible\n", "Missing: end"),
        (b"role,member,type,end,role\nA,ann,eligible,permanent,B\n", "Twice: role"),
        (b"\xef\xbb\xbfrole;member;type;end\n", "nothing to do"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_all_of_it(site: Site, admin: Browser, body: bytes, said: str) -> None:
    before = site.world.snapshot()
    page = admin.upload(IMPORT, "file", "x.csv", body)
    assert page.status == 400
    assert said in page.text
    assert site.world.snapshot() == before


def test_a_file_or_text(site: Site, admin: Browser) -> None:
    page = admin.upload(IMPORT, "file", "x.csv", HEAD.encode(), csv="role")
    assert page.status == 400
    assert "not both" in page.text
    page = admin.upload(IMPORT, "other", "x.csv", HEAD.encode())
    assert "nothing to do" in page.text


def test_too_large(site: Site, admin: Browser) -> None:
    page = admin.upload(IMPORT, "file", "x.csv", b"x" * (assignment_csv.LARGEST_FILE + 1))
    assert page.status == 400
    assert "larger than 2 MB" in page.text
    page = admin.upload(IMPORT, "file", "x.csv", b"x" * 6_000_000)
    assert page.status == 413
    assert "nothing to do" not in page.text


def test_other_forms_take_no_large_bodies(site: Site, admin: Browser) -> None:
    page = admin.post("/portal/assignments/add", members="x" * 300_000)
    assert page.status == 413


def test_a_file_needs_our_token_and_a_session(site: Site, admin: Browser) -> None:
    body = "\n".join([HEAD, ROW.format("ann")]).encode()
    assert admin.upload(IMPORT, "file", "x.csv", body, token="x").status == 403
    nobody = site.browser()
    assert nobody.upload(IMPORT, "file", "x.csv", body, token=admin.token).status == 401


# ---------------------------------------------------------------- what it asks for


def test_the_template_names_every_column_and_does_nothing(site: Site, admin: Browser) -> None:
    body = admin.get(f"{IMPORT}/template").answer.content
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert list(rows[0]) == [name for name, _, _ in assignment_csv.COLUMNS]
    page = admin.upload(IMPORT, "file", "template.csv", body)
    assert page.status == 400
    assert f"{len(rows)} rows cannot be done" in page.text
    assert "Carry out" not in page.text


def test_update_extend_renew_remove(site: Site, admin: Browser) -> None:
    world = site.world
    for who in (world.ann, world.bob, world.cyd, world.dan):
        world.eligible(who, days=5)
    world.eligible(world.dan, HELPDESK, days=5)
    world.forward(days=1)
    admin.sign_in_again()
    cyd = held(world, world.cyd)[0]
    rows = [
        "update,Teams Administrator,/,ann,eligible,,permanent,Rooms,",
        "extend,Teams Administrator,/,bob,eligible,,2027-03-01T00:00Z,Longer,",
        f"update,Teams Administrator,/,cyd,eligible,,2027-04-01T00:00Z,Other,{cyd.id}",
        "remove,Teams Administrator,/,dan,eligible,,,Gone,",
        f"update,Teams Administrator,/,bob,eligible,,permanent,Not his,{cyd.id}",
    ]
    page = sent(admin, *rows)
    assert "1 row cannot be done" in page.text
    assert "no such assignment to change" in page.text
    before = world.snapshot()
    page = sent(admin, *rows[:4])
    assert page.status == 200, page.text
    assert world.snapshot() == before
    assert "4 rows are carried out" in confirm(admin).text
    assert held(world, world.ann)[0].ends_at is None
    assert held(world, world.bob)[0].ends_at.month == 3
    assert held(world, world.cyd)[0].ends_at.month == 4
    assert not held(world, world.dan)[0].live(world.now)
    assert len(held(world, world.ann)) == 1, "changed in place"
    world.forward(days=10)
    world.work()
    admin.sign_in_again()
    page = sent(admin, "renew,Helpdesk Administrator,/,dan,eligible,,2027-05-01T00:00Z,Back,")
    assert page.status == 200, page.text
    confirm(admin)
    assert any(one.live(world.now) and one.role_id == HELPDESK for one in held(world, world.dan))


# ---------------------------------------------------------------- all or nothing


def test_all_of_it_or_nothing(site: Site, admin: Browser) -> None:
    """One of them has become impossible meanwhile: none is done, it is said, and the others can still be."""
    world = site.world
    page = sent(admin, *(ROW.format(name) for name in ("ann", "bob", "cyd")))
    assert page.status == 200
    first = admin.page
    world.eligible(world.bob)
    grants = len(world.everything("schedules"))
    page = confirm(admin)
    assert page.status == 400
    assert "Nothing was done" in page.text
    assert "exists already" in page.text
    assert len(world.everything("schedules")) == grants
    assert any(event.result == "failure" for event in world.events()), "what was refused is on record"
    assert "Carry out 2 rows, leave out 1" in page.text
    page = confirm(admin)
    assert "2 rows are carried out. 1 was left out." in page.text
    assert len(held(world, world.ann)) == len(held(world, world.cyd)) == len(held(world, world.bob)) == 1
    admin.page = first
    assert confirm(admin).status == 400, "the first preview is not done over it"
    assert len(held(world, world.ann)) == 1


def test_a_failure_in_the_middle_leaves_nothing(
    site: Site, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = site.world
    sent(admin, *(ROW.format(name) for name in ("ann", "bob", "cyd")))
    before = world.snapshot()
    real, count = submit_all.in_transaction, [0]

    def fails(*given: object) -> object:
        count[0] += 1
        if count[0] == 3:
            raise RuntimeError("the disk is full")
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(submit_all, "in_transaction", fails)
    assert confirm(admin).status == 500
    assert world.snapshot() == before
    monkeypatch.undo()
    admin.page = sent(admin, *(ROW.format(name) for name in ("ann", "bob", "cyd")))
    assert "3 rows are carried out" in confirm(admin).text


def test_rows_that_need_more_proof(site: Site) -> None:
    """A file does not wait for a sign-in: one verifies, and chooses it again."""
    world = site.world
    world.policy(eligibility_requires=frozenset({Requirement.MFA}))
    admin = site.browser(world.pra, mfa=False)
    page = sent(admin, ROW.format("ann"))
    assert page.status == 400
    assert "more proof of who you are" in page.text
    asked = admin.post(IMPORT, go="verify", need="mfa")
    assert asked.status in {200, 401}
    assert "portal/assignments/import" not in asked.to
    done = admin.post(IMPORT, go="verify", need="mfa", verified="mfa")
    assert done.to == IMPORT
    assert "Choose the file again" in admin.follow().text
    assert admin.post(IMPORT, go="verify", need="<script>").status in {200, 401}
    assert held(world, world.ann) == []


# ---------------------------------------------------------------- many


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_many_rows_in_pages(site: Site, admin: Browser) -> None:
    world = site.world
    people = [world.user(f"Person {number:03}") for number in range(230)]
    rows = [ROW.format(f"Person {number:03}") for number in range(230)]
    page = sent(admin, *rows[:150], "assign,Emperor,/,ann,eligible,,permanent,,", *rows[150:])
    assert page.status == 400
    assert "Page 1 of 3" in page.text
    assert page.text.count("Can be done") == 99, "what is wrong comes first"
    assert "no role Emperor" in page.text
    page = confirm(admin, go="page-3")
    assert "Page 3 of 3" in page.text
    assert page.text.count("Can be done") == 31
    assert "no role Emperor" not in page.text
    for odd in ("page-0", "page-99", "page-x", "page-²"):
        assert "of 3" in confirm(admin, go=odd).text
    page = confirm(admin)
    assert "230 rows are carried out. 1 was left out." in page.text
    assert "and 130 more" in page.text
    assert all(len(held(world, one)) == 1 for one in people[::50])


# ---------------------------------------------------------------- formulas


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@x",
        "\t=1",
        "\r=1",
        " =1",
        "\uff1d1+1",
        "a;=1",
        'a;"=1',
        "a\n=1",
        "a\t-1",
        "a|@x",
        "\n=1",
    ],
)
def test_no_reader_finds_a_formula(text: str) -> None:
    """Whichever separator the spreadsheet believes in."""
    body = downloads.as_csv(("a", "b"), [{"a": "x", "b": text}]).decode("utf-8-sig")
    for separator in ",;\t|":
        for line in csv.reader(io.StringIO(body, newline=""), delimiter=separator):
            for cell in line:
                assert not cell.strip().strip('"').lstrip().startswith(("=", "+", "-", "@", "\uff1d")), (
                    separator,
                    cell,
                )


def test_what_is_plain_stays_as_it_is() -> None:
    for text in ("", "a=b", "1-2", "it's", "a; b", "x@example.com", "2026-11-21T14:30Z", "'quoted'"):
        assert downloads.plain_cell(text) == text
    for text in ("=1", " -x", "@a"):
        assert downloads.written_cell(downloads.plain_cell(text)) == text


def test_columns_are_read_in_any_order() -> None:
    (row,) = assignment_csv.rows("END,Member,extra,Type,role\npermanent,ann,?,active,Reader\n")
    assert (row.text("end"), row.text("member"), row.text("role"), row.text("scope")) == (
        "permanent",
        "ann",
        "Reader",
        "",
    )
    with pytest.raises(UnreadableError):
        assignment_csv.rows(
            "role,member,type,end\n" + "a,b,eligible,permanent\n" * (assignment_csv.MOST_ROWS + 1)
        )
    assert (
        len(
            assignment_csv.rows(
                "role,member,type,end\n" + "a,b,eligible,permanent\n" * assignment_csv.MOST_ROWS
            )
        )
        == 5000
    )
