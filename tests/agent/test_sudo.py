"""The real sudo and real processes, in a mount namespace of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.agent.host import CI, need_visudo


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_sudo_and_groups_and_what_was_started_with_them():
    need_visudo()
    problem = ""
    if os.geteuid() != 0:
        problem = "only root can have a mount namespace here"
    elif shutil.which("unshare") is None or shutil.which("setpriv") is None:
        problem = "no unshare or setpriv on this machine (Debian: util-linux)"
    elif subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        problem = "this machine allows no mount namespaces"
    if problem:
        (pytest.fail if CI else pytest.skip)(problem)
    ran = subprocess.run(
        ["unshare", "-m", "--propagation", "private", sys.executable, "-m", "tests.agent.in_namespace"],
        capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    seconds = seen.pop("seconds to end")
    assert seen.pop("another command").startswith("no")
    assert "pimgroup" in seen.pop("groups").split()
    assert "pimgroup" not in seen.pop("groups after").split()
    assert seen == {
        "before": False,
        "granted": 2,
        "after": True,
        "root job": "0",
        "ended": [0, 0, 0],
        "still": [False, False],
        "after the end": False,
        "ordinary process": True,
        "short": True,
        "by sudo alone": False,
    }
    assert seconds < 15
