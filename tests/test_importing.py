"""`pim serve import-resources` as an operator runs it: the file, the answers, the exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openpim import app
from openpim.config import Config
from openpim.core.caller import system
from openpim.core.query import Query
from openpim.resource_file import read_resources
from openpim.services.directory.create_tenant import create_tenant
from tests.world import ok

SUB = "/subscriptions/20000000-0000-4000-8000-000000000001"
TREE = f"""# The tree
{{"id": "/providers/Microsoft.Management/managementGroups/IT", "displayName": "IT", "parentId": "/"}}
{{"id": "{SUB}", "displayName": "prod", "parentId": "IT"}}

{{"id": "{SUB}/resourceGroups/rg", "location": "norwayeast", "tags": {{"team": "fleet"}}}}
{{"id": "{SUB}/resourceGroups/rg/providers/Microsoft.Web/sites/api"}}
"""


class Operator:
    """Somebody at the server's terminal, in a folder with a config of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.config = folder / "openpim.toml"
        self.config.write_text('[server]\ndata_dir = "data"\n', encoding="utf-8")

    def organisation(self, domain: str = "example.test") -> None:
        database, deps = app.open_store(Config(data_dir=self.folder / "data"))
        ok(create_tenant(deps, system(""), "Example", domain))
        database.close()

    def events(self, activity: str) -> list:
        database, deps = app.open_store(Config(data_dir=self.folder / "data"))
        tenant = deps.store.read("", lambda tx: tx.tenants.all())[0]
        found = deps.store.read(tenant.id, lambda tx: tx.audit.page(Query(limit=100))).items
        database.close()
        return [event for event in found if event.activity == activity]

    def file(self, text: str | bytes, name: str = "tree.jsonl") -> str:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def __call__(self, *arguments: str) -> tuple[int, list[str], list[str]]:
        self.capsys.readouterr()
        try:
            code = app.serve(["import-resources", *arguments, "--config", str(self.config)])
        except SystemExit as left:
            code = int(left.code or 0)
        out, err = self.capsys.readouterr()
        return code, out.splitlines(), err.splitlines()


@pytest.fixture
def operator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(tmp_path, capsys)


def test_dry_run_run_and_run_again(operator):
    operator.organisation()
    file = operator.file(TREE)
    code, out, _ = operator(file, "--dry-run")
    assert code == 0
    assert [line.split()[0] for line in out[:4]] == ["create"] * 4
    assert out[1] == f"create  subscription      {SUB}"
    assert out[4:] == ["example.test: 4 to create", "Nothing was changed: this was a dry run."]
    assert operator(file)[1] == ["example.test: 4 created"]
    assert operator(file)[1] == ["example.test: 4 as they are"]
    event = operator.events("Import resources")[0]
    details = dict(event.details)
    assert details["File"] == file
    assert len(details["FileSha256"]) == 64
    assert details["OperatingSystemUser"]


def test_moves_renames_and_deletions_are_shown(operator):
    operator.organisation()
    operator(operator.file(TREE))
    changed = TREE.replace('"prod", "parentId": "IT"', '"production", "parentId": "/"').replace(
        "\n".join(TREE.splitlines()[4:]), ""
    )
    code, out, _ = operator(operator.file(changed), "--prune")
    assert code == 0
    assert [line.split()[0] for line in out] == ["move", "rename", "delete", "delete", "example.test:"]
    assert "(prod)" in out[0]
    assert out[1].endswith("-> production")
    assert out[-1] == "example.test: 1 moved, 1 renamed, 2 deleted, 1 as they are"


def test_every_line_that_is_wrong_is_named(operator):
    operator.organisation()
    wrong = [
        '{"id": "/subscriptions/1"}',
        '{"id": "/subscriptions/20000000-0000-4000-8000-000000000001", "parentId": "Nowhere"}',
        "{'id': 1}",
        "",
        '{"id": "/x", "colour": "red"}',
        '{"id": "/a", "id": "/b"}',
        '{"tags": {"a": "b"}}',
        f'{{"id": "{SUB}/resourceGroups/a", "tags": {{"a": 1}}}}',
        "[]",
        f'{{"id": "{SUB}/resourceGroups/a", "location": 7}}',
        '{"id": "/nothing/of/ours"}',
        "[" * 50_000,
    ]
    file = operator.file("\n".join(wrong).encode() + b'\n{"id": "\xff"}\n')
    code, out, err = operator(file)
    assert (code, out) == (2, [])
    assert [line.removeprefix(f"{file}:").partition(":")[0] for line in err[:-1]] == [
        str(number) for number in (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13)
    ]
    assert "GUID" in err[0]
    assert "column 2" in err[2]
    assert "colour" in err[3]
    assert "says id twice" in err[4]
    assert (
        err[-1]
        == "pim serve import-resources: 12 faults; nothing was changed. Lines that cannot be read count as not there."
    )
    assert operator.events("Import resources") == []


def test_what_an_operator_may_get_wrong(operator):
    file = operator.file(TREE)
    code, _, err = operator(file)
    assert code == 2
    assert "start the server once first" in err[0]
    assert not (operator.folder / "data").exists()  # a wrong folder is not filled
    operator.organisation()
    operator.organisation("second.test")
    code, _, err = operator(file)
    assert code == 2
    assert "example.test, second.test" in err[0]
    assert operator(file, "--tenant", "SECOND.test")[1] == ["second.test: 4 created"]
    assert operator(str(operator.folder / "missing"))[0] == 2
    assert operator(operator.file("# nothing\n"), "--tenant", "second.test", "--prune")[0] == 2
    assert operator(file, "--colour")[0] == 2


def test_the_forms_of_a_line():
    read = read_resources(
        [b"\xef\xbb\xbf# mark\r\n", b'{"id": "/subscriptions/x", "tags": null, "parentId": "it"}\r\n']
    )
    assert read.faults == []
    (line,) = read.lines
    assert (line.number, line.wanted.tags) == (2, None)
    assert line.wanted.parent_id == "/providers/microsoft.management/managementgroups/it"


def test_a_big_file_is_read_in_one_go(operator):
    """A tree of 250 subscriptions and 10,000 resources; the real size is in the notes of the page about it."""
    operator.organisation()
    lines = []
    for number in range(250):
        sub = f"/subscriptions/20000000-0000-4000-8000-{number:012}"
        lines.append({"id": sub, "displayName": f"sub {number}"})
        lines.append({"id": f"{sub}/resourceGroups/rg", "location": "north"})
        base = f"{sub}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines"
        lines += [{"id": f"{base}/vm{one}"} for one in range(40)]
    file = operator.file("\n".join(map(json.dumps, lines)))
    assert operator(file)[1] == ["example.test: 10500 created"]
    assert operator(file, "--dry-run")[1][0] == "example.test: 10500 as they are"
