"""`pim audit verify` against a real OpenPIM: over HTTPS, saved, and checked again without the server."""

from __future__ import annotations

import subprocess
import sys

import pytest

from openpim.client import clock

pytestmark = pytest.mark.slow


def test_the_history_of_a_server_is_proved(desk, demo, tmp_path):
    mira = desk("mira")
    for _ in range(60):
        keys = mira("audit", "key", "-o", "json")
        if keys.code == 0 and keys.json:
            break
        clock.sleep(0.5)
    key = keys.json[0]["verifierKey"]
    assert key.startswith("openpim.audit/")
    refused = mira("audit", "verify")
    assert refused.code == 4, refused
    file = tmp_path / "history.jsonl.gz"
    for name in demo.accounts:
        somebody = desk(name)
        ran = somebody("audit", "verify", "--key", key, "--save", str(file))
        if ran.code == 0:
            break
    assert ran.code == 0, ran
    assert "The audit history is whole" in ran.out
    assert somebody("audit", "verify").code == 0
    again = somebody("audit", "verify", str(file), "--forget", "--key", key, "-o", "json")
    assert again.code == 0, again
    assert again.json["proved"] is True
    assert again.json["checkpoints"] >= 1
    words = ["serve", "verify-audit", "--data-dir", str(demo.folder / "data")]
    done = subprocess.run(
        [sys.executable, "-m", "openpim.cli", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ": whole, " in done.stdout
