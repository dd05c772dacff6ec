"""The how-to pages about `pim` itself, approvals, channels and tickets: what they type is typed, where one server will do for it; of
everything else that any page types, the grammar is checked."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime, timedelta

import pytest

from openpim.cli.__main__ import _split
from openpim.cli.commands import load
from openpim.cli.commands.ssh import OWN_WORDS
from openpim.cli.parser import build
from openpim.client.errors import PimError
from tests.docs.demo_server import ROOT
from tests.docs.pages import blocks, reading, replaced
from tests.docs.place import MIRA, Place
from tests.notify.hostile import replies, serve
from tools import docs

JONAS = "jonas.weberling@tidewater.example"
TOMAS = "tomas.lindqvarn@tidewater.example"
PLACES = {"jonas@example.com": JONAS, "tomas@example.com": TOMAS, "ben@example.com": JONAS}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_approvals(place: Place) -> None:
    place.group("Collaboration Leads")
    role = "Teams Administrator"
    here = PLACES | {"2026-12-31": f"{datetime.now(UTC) + timedelta(days=60):%Y-%m-%d}"}
    with reading("docs/how-to/approvals.md") as page:
        shown = place.script(page.block("text"), **here)
        assert re.search(r"approval +yes", shown)
        place.type(f"pim assign '{role}' {MIRA} -j 'of this test'")
        decide = page.block("text").body.splitlines()
        place.sign_in(JONAS)
        for answer in decide[1:]:
            place.type(f'pim activate "{role}" -j "of this test" -t A:1 --no-wait || [ $? = 3 ]', MIRA)
            assert MIRA in place.type(decide[0], JONAS)
            place.type(answer, JONAS)
            if "approve" in answer:
                place.type(f'pim deactivate "{role}"', MIRA)
        place.script(page.block("text"), **here)
        assert "2 of" in place.type('pim policy show "Global Administrator"')
        page.block("http")  # test_how_to.py sends it
        place.script(page.block("text"), **here)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_day(place: Place) -> None:
    role = "Teams Administrator"
    place.type(f'pim policy set "{role}" --no-approval --no-justification --no-ticket --no-mfa')
    with reading("docs/how-to/use-pim.md") as page:
        for line in page.block("text").body.splitlines():
            if " -d 2h -j " in line:  # another day
                place.type(f'pim deactivate "{role}"', MIRA)
            place.type(re.split(" {2,}", line)[0], MIRA)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_channels_and_tickets(place: Place) -> None:
    with serve(replies(lambda _: (200, {}))) as there:
        here = PLACES | {f"https://{name}.example.com": there.url("") for name in ("desk", "oncall", "snow")}
        with reading("docs/how-to/channels.md") as page:
            assert "whsec_" in place.script(page.block("text"), **here)
            place.until(lambda: there.asked, "the test is not sent")
            page.skip("json", "python")  # test_other_systems.py
            place.script(page.block("text"), **here)
        for name in ("docs/how-to/ask-another-system.md", "docs/how-to/tickets.md"):
            with reading(name) as page:
                place.script(page.block("text"), **here)
                page.skip("json", "python")  # test_other_systems.py
        shown = place.type('pim policy show "Teams Administrator"')
        assert re.search(r"stage 1: system \S+ decides; if it does not answer, people decide", shown), shown
        assert "INC#######" in shown


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_other_clients_trust_the_server(place: Place) -> None:
    """What stands before and after the parts about clients, which the conformance tests run."""
    trust, *_, ask = (one for one in blocks("docs/how-to/use-microsoft-clients.md") if one.language == "sh")
    here = {"$PWD/openpim-data/tls/ca.pem": place.authority, "openpim-data/tls/ca.pem": place.authority}
    here["https://localhost:8443"] = place.origin
    shown = place.type(replaced(f"{trust.body}\n{ask.body}\necho $REQUESTS_CA_BUNDLE", here), MIRA)
    assert MIRA in shown
    assert shown.endswith(f"{place.authority}\n")


def test_what_any_page_types_is_taken() -> None:
    wrong = []
    pages = {one.relative_to(ROOT).as_posix() for one in docs.pages()}
    for page in pages - {"docs/reference/cli.md"}:  # made from the grammar
        found = (block.body.replace("\\\n", "") for block in blocks(page) if block.language in SHELL)
        lines = re.findall(r"^(?:\$ )?(pim [^:\n]*(?: .*)?)$", "\n".join(found), re.MULTILINE)
        wrong += [f"{page}: {line}: {said}" for line in lines if (said := fault(line))]
    assert wrong == []


SHELL = ("sh", "text", "console")


def fault(line: str) -> str:
    """What `pim` has against it, "" if nothing; without what a shell would take, and what a page says beside it."""
    command = re.split(r" {2,}| [|&>]{1,2} | < ", line.removeprefix("pim "))[0]
    name, rest = _split(shlex.split(command))
    if name == "serve":
        return ""  # other options follow each of its words
    if name == "ssh" and not {rest[0], rest[0][0]} & {*OWN_WORDS, "-"}:
        rest = rest[:1]  # the rest is for ssh
    try:
        build(name, load(name)).parse_args(rest)
    except PimError as error:
        return error.message
    return ""


def test_the_grammar_is_looked_at() -> None:
    assert fault('pim activate teams -d 2h -j "mail outage"') == ""
    assert "--durations" in fault("pim activate teams --durations 2h")
