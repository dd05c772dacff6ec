"""Every fenced block of every page is run by a test, or says above it why not. What is not run is listed here, and so stays what
it is: who adds a block that nothing runs has to say so in the page and here.
"""

from __future__ import annotations

import re

from tests.docs.demo_server import ROOT
from tests.docs.pages import Block, blocks
from tests.docs.place import PAGES
from tools import docs

HOW_TO = "docs/how-to/"
# Which test runs the blocks of these languages; a test that goes through a page with pages.reading fails if one is left.
RUN_BY = {
    "README.md": {
        "console": "docs/test_readme.py",
        "text": "docs/test_readme.py",
        "python": "conformance/test_documented_examples.py",
    },
    "docs/tutorial/first-steps.md": {"console": "docs/test_readme.py"},
    "docs/reference/authzen.md": {"python": "docs/test_application_pages.py"},
    "docs/reference/cli.md": {"text": "cli/test_reference.py"},
    "docs/reference/resource-file.md": {"text": "docs/test_walks.py"},
    "docs/reference/webhook-target.md": {"python": "connectors/webhook/test_service.py"},
    f"{HOW_TO}approvals.md": {"text": "docs/test_pim_pages.py", "http": "docs/test_how_to.py"},
    f"{HOW_TO}ask-another-system.md": {
        "text": "docs/test_pim_pages.py",
        "python": "docs/test_other_systems.py",
    },
    f"{HOW_TO}back-up-and-restore.md": {"text": "docs/test_how_to.py", "sql": "docs/test_how_to.py"},
    f"{HOW_TO}channels.md": {"text": "docs/test_pim_pages.py", "python": "docs/test_other_systems.py"},
    f"{HOW_TO}connect-ldap.md": {"ldif": "connectors/ldap/slapd.py", "sh": "connectors/ldap/samba.py"},
    f"{HOW_TO}connect-mariadb.md": {"sql": "connectors/mariadb/conftest.py"},
    f"{HOW_TO}connect-postgresql.md": {"sql": "connectors/postgresql/conftest.py"},
    f"{HOW_TO}groups.md": {"console": "docs/test_walks.py"},
    f"{HOW_TO}manage-resources.md": dict.fromkeys(("console", "text", "http", "sh"), "docs/test_walks.py"),
    f"{HOW_TO}protect-applications.md": {"nginx": "faces/authzen/test_nginx.py"},
    f"{HOW_TO}register-an-application.md": {"sh": "docs/test_register.py"},
    f"{HOW_TO}run-a-real-organisation.md": dict.fromkeys(("text", "sh"), "docs/test_how_to.py"),
    f"{HOW_TO}tickets.md": {"text": "docs/test_pim_pages.py", "python": "docs/test_other_systems.py"},
    f"{HOW_TO}use-pim.md": {"text": "docs/test_pim_pages.py"},
    f"{HOW_TO}use-microsoft-clients.md": {
        "sh": "conformance/azure_cli/test_documented.py",
        "python": "conformance/test_documented_examples.py",
    },
    f"{HOW_TO}write-a-connector.md": dict.fromkeys(("python", "text"), "docs/test_write_a_connector.py"),
}
READ = ("json", "toml")  # test_docs.py: what cannot be read, or is no setting, fails
DRAWN = ("mermaid",)

NOT_RUN: dict[str, list[str]] = {
    "CONTRIBUTING.md": ["these run the tests"],
    "README.md": [
        "these start the server and the tests",
        "docs/how-to/run-a-real-organisation.md is followed",
        "the same lines are run from docs/how-to/use-microsoft-clients.md",
    ],
    "docs/explanation/model.md": ["a drawing"],
    "docs/how-to/connect-ldap.md": [
        "a Windows domain controller; the samba-tool line below it gives the same right"
    ],
    "docs/how-to/manage-resources.md": ["a tree in Azure to read from"],
    "docs/how-to/protect-applications.md": [
        "no Envoy on the machine of the tests; nginx asks the same address",
        "no Traefik on the machine of the tests; nginx asks the same address",
    ],
    "docs/how-to/run-a-real-organisation.md": ["a unit of the host"],
    "docs/how-to/use-pim.md": [
        "needs what is about to end; tests/cli/test_prolonging.py does the same",
        "tests/cli/test_places.py does the same",
        "manage-resources.md does the same, and is walked",
        "approvals.md types the same",
        "approvals.md and run-a-real-organisation.md type the same",
        "a part of somebody's script",
        "README.md types the same",
        "Microsoft Entra",
    ],
    "docs/how-to/use-the-portal.md": ["tests/faces/portal/test_my_roles.py follows such a link"],
    "docs/reference/benchmarks.md": ["takes an hour; tests/bench/test_bench.py measures a little"],
}


def every() -> list[Block]:
    return [block for page in docs.pages() for block in blocks(page.relative_to(ROOT).as_posix())]


def test_every_block_is_run_or_says_why_not() -> None:
    lost = [
        block.name
        for block in every()
        if not block.why and block.page not in PAGES
        if block.language not in {*READ, *DRAWN, *RUN_BY.get(block.page, ())}
    ]
    assert lost == [], (
        "run them in a test, or say why not: <!-- not run: … --> above the block, and in NOT_RUN"
    )


def test_who_is_said_to_run_a_page_knows_it() -> None:
    lost = []
    for page, tests in RUN_BY.items():
        for test in set(tests.values()):
            name = page.rpartition("/")[2]
            lost += [] if name in (ROOT / "tests" / test).read_text("utf-8") else [f"{test}: {page}"]
    assert lost == []
    walks = "".join(one.read_text("utf-8") for one in (ROOT / "tests/docs").glob("test_*_pages.py"))
    place = (ROOT / "tests/docs/place.py").read_text("utf-8")
    assert [page for page in PAGES if f'reading("{page}")' not in walks + place] == []


def test_what_is_not_run_is_known() -> None:
    found: dict[str, list[str]] = {}
    for block in every():
        if block.why:
            found.setdefault(block.page, []).append(block.why)
    assert found == NOT_RUN


def test_every_fence_is_understood() -> None:
    lost = []
    for page in (one.relative_to(ROOT).as_posix() for one in docs.pages()):
        fences = re.findall(r"^ *(?:```|~~~)", (ROOT / page).read_text("utf-8"), re.MULTILINE)
        lost += [] if len(fences) == 2 * len(blocks(page)) else [page]
    assert lost == []
