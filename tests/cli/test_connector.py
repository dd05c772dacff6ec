"""`pim connector` against a real OpenPIM: a target of hosts, which needs nothing to be reached."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow


def test_a_target_is_added_mapped_shown_and_removed(demo, desk, tmp_path):
    dana = desk("dana")
    assert dana("activate", "privileged role administrator", "-j", "x", "-t", "A:1").code == 0
    command = tmp_path / "command"
    command.write_text("/usr/bin/id\n/bin/true\n")
    add = ("connector", "add", "Hosts", "--kind", "ssh", "--manage", "role:admin")
    refused = dana(*add, "--set", "force_command=@/nowhere")
    assert refused.code == 2
    assert "/nowhere cannot be read" in refused.err
    assert dana(*add).code == 0
    again = dana(*add)
    assert again.code == 2
    assert "Another target has this name." in again.err
    assert "role assignment" not in again.err
    assert dana("connector", "map", "hosts", "search administrator", "role:admin").code == 0
    shown = dana("connector", "show", "hosts").out
    assert "Search Administrator" in shown
    (mapping,) = dana("connector", "show", "hosts", "-o", "json").json["mappings"]
    assert mapping["roleDisplayName"] == "Search Administrator"
    wrong = dana("connector", "set", "hosts", "--set", f"force_command=@{command}")
    assert wrong.err.startswith("pim: force_command: write one line")
    assert dana("connector", "set", "hosts", "--set", "force_command=@@nightly --all").code == 0
    settings = dana("connector", "show", "hosts", "-o", "json").json["settings"]
    assert settings["force_command"] == "@nightly --all"
    assert dana("connector", "unmap", "hosts", "role:admin").code == 0
    assert dana("connector", "remove", "hosts").code == 0
    missing = dana("connector", "show", "hosts")
    assert missing.code == 6
    assert "there is no target 'hosts'" in missing.err
