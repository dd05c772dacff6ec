"""Fixtures for the tests of `pim`: a fake server, a configuration folder, and a way to run commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpim.client import clock
from openpim.client.profiles import write_profile
from tests.cli import fake as fake_module
from tests.cli.organisation import Demo, Desk
from tests.cli.running import Pim


@pytest.fixture
def fake() -> fake_module.Fake:
    return fake_module.Fake()


@pytest.fixture
def server(fake):
    running = fake_module.start(fake)
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    for name in (
        "PIM_PROFILE",
        "PIM_ACCESS_TOKEN",
        "PIM_CLIENT_ID",
        "PIM_CLIENT_SECRET",
        "NO_COLOR",
        "HTTPS_PROXY",
        "https_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIM_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def pim(server, home, monkeypatch, capsys) -> Pim:
    """A `pim` that knows the fake server; not signed in."""
    write_profile("test", server=server.url, arm="none", tenant="common")
    runner = Pim(monkeypatch, capsys, server)
    monkeypatch.setattr("openpim.cli.context.Terminal.browse", lambda _, url: runner.browse(url))
    return runner


@pytest.fixture
def quick(monkeypatch):
    """Waiting takes no time, but passes it."""
    passed = [0.0]
    real = clock.monotonic

    def sleep(seconds: float) -> None:
        passed[0] += max(0.0, seconds)

    monkeypatch.setattr(clock, "sleep", sleep)
    monkeypatch.setattr(clock, "monotonic", lambda: real() + passed[0])
    return passed


@pytest.fixture
def signed_in(pim, quick) -> Pim:
    """The same, signed in as Anna."""
    ran = pim("login")
    assert ran.code == 0, ran
    pim.fake.seen.clear()
    return pim


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    made = Demo(tmp_path_factory.mktemp("demo"))
    yield made
    made.process.terminate()
    made.process.wait(20)
    assert made.process.stdout is not None
    made.process.stdout.close()


@pytest.fixture
def desk(demo, monkeypatch, capsys, tmp_path):
    for name in ("PIM_PROFILE", "PIM_ACCESS_TOKEN", "PIM_CLIENT_ID", "PIM_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)

    def sit(name: str) -> Desk:
        made = Desk(demo, name, monkeypatch, capsys, tmp_path)
        made.sign_in()
        return made

    return sit
