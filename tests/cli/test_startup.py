"""`pim` starts fast because it imports little: this holds what it may import on its hot paths."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from openpim.client.profiles import load_config
from openpim.client.tokens import TokenCache, Tokens
from tests.cli import fake as f

# Each costs milliseconds at every start, and none is needed for an ordinary list or activation.
HEAVY = {
    "argparse", "asyncio", "calendar", "dataclasses", "datetime", "difflib", "email", "encodings.idna", "gettext", "hashlib",
    "http.client", "http.server", "inspect", "locale", "logging", "msgspec", "openpim.client.loopback", "openpim.client.oauth",
    "pathlib", "random", "rich", "keyring", "shutil", "sqlalchemy", "starlette", "tempfile", "typing", "urllib.parse", "uuid",
    "webbrowser", "openpim.wire.durations", "openpim.wire.instants",
}  # fmt: skip
PROBE = """
import sys
before = set(sys.modules)
from openpim.cli.__main__ import main
code = main(sys.argv[1:])
sys.stderr.write("\\n".join(sorted(set(sys.modules) - before)))
sys.exit(code)
"""


@pytest.fixture
def ready(pim, home):
    """Signed in without the sign-in."""
    profile = load_config().choose()
    binding = f"{profile.authority} {profile.graph} {profile.client_id}"
    TokenCache(str(home), profile.name, binding).save(
        Tokens(f.jwt({"oid": f.ANNA}), 4e9, "r", {"oid": f.ANNA})
    )
    pim.fake.make_eligible("Teams Administrator")
    return pim


@pytest.mark.parametrize("line", ["list", "list -o json", "activate teams", "status", "--help"])
def test_hot_paths_import_little(ready, home, line):
    env = {**os.environ, "PIM_CONFIG_HOME": str(home)}
    command = [sys.executable, "-c", PROBE, *line.split()]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    imported = set(ran.stderr.split())
    assert not imported & HEAVY
    own = {name for name in imported if name.startswith("openpim")}
    assert len(own) <= 36, sorted(own)


def test_client_and_cli_need_nothing_but_the_standard_library():
    """`pip install openpim` is the client."""
    code = (
        "import sys, importlib, pkgutil, openpim.client, openpim.cli\n"
        "for room in (openpim.client, openpim.cli):\n"
        "    for info in pkgutil.walk_packages(room.__path__, room.__name__ + '.'):\n"
        "        if not info.name.endswith('__main__'): importlib.import_module(info.name)\n"
        "foreign = {name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names) - {'openpim', '__main__'}\n"
        "print(*sorted(name for name in foreign if not name.startswith('_')))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(ran.stdout.split()) <= {"sitecustomize", "usercustomize", "cython_runtime"}, ran.stdout
