"""The connector of the guide is a whole one: it passes what every connector must, and is found as an entry point."""

from __future__ import annotations

import re
import sys
import tomllib
import types
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from openpim import connectors
from openpim.core.connecting import Edge
from openpim.ports.connector import Connector
from tests.connectors.contract import ConnectorContract
from tests.connectors.opening import opening

PAGE = Path(__file__).parents[2] / "docs/how-to/write-a-connector.md"
MODULE = "group_file_of_the_guide"


@pytest.fixture(scope="module")
def guide() -> Iterator[Any]:
    found = re.search(r"<!-- connector -->\n```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    module = types.ModuleType(MODULE)
    sys.modules[MODULE] = module
    exec(compile(found[1], str(PAGE), "exec"), module.__dict__)
    yield module
    del sys.modules[MODULE]


class FileRig:
    managed = ("payroll", "wages")
    unmanaged = "admins"
    people = ("ann", "bob")
    ours_alone = False

    def __init__(self, module: Any, folder: Path) -> None:
        self.kind = module.KIND
        self.file = folder / "groups"
        self.file.write_text("payroll:\nwages:\nadmins:\n", encoding="utf-8")
        self.settings = {"file": str(self.file)}

    def open(self) -> Connector:
        return self.kind.open(opening(self.kind, self.managed, self.settings))

    def edge(self, person: str, entitlement: str, until: datetime | None) -> Edge:
        del until  # a file knows none
        return Edge(person, entitlement)

    def give(self, person: str, entitlement: str) -> None:
        text = self.file.read_text(encoding="utf-8")
        self.file.write_text(text.replace(f"{entitlement}:", f"{entitlement}: {person}"), encoding="utf-8")

    def has(self, person: str, entitlement: str) -> bool:
        lines = self.file.read_text(encoding="utf-8").splitlines()
        return any(
            line.startswith(f"{entitlement}:") and person in line.partition(":")[2].split() for line in lines
        )

    def down(self) -> None:
        self.file.rename(self.file.with_suffix(".away"))

    def up(self) -> None:
        self.file.with_suffix(".away").rename(self.file)


class TestContract(ConnectorContract):
    @pytest.fixture
    def rig(self, guide: Any, tmp_path: Path) -> FileRig:
        return FileRig(guide, tmp_path)


def test_the_entry_point_of_the_guide() -> None:
    found = re.search(r"```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    (name, where) = next(iter(tomllib.loads(found[1])["project"]["entry-points"][connectors.GROUP].items()))
    assert (name, EntryPoint(name, where, connectors.GROUP).attr) == ("group-file", "KIND")


def test_a_package_of_ones_own_is_found(guide: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("group-file", f"{MODULE}:KIND", connectors.GROUP)
    hijack = EntryPoint("postgresql", f"{MODULE}:KIND", connectors.GROUP)
    monkeypatch.setattr(
        connectors, "entry_points", lambda group: [point, hijack] if group == connectors.GROUP else []
    )
    assert "group-file" in connectors.KINDS.names()
    assert connectors.KINDS.load("group-file") is guide.KIND
    assert connectors.KINDS.load("postgresql") is not guide.KIND, "a name of ours stays ours"
    assert connectors.KINDS.load("nothing") is None
