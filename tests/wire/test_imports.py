"""The room's promise: it imports nothing of ours and nothing but the standard library."""

from __future__ import annotations

import subprocess
import sys

import pytest

LIGHT = ["durations", "instants", "ids", "enums", "claims", "paths", "graph_errors"]
PROBE = """
import sys
before = set(sys.modules)
{imports}
new = set(sys.modules) - before
ours = sorted(m for m in new if m.startswith("openpim.") and not m.startswith("openpim.wire"))
foreign = sorted(m for m in new if m.split(".")[0] not in sys.stdlib_module_names and m.split(".")[0] != "openpim")
heavy = sorted(new & {{"dataclasses", "inspect", "uuid", "email", "http.client"}})
print(ours, foreign, heavy)
"""


def probe(imports: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", PROBE.format(imports=imports)], capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


@pytest.mark.parametrize("module", [*LIGHT, "odata", "jsonbody"])
def test_imports_only_the_standard_library(module: str) -> None:
    assert probe(f"import openpim.wire.{module}").startswith("[] [] ")


def test_what_the_command_imports_is_light() -> None:
    assert probe("; ".join(f"import openpim.wire.{module}" for module in LIGHT)) == "[] [] []"
