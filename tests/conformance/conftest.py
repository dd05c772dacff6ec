"""Other people's clients, unmodified, against a real server over HTTPS.

Nothing in the server knows of these tests, and nothing in the clients is replaced: they trust the server's authority
through the usual variables (REQUESTS_CA_BUNDLE, SSL_CERT_FILE), and where they open a browser, the browser that the
standard library's `webbrowser` finds is a robot which fills in the server's own pages.

Three surroundings, all made by `make conformance`, all with this one conftest:
- .venv-conformance: pytest, OpenPIM and the Python clients. The server under test is a process of its own (`server`,
  tests/live/server.py), so clients and server share nothing but the wire.
- The same once more for azure_mgmt_authorization/ alone, with PYTHONPATH=.venv-conformance/next: there lies the other
  current major of azure-mgmt-authorization (4.0.0 is the one beside OpenPIM, 5.0.0b2 is what Azure CLI itself pins),
  and what stands on PYTHONPATH is found first. So a test in that folder runs under both majors as it is; what differs
  between them it asks of `SDK_MAJOR` ("4", "5"); test_major.py holds that the right one is seen.
- .venv-azure-cli: `az` and what it pins, and nothing of ours; azure_cli/ starts it as a process (AZ=... says it lies elsewhere).
Where the files run side by side (-n), each worker has servers of its own, and a file stays on one worker.
"""

from __future__ import annotations

import gc
import threading
import warnings
import webbrowser
from contextlib import ExitStack

import pytest

from tests.live.robot import Robot
from tests.live.server import live_server

# Warnings of the clients themselves: theirs to fix, and no fault of ours.
THEIRS = (
    "ignore:GetQueryParameters is deprecated:DeprecationWarning",
    "ignore::DeprecationWarning:(msgraph|msal|kiota|azure)",
    "ignore:response_mode=:UserWarning",
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


def pytest_configure(config):
    for each in THEIRS:
        config.addinivalue_line("filterwarnings", each)


def pytest_collection_modifyitems(items):
    for item in items:
        if "conformance" in item.path.parts:
            item.add_marker(pytest.mark.conformance)


def pytest_sessionfinish():
    """pytest looks once more for sockets left open when THEIRS are no longer in force: none may be left by then."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """On SQLite, with the demo organisation; activations may be ended at once."""
    with live_server(tmp_path_factory.mktemp("server"), activation={"minimum_minutes": 0}) as running:
        yield running


@pytest.fixture(scope="session")
def postgres_live(tmp_path_factory, postgres_server, worker_id):
    """The same on PostgreSQL."""
    postgres_server.create(f"conformance_{worker_id}")
    url = postgres_server.url(f"conformance_{worker_id}")
    with live_server(tmp_path_factory.mktemp("postgres"), url, activation={"minimum_minutes": 0}) as running:
        yield running


@pytest.fixture(autouse=True)
def trust(monkeypatch, server):
    """What a person sets in his shell so that the clients trust the server."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", server.ca_file)
    monkeypatch.setenv("SSL_CERT_FILE", server.ca_file)


class Browsers:
    """Stands behind `webbrowser.open`, as long as a test has said who sits there."""

    def __init__(self) -> None:
        self.robot: Robot | None = None
        self.failures: list[BaseException] = []
        self.opened: list[str] = []
        self._threads: list[threading.Thread] = []

    def open(self, url: str, *_: object) -> bool:
        assert self.robot is not None, "nobody sits at the browser"
        self.opened.append(url)
        thread = threading.Thread(target=self._visit, args=(self.robot, url), daemon=True)
        self._threads.append(thread)
        thread.start()
        return True

    open_new = open_new_tab = open

    def _visit(self, robot: Robot, url: str) -> None:
        try:
            robot.open(url)
        except BaseException as error:  # noqa: BLE001 - shown by the fixture, in the test's own thread
            self.failures.append(error)

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(20)
        if self.failures:
            raise self.failures[0]


@pytest.fixture
def browsers(monkeypatch):
    """`browsers.robot = ...` says who sits at the machine's browser."""
    made = Browsers()
    monkeypatch.setattr(webbrowser, "_browsers", {})
    monkeypatch.setattr(webbrowser, "_tryorder", [])
    webbrowser.register("robot", None, made, preferred=True)
    yield made
    made.finish()


@pytest.fixture
def robots(server):
    """A robot for each person, by the key in the demo's story; a person keeps one browser within a test."""
    yield from _robots(server)


@pytest.fixture(scope="session")
def regulars(server):
    """The same for a whole run: who has signed in once stays signed in, and is not asked for codes again."""
    yield from _robots(server)


def _robots(server):
    with ExitStack() as stack:
        made = {}

        def robot(key, **more):
            if key not in made:
                made[key] = stack.enter_context(Robot(server, server.people[key], **more))
            return made[key]

        yield robot
