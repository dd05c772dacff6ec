"""Profiles and the files they are in."""

from __future__ import annotations

import os

import pytest

from openpim.client.errors import PimError
from openpim.client.files import Lock, config_home, write_private
from openpim.client.http11 import split_url
from openpim.client.profiles import load_config, write_profile
from openpim.client.transport import form, quote, unquote


def test_server_writes_a_profile_for_the_newcomer(tmp_path):
    home = str(tmp_path / "h")
    path = write_profile(
        "openpim",
        server="https://localhost:8443/",
        tenant="t",
        ca_file="ca.pem",
        username="anna@x",
        home=home,
    )
    assert os.stat(path).st_mode & 0o077 == 0
    profile = load_config(home).choose()
    assert (profile.authority, profile.graph, profile.tenant, profile.username) == (
        "https://localhost:8443",
        "https://localhost:8443",
        "t",
        "anna@x",
    )
    assert os.path.isabs(profile.ca_file)
    assert profile.scope == "https://localhost:8443/.default openid profile offline_access"
    write_profile("other", server="https://pim.example.org", home=home, make_current=False)
    assert load_config(home).choose().name == "openpim"


def test_which_profile(tmp_path, monkeypatch):
    home = str(tmp_path)
    monkeypatch.delenv("PIM_PROFILE", raising=False)
    with pytest.raises(PimError, match="no server"):
        load_config(home).choose()
    write_profile("a", server="https://a", home=home)
    write_profile("b", server="https://b", home=home)
    assert load_config(home).choose().name == "b"
    monkeypatch.setenv("PIM_PROFILE", "a")
    assert load_config(home).choose().name == "a"
    with pytest.raises(PimError, match="no profile"):
        load_config(home).choose("c")


def test_where_the_files_are():
    assert config_home({"PIM_CONFIG_HOME": "/x"}) == "/x"
    assert config_home({"XDG_CONFIG_HOME": "/y"}) == "/y/openpim"
    assert config_home({}).endswith("/.config/openpim")


def test_lock_lets_one_in_at_a_time(tmp_path):
    import threading

    order: list[str] = []
    path = str(tmp_path / "l")

    def second() -> None:
        with Lock(path):
            order.append("second")

    with Lock(path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.05)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_file_is_old_or_new_never_half(tmp_path):
    path = str(tmp_path / "f")
    write_private(path, b"one")
    write_private(path, b"two")
    assert os.listdir(tmp_path) == ["f"]
    with pytest.raises(PimError):
        write_private(str(tmp_path / "f" / "g"), b"x")


@pytest.mark.parametrize(
    "url", ["localhost", "ftp://a", "https://", "https://u@h", "https://h:x", "https://a b"]
)
def test_addresses_that_are_none(url):
    with pytest.raises(PimError):
        split_url(url)


def test_addresses():
    assert split_url("https://H:8443/a?b=c") == ("https", "h", 8443, "/a?b=c")
    assert split_url("http://[::1]") == ("http", "::1", 80, "/")
    assert split_url("https://[::1]:1/") == ("https", "::1", 1, "/")


def test_percent_encoding():
    from urllib.parse import parse_qs
    from urllib.parse import unquote as real

    text = "a b&c=d'ü/%+\x00"
    assert real(quote(text)) == text
    assert unquote(quote(text)) == text
    assert unquote("%zz%4") == "%zz%4"
    assert parse_qs(form({"x": text, "y": ""})) == {"x": [text]}


def test_server_gets_an_os_error_where_it_cannot_write(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        write_profile("x", server="https://a", home=str(tmp_path / "file"))
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(OSError, match="not the configuration"):
        write_profile("x", server="https://a", home=str(tmp_path))
