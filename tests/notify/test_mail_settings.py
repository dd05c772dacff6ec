"""[mail] in the settings file: what belongs together, and the password that stays out of sight."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpim.config import Config, ConfigError, load, read

GOOD = {"host": "smtp.example.com", "from": "pim@example.com"}


def test_without_a_host_there_is_no_mail() -> None:
    assert Config().settings.mail_host == ""


def test_the_password_is_read_from_its_file_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("correct horse\n", encoding="utf-8")
    file = tmp_path / "openpim.toml"
    file.write_text(
        '[mail]\nhost = "smtp.example.com"\nfrom = "pim@example.com"\nuser = "pim"\npassword_file = "secret"\n',
        encoding="utf-8",
    )
    config = load(file)
    assert config.mail_password == "correct horse"
    assert "correct horse" not in repr(config)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"from": ""}, "mail.from"),
        ({"from": "no address"}, "mail.from"),
        ({"from": "a@b.example\r\nBcc: evil@example.com"}, "mail.from"),
        ({"host": "smtp example"}, "mail.host"),
        ({"tls": "maybe"}, "mail.tls"),
        ({"tls": "none", "user": "pim"}, "mail.tls"),
        ({"port": 0}, "mail.port"),
        ({"password": "x", "password_file": "y"}, "mail.password"),
        ({"password": 5}, "mail.password"),
    ],
)
def test_what_cannot_be_is_said(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        read({"mail": GOOD | changes}, Config())


def test_a_password_file_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "openpim.toml"
    file.write_text(
        '[mail]\nhost = "smtp.example.com"\nfrom = "pim@example.com"\npassword_file = "gone"\n',
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=r"mail\.password_file"):
        load(file)


def test_a_relay_on_this_machine_needs_neither_encryption_nor_user() -> None:
    config = read({"mail": GOOD | {"host": "localhost", "tls": "none", "port": 25}}, Config())
    assert (config.settings.mail_host, config.mail_tls) == ("localhost", "none")
