"""What people install: the wheel holds all code and data, and the client alone needs nothing else."""

from __future__ import annotations

import email
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import openpim

ROOT = Path(__file__).parent.parent
LOCKS = sorted(path.name for path in (ROOT / "requirements").glob("*.txt"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as opened:
        yield opened


def test_the_wheel_holds_every_file_of_the_package(wheel):
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "src/openpim"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    expected = {name.removeprefix("src/") for name in tracked.split("\0") if name and (ROOT / name).exists()}
    assert expected <= set(wheel.namelist())


def test_the_client_installs_nothing_else(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = email.message_from_bytes(wheel.read(name))
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert needed == []
    assert metadata["License-Expression"] == "Apache-2.0"


def test_the_version_is_said_once():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == openpim.__version__


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_and_hashes_everything_and_names_no_index(name):
    content = (ROOT / "requirements" / name).read_text()
    assert "://" not in content
    requirements = [line for line in content.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    assert requirements
    for line in requirements:
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+ (; .+ )?\\$", line), line
    blocks = re.split(r"\n(?=[A-Za-z0-9])", content)
    assert all("--hash=sha256:" in block for block in blocks)


def test_the_development_lock_agrees_with_the_server_lock():
    def pins(name: str) -> dict[str, str]:
        content = (ROOT / "requirements" / name).read_text()
        return dict(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", content, re.MULTILINE))

    server, dev, conformance = pins("server.txt"), pins("dev.txt"), pins("conformance.txt")
    assert server.items() <= dev.items()
    assert dev.items() <= conformance.items()
