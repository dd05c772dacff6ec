"""The Python examples of the documentation run as they stand, in a process of their own."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.docs.demo_server import ROOT, DemoServer

PAGE = "docs/how-to/use-microsoft-clients.md"


def blocks(page: str) -> list[str]:
    return re.findall(
        r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    server = DemoServer(tmp_path_factory.mktemp("documented"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


def run(demo: DemoServer, code: str) -> str:
    client = demo.accounts["client"]
    authority = demo.env["PERSON_CA"]
    env = {
        **demo.env,
        "OPENPIM": demo.origin,
        "TENANT": demo.accounts["domain"],
        "CLIENT_ID": client["client_id"],
        "CLIENT_SECRET": client["client_secret"],
        "SSL_CERT_FILE": authority,
        "REQUESTS_CA_BUNDLE": authority,
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("number", range(1, len(blocks(PAGE))))
def test_examples_of_the_how_to(demo, number):
    values, *examples = blocks(PAGE)
    printed = run(demo, values + examples[number - 1])
    assert len(printed.splitlines()) in {1, 3}


def test_example_of_the_readme(demo):
    (code,) = blocks("README.md")
    client = demo.accounts["client"]
    code = code.replace('client_id="…"', f'client_id="{client["client_id"]}"')
    code = code.replace('client_secret="…"', f'client_secret="{client["client_secret"]}"')
    code = code.replace("https://localhost:8443", demo.origin)
    assert "…" not in code
    assert len(run(demo, code + "print(token.token)\n").split(".")) == 3
