"""`pim audit export` and `pim audit streams` against a real OpenPIM with its demo organisation."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from openpim.cli import audit_export, audit_streams
from openpim.cli.commands import audit as command
from openpim.client.errors import PimError
from openpim.client.graph import Graph

pytestmark = pytest.mark.slow


@pytest.fixture
def reader(desk: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ines reads everything, and gets it in small portions."""
    monkeypatch.setattr(audit_export, "PORTION", 7)
    return desk("ines")


def ids(path: Path) -> list[str]:
    return [json.loads(line)["leaf"]["id"] for line in path.read_text("utf-8").splitlines()]


def test_three_forms_of_the_same_history(reader: Any, tmp_path: Path) -> None:
    for form in ("jsonl", "csv", "parquet"):
        ran = reader("audit", "export", str(tmp_path / f"h.{form}"))
        assert ran.code == 0, ran
    known = ids(tmp_path / "h.jsonl")
    assert len(known) > 20
    with (tmp_path / "h.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows][: len(known)] == known
    table = pyarrow.parquet.read_table(tmp_path / "h.parquet")
    assert table.column("id").to_pylist()[: len(known)] == known
    assert table.column("position").to_pylist()[:5] == [0, 1, 2, 3, 4]
    assert str(table.schema.field("time").type) == "timestamp[us, tz=UTC]"
    assert table.column_names == list(rows[0])
    assert sorted(path.name for path in tmp_path.glob("h.*")) == ["h.csv", "h.jsonl", "h.parquet"]


def test_who_is_interrupted_goes_on(reader: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, torn = tmp_path / "whole.csv", tmp_path / "torn.csv"
    asked: list[str] = []
    real = Graph.download

    def breaking(self: Graph, path: str, *, beta: bool = False) -> Any:
        asked.append(path)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return real(self, path, beta=beta)

    monkeypatch.setattr(Graph, "download", breaking)
    assert reader("audit", "export", str(torn)).code == 130
    monkeypatch.setattr(Graph, "download", real)
    part = tmp_path / "torn.csv.part"
    before = part.stat().st_size
    with part.open("ab") as file:
        file.write(b"half a li")
    ran = reader("audit", "export", str(torn))
    assert ran.code == 0, ran
    assert "going on after 14 events" in ran.err
    assert torn.stat().st_size > before
    assert reader("audit", "export", str(whole)).code == 0
    assert whole.read_bytes().startswith(torn.read_bytes())
    assert not part.exists()


def test_a_file_that_is_there_is_kept(reader: Any, tmp_path: Path) -> None:
    file = tmp_path / "h.csv"
    file.write_text("mine")
    assert reader("audit", "export", str(file)).code == 2
    assert file.read_text() == "mine"
    assert reader("audit", "export", str(file), "--force").code == 0


def test_filters(reader: Any, tmp_path: Path) -> None:
    file = tmp_path / "h.jsonl"
    assert (
        reader("audit", "export", str(file), "--filter", "category eq 'Policy'", "--since", "900d").code == 0
    )
    lines = [json.loads(line)["leaf"]["category"] for line in file.read_text().splitlines()]
    assert set(lines) <= {"Policy"}
    assert reader("audit", "export", str(tmp_path / "x.jsonl"), "--filter", "nonsense").code == 2
    assert reader("audit", "export", str(tmp_path / "y.jsonl"), "--since", "nonsense").code == 2
    assert reader("audit", "export").code == 2


def test_without_pyarrow_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(PimError) as caught:
        audit_export._pyarrow()
    assert "openpim[parquet]" in str(caught.value.hint)


class Stub:
    """A Graph that keeps audit streams, and a printer that keeps what was said."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.said: list[Any] = []
        self.graph = self.printer = self
        self.for_people = True

    def rows(self, *given: Any, **more: Any) -> list[dict[str, Any]]:
        if given[0] == audit_streams.PATH:
            return list(self.kept.values())
        self.said.append(given[0])
        return []

    def line(self, text: str) -> None:
        self.said.append(text)

    def request(self, method: str, path: str, body: Any = None, *, beta: bool = False) -> Any:
        assert beta
        key = path.removeprefix(audit_streams.PATH).strip("/")
        if method == "DELETE":
            return self.kept.pop(key)
        if method == "POST":
            key = "1"
        self.kept[key] = {"id": key, **self.kept.get(key, {}), **body}
        return self.kept[key]


def streams(stub: Stub, *words: str) -> int:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return audit_streams.run(parser.parse_args(["streams", *words]), stub)  # type: ignore[arg-type]


def test_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Stub()
    secret = tmp_path / "secret"
    secret.write_text("Bearer sesame\n")
    more = ("--kind", "otlp", "--address", "https://siem.example.com/v1/logs", "--secret-file", str(secret))
    assert streams(stub, "add", "siem", *more, "--from-beginning", "--no-gzip") == 0
    assert stub.kept["1"] == {
        "id": "1",
        "displayName": "siem",
        "kind": "otlp",
        "startFrom": "beginning",
        "address": "https://siem.example.com/v1/logs",
        "secret": "Bearer sesame",
        "isCompressed": False,
    }
    assert streams(stub, "pause", "SIEM") == 0
    assert stub.kept["1"]["isPaused"] is True
    assert streams(stub, "resume", "1") == 0
    assert stub.kept["1"]["isPaused"] is False
    monkeypatch.setattr(sys, "stdin", io.StringIO("Bearer two\n"))
    assert streams(stub, "change", "siem", "--address", "https://new.example.com", "--secret-file", "-") == 0
    assert (stub.kept["1"]["secret"], stub.kept["1"]["address"]) == ("Bearer two", "https://new.example.com")
    stub.kept["1"]["status"] = {
        "failures": 3,
        "eventsBehind": 5,
        "secondsBehind": 60,
        "lastError": "It is down.",
    }
    assert streams(stub) == 0
    [row] = stub.said[-1]
    assert (row["state"], row["behind"], row["error"]) == ("failing", "5 events, 60 s", "It is down.")
    assert streams(stub, "retry", "siem") == 0
    assert streams(stub, "remove", "siem") == 0
    assert stub.kept == {}
    assert stub.said[-1] == "siem: removed."


@pytest.mark.parametrize(
    "words",
    [("turn", "x"), ("pause",), ("pause", "unknown"), ("add", "x"), ("add", "x", "--kind", "ocsf"),
     ("add", "x", "--kind", "ocsf", "--address", "https://x", "--secret-file", "/not/there")],
)  # fmt: skip
def test_what_is_missing_is_said(words: tuple[str, ...]) -> None:
    with pytest.raises(PimError) as caught:
        streams(Stub(), *words)
    assert caught.value.hint
