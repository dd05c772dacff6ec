"""The how-to pages about resources and groups are walked from top to bottom: console blocks are typed, HTTP blocks sent."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
import urllib.request

import pytest

from tests.docs.demo_server import ROOT, DemoServer
from tests.docs.test_readme import SHOWN, Step, missing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

EMERGENCY = "emergency1@tidewater.example"
DANA = "dana.okaforde@tidewater.example"
MIRA = "mira.solbergen@tidewater.example"
BLOCK = re.compile(r"^```(?P<language>[a-z]+)\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def server(tmp_path):
    found = DemoServer(tmp_path)
    try:
        found.start()
        yield found
    finally:
        found.stop()


def typed(server: DemoServer, body: str) -> None:
    steps: list[Step] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            steps.append(Step(line[2:]))
        else:
            steps[-1].output.append(line)
    for step in steps:
        line = step.line.replace(SHOWN, server.origin)
        user = (re.findall(r"--user (\S+)", line) or [EMERGENCY])[0]
        code, printed = server.run(Step(line).arguments, user)
        assert code in step.exit_code, f"$ {line}\n{printed}"
        assert missing(step.output, printed) == [], f"$ {line}\n{printed}"


def sent(server: DemoServer, body: str) -> None:
    """To the resource manager, as the administrator of the page."""
    head, _, content = body.partition("\n\n")
    method, path = head.split()
    token = server.run(["token", "--arm", "--profile", "emergency"], EMERGENCY)[1].strip()
    host, _, port = server.origin.rpartition(":")
    request = urllib.request.Request(f"{host}:{int(port) + 1}{path}", content.encode() or b"", method=method)
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/json")
    context = ssl.create_default_context(cafile=server.env["PERSON_CA"])
    with urllib.request.urlopen(request, context=context) as answer:
        assert answer.status in {200, 201}


def in_a_shell(server: DemoServer, body: str) -> str:
    """Typed as it stands, by the administrator of the page."""
    host, _, port = server.origin.rpartition(":")
    env = {"ARM": f"{host}:{int(port) + 1}", "CA": server.env["PERSON_CA"], "PIM_PROFILE": "emergency"}
    command = body.replace("$(pim ", f"$({sys.executable} -m openpim.cli ")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=server.folder,
        env=server.as_person(EMERGENCY) | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def walked(server: DemoServer, page: str) -> dict[str, int]:
    count: dict[str, int] = {}
    for block in BLOCK.finditer((ROOT / page).read_text(encoding="utf-8")):
        language, body = block["language"], block["body"]
        count[language] = count.get(language, 0) + 1
        if language == "text" and body.startswith("{"):
            (server.folder / "tree.jsonl").write_text(body, encoding="utf-8")
        elif language == "console":
            typed(server, body)
        elif language == "http":
            sent(server, body)
        elif language == "sh" and body.startswith("curl"):
            assert json.loads(in_a_shell(server, body) or "{}") == {}
        elif language == "text":
            for line in body.splitlines():
                if line.startswith("pim "):
                    typed(server, "$ " + line.replace("dana@example.com", DANA))
    assert server.errors() == ""
    return count


def test_resources(server):
    assert walked(server, "docs/how-to/manage-resources.md")["http"] == 3
    rows = json.loads(server.run(["list", "-o", "json"], MIRA)[1])
    assert any(row["role"].startswith("Owner") and row["state"] == "active" for row in rows)


def test_groups(server):
    assert walked(server, "docs/how-to/groups.md")["console"] == 4


def test_the_import_file_of_the_reference(server):
    """The example of the reference page is one, and what it says about --prune holds."""
    page = (ROOT / "docs/reference/resource-file.md").read_text(encoding="utf-8")
    example = next(block["body"] for block in BLOCK.finditer(page) if block["language"] == "text")
    (server.folder / "example.jsonl").write_text(example, encoding="utf-8")
    line = ["serve", "import-resources", "example.jsonl", "--tenant", "tidewater.example", "--dry-run"]
    code, printed = server.run(line)
    assert code == 0, printed
    assert "2 to create" in printed  # the demo has the rest
    code, printed = server.run([*line, "--prune"])
    assert code == 0, printed
    assert re.search(r"delete +subscription", printed)
    assert re.search(r"Would end with it: \d+ eligible assignments", printed)
    assert server.errors() == ""
