from __future__ import annotations

import stat
import tomllib

import pytest

from openpim.demo import start_demo
from openpim.demo.start import FILE
from tests.demo.test_organisation import Demo

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def test_the_accounts_are_written_once_for_this_user_alone(database_url, tmp_path):
    demo = Demo(database_url)
    folder = tmp_path / "data"
    lines = start_demo(demo.deps, demo.signin, folder)
    file = folder / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    assert len(content["account"]) == 8
    assert content["client"]["client_secret"]
    first = content["account"][0]
    assert any(first["user"] in line and first["password"] in line for line in lines)
    assert any(str(file) in line for line in lines)
    before = file.read_bytes()
    again = start_demo(demo.deps, demo.signin, folder)
    assert file.read_bytes() == before
    assert not any(first["password"] in line for line in again)
    assert any(str(file) in line for line in again)
    file.unlink()
    assert not any(FILE in line for line in start_demo(demo.deps, demo.signin, folder))
    demo.database.close()


def test_a_file_that_cannot_be_written_loses_no_password(database_url, tmp_path):
    demo = Demo(database_url)
    (tmp_path / "data").write_text("a file where a folder should be")
    lines = start_demo(demo.deps, demo.signin, tmp_path / "data")
    assert sum("password" in line for line in lines) == 8
    demo.database.close()
