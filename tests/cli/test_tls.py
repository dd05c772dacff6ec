"""HTTPS with an authority of one's own, as OpenPIM has it from its first start."""

from __future__ import annotations

import pytest

from tests.cli import authority
from tests.cli import fake as f


@pytest.fixture
def secure(tmp_path):
    file, context = authority.make(tmp_path)
    server = f.start(f.Fake(), context)
    yield server, file
    server.shutdown()
    server.server_close()


@pytest.fixture
def runner(secure, home, monkeypatch, capsys):
    from tests.cli.running import Pim

    made = Pim(monkeypatch, capsys, secure[0])
    monkeypatch.setenv("PIM_ACCESS_TOKEN", f.jwt({"oid": f.ANNA}))
    return made


def test_trusted_through_the_authority_of_the_profile(runner, secure):
    server, file = secure
    assert runner("profile", "add", "x", "--server", server.url, "--ca", str(file)).code == 0
    server.fake.make_eligible("Teams Administrator")
    ran = runner("activate", "teams")
    assert ran.code == 0, ran


def test_not_trusted_otherwise(runner, secure):
    server, _ = secure
    runner("profile", "add", "x", "--server", server.url)
    ran = runner("list")
    assert ran.code == 11
    assert "not trusted" in ran.err
    assert "pim login --ca FILE" in ran.err


def test_name_of_the_certificate_counts(runner, secure):
    server, file = secure
    runner("profile", "add", "x", "--server", server.url.replace("localhost", "127.0.0.1"), "--ca", str(file))
    assert runner("list").code == 0
    runner(
        "profile",
        "add",
        "x",
        "--server",
        server.url.replace("localhost", "ip6-localhost.localhost"),
        "--ca",
        str(file),
    )
    assert runner("list").code == 11


def test_authority_file_that_is_none(runner, secure, tmp_path):
    server, _ = secure
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    runner("profile", "add", "x", "--server", server.url, "--ca", str(broken))
    ran = runner("list")
    assert ran.code == 11
    assert "broken.pem" in ran.err
    assert runner("login", "--server", server.url, "--ca", str(tmp_path / "missing")).code == 2
