"""`pim audit verify` on files, on a machine that has nothing but the client."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from openpim.cli import __main__ as cli
from openpim.services import audit_proof, recording
from openpim.store.migrate import upgrade
from tests.world import World

SOMEBODY_ELSE = "openpim.audit/x+{}+{}"


class Ran:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def world(tmp_path: Path) -> Any:
    url = f"sqlite:///{tmp_path}/some.db"
    upgrade(url)
    made = World(url)
    grow(made)
    yield made
    made.close()


@pytest.fixture
def pim(home: Path, capsys: Any) -> Any:
    def run(*argv: str) -> Ran:
        capsys.readouterr()
        code = cli.main(["audit", *argv])
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return run


def grow(world: World, count: int = 300) -> None:
    for number in range(count):
        world.write(
            lambda tx, number=number: recording.record(
                tx, world.deps, world.system, world.now, activity=f"Event {number}", category="Policy"
            )
        )
    world.forward(minutes=10)
    assert world.sign() is not None


def export(world: World, path: Path) -> Path:
    lines: list[bytes] = []
    at: str | None = ""
    while at is not None:
        portion = world.read(lambda tx, at=at: audit_proof.portion(tx, at, world.now))
        lines += portion.lines
        at = portion.next
    data = b"\n".join(lines) + b"\n"
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_a_whole_history_is_proved_and_remembered(world: World, pim: Any, tmp_path: Path, home: Path) -> None:
    file = export(world, tmp_path / "first.jsonl")
    ran = pim("verify", str(file))
    assert ran.code == 0, ran.err
    assert "The audit history is whole" in ran.out
    assert "nobody vouched for the key" in ran.err
    grow(world)
    ran = pim("verify", str(export(world, tmp_path / "second.jsonl.gz")))
    assert (ran.code, ran.err) == (0, "")
    # The first file is now a log that was set back.
    ran = pim("verify", str(file))
    assert ran.code == 12
    assert "it was set back" in ran.out
    assert pim("verify", str(file), "--forget").code == 0
    (kept,) = (home / "audit").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_what_was_changed_is_named(world: World, pim: Any, tmp_path: Path) -> None:
    file = export(world, tmp_path / "some.jsonl")
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b'"Event 42"', b'"Event 43"'))
    ran = pim("verify", str(file))
    assert ran.code == 12
    assert "was changed" in ran.out
    assert "NOT what was signed" in ran.out
    ran = pim("verify", str(file), "-o", "json")
    told = json.loads(ran.out)
    assert told["proved"] is False
    assert [one["kind"] for one in told["findings"]] == ["changed"]
    # Nothing of it is remembered.
    file.write_bytes(whole)
    assert pim("verify", str(file)).code == 0


def test_the_key_is_the_one_that_somebody_vouched_for(world: World, pim: Any, tmp_path: Path) -> None:
    file = export(world, tmp_path / "some.jsonl")
    key = world.read(lambda tx: tx.checkpoints.log_keys())[0].key
    ran = pim("verify", str(file), "--key", key)
    assert (ran.code, ran.err) == (0, "")
    assert pim("verify", str(file)).err == ""
    other = World(world.database)
    grow(other, 3)
    wrong = other.read(lambda tx: tx.checkpoints.log_keys())[0].key
    ran = pim("verify", str(file), "--key", wrong)
    assert ran.code == 12
    assert "KEY:" in ran.out


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, 2), (b"", 2), (b"nonsense", 2), (b"{}\n", 2), (b"[1]\n" * 3, 2), (b"\xff\xfe\n", 2)],
)
def test_other_files_are_refused(pim: Any, tmp_path: Path, content: bytes | None, code: int) -> None:
    file = tmp_path / "some.jsonl"
    if content is not None:
        file.write_bytes(content)
    ran = pim("verify", str(file))
    assert ran.code == code
    assert ran.err.startswith("pim: ")
    packed = tmp_path / "some.jsonl.gz"
    packed.write_bytes(content or b"")
    assert pim("verify", str(packed)).code == code


@pytest.mark.parametrize(
    "more", [["--key", "nonsense"], ["--accept", "x"], ["--save", "x"], ["--slack", "soon"]]
)
def test_mistakes_are_told(world: World, pim: Any, tmp_path: Path, more: list[str]) -> None:
    ran = pim("verify", str(export(world, tmp_path / "some.jsonl")), *more)
    assert ran.code in {2, 12}
    assert ran.code == 2 or "KEY:" in ran.out


def test_it_needs_the_standard_library_alone(world: World, tmp_path: Path, home: Path) -> None:
    file = export(world, tmp_path / "some.jsonl")
    code = (
        "import sys; from openpim.cli.__main__ import main; code = main(['audit', 'verify', sys.argv[1]]);"
        "foreign = {name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)"
        " - {'openpim', '__main__'};"
        "assert not {one for one in foreign if not one.startswith('_')}, foreign; sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, 'src'); {code}", str(file)], check=False
    )
    assert done.returncode == 0
