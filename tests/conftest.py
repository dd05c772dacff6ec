"""What every test may use. Folders below add their own fixtures in a conftest.py of their own.

Databases, each fresh and gone after the test:

- `database_url`         with OpenPIM's tables; a test that takes it runs twice, on SQLite and on PostgreSQL
- `empty_database_url`   the same without any table
- `new_database`         a function that makes one more with tables each time it is called, of the same kind
- `database_kind`        "sqlite" or "postgresql"; parametrize it to run on one kind only:
                         `@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)`
- `--both-databases`     an option of the run: all of that runs on both; else the tests of faces run on one, half on each
- `half`                 of all pairs of two lists one half on SQLite, the other on PostgreSQL: for thousands of cheap cases
- `postgres_server`      the server itself (tests/postgres.py); mark the test `postgres`

Without a PostgreSQL on the machine its tests are skipped, but fail where CI=true. No test can open a connection to
another machine. Hypothesis runs with the profile `dev`, or `ci` where CI=true; HYPOTHESIS_PROFILE chooses another.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pkgutil
import shutil
import sys
import tempfile
import uuid
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from sqlalchemy import make_url

from tests.compiled import share
from tests.copies import kept_connections
from tests.loops import one_loop
from tests.postgres import PostgresMissingError, PostgresServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
RUN = "OPENPIM_TEST_RUN"  # the folder and the first process of this test run, for the processes it starts
FACES = Path(__file__).parent / "faces"
# Of the faces' tests, those in which the database has a say: what it refuses to store, how it sorts, searches, waits.
ON_BOTH = {
    "test_at_once",
    "test_hostile",
    "test_lists",
    "test_pick",
    "test_scale",
    "test_tree",
}
LONGEST = Path(__file__).parent / "machine"
DATABASE_KINDS = [pytest.param("sqlite", id="sqlite"), pytest.param("postgresql", id="postgresql")]
MEMORY, MEMORY_NEEDED = "/dev/shm", 4 << 30  # bytes; a run takes a tenth of it
SQLITE_TEMPLATE = "template.sqlite3"
POSTGRES_TEMPLATE = "openpim_template"

# The modules of the tests, and ours in each process that a test starts, are compiled once; some machines forbid it.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
share()

# Other people's clients are installed by `make conformance` only.
collect_ignore_glob = [] if importlib.util.find_spec("msgraph") else ["conformance/*"]

hypothesis.settings.register_profile(
    "ci", deadline=None, derandomize=False, print_blob=True, max_examples=100, stateful_step_count=50
)
hypothesis.settings.register_profile("dev", deadline=None, max_examples=30, stateful_step_count=30)
hypothesis.settings.register_profile(
    "thorough", deadline=None, print_blob=True, max_examples=2000, stateful_step_count=100
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if CI else "dev"))


# ---------------------------------------------------------------- one test run, in several processes


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    _stay_on_this_machine()
    if not _is_worker(config):
        # Short, and not below pytest's own folder: the path of a unix socket is limited to about 100 bytes.
        folder = tempfile.mkdtemp(prefix="openpim-test-", dir=_room())
        os.environ[RUN] = f"{os.getpid()}:{folder}"


def _room() -> str | None:
    """Where databases go: to memory where there is plenty, because nothing of a test run needs to reach the disk."""
    for folder, needed in ((MEMORY, MEMORY_NEEDED), ("/tmp", 0)):
        if os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= needed:
            return folder
    return None


def pytest_unconfigure(config: pytest.Config) -> None:
    if not _is_worker(config) and RUN in os.environ:
        PostgresServer(_run_folder()).stop()
        del os.environ[RUN]


def _run_folder() -> Path:
    return Path(os.environ[RUN].split(":", 1)[1])


def _run_owner() -> int:
    return int(os.environ[RUN].split(":", 1)[0])


_guarded = False


def _stay_on_this_machine() -> None:
    """Refuse connections to anything but this machine. An audit hook cannot be removed, nor patched around."""
    global _guarded  # noqa: PLW0603 - one hook for one process
    if _guarded:
        return
    _guarded = True

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "socket.connect":
            return
        address = arguments[1]
        if isinstance(address, tuple) and not _is_here(str(address[0])):
            raise PermissionError(f"a test tried to reach {address}: tests stay on this machine")

    sys.addaudithook(refuse)


def _is_here(host: str) -> bool:
    return host in {"localhost", "::1", "0.0.0.0", "::", ""} or host.startswith(("127.", "::ffff:127."))


@pytest.fixture(scope="session", autouse=True)
def _one_for_all() -> Iterator[None]:
    with one_loop(), kept_connections():
        yield


# ---------------------------------------------------------------- which tests run, and on which database


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--both-databases", action="store_true", help="faces, too, on SQLite and PostgreSQL")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if _kind(item) == "postgresql" or "postgres_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.postgres)
    if not config.getoption("both_databases"):
        _on_one_database(config, items)
    items.sort(key=lambda item: not item.path.is_relative_to(LONGEST))  # or one process ends alone with them


def _kind(item: pytest.Item) -> str | None:
    return getattr(getattr(item, "callspec", None), "params", {}).get("database_kind")


def _on_one_database(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The tests of a face that would run on both databases run on one of them, which their name decides: about half
    of them on each. What they share is tried on both below tests/store and tests/services."""
    kinds: dict[str, set[str]] = {}
    for item in items:
        if (kind := _kind(item)) and item.path.is_relative_to(FACES) and item.path.stem not in ON_BOTH:
            kinds.setdefault(_nameless(item, kind), set()).add(kind)

    def chosen(item: pytest.Item) -> bool:
        kind = _kind(item)
        name = _nameless(item, kind) if kind else ""
        if kinds.get(name, set()) != {"sqlite", "postgresql"}:
            return True
        return kind == ("sqlite", "postgresql")[zlib.crc32(name.encode()) % 2]

    if others := [item for item in items if not chosen(item)]:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if chosen(item)]


def _nameless(item: pytest.Item, kind: str) -> str:
    """The test's name without that of its database."""
    name, _, parameters = item.nodeid.partition("[")
    return f"{name}[{'-'.join(part for part in parameters[:-1].split('-') if part != kind)}]"


# ---------------------------------------------------------------- no test of PostgreSQL is skipped in CI


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report: pytest.TestReport = yield
    if CI and report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("postgres"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but CI must run it on PostgreSQL: {report.longrepr}"
    return report


# ---------------------------------------------------------------- databases


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    server = PostgresServer(_run_folder())
    try:
        server.ensure_started(_run_owner())
    except PostgresMissingError as error:
        (pytest.fail if CI else pytest.skip)(str(error))
    yield server
    server.disconnect()


@pytest.fixture(params=DATABASE_KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def half(
    database_kind: str, pytestconfig: pytest.Config
) -> Callable[[Iterable[Any], Sequence[Any]], Iterator[tuple[Any, Any]]]:
    """Of all pairs those whose turn it is on this database. Each member of either list has its turn on both."""
    both, turn = pytestconfig.getoption("both_databases"), ("sqlite", "postgresql").index(database_kind)

    def pairs(rows: Iterable[Any], columns: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
        for number, row in enumerate(rows):
            for place, column in enumerate(columns):
                if both or (number + place) % 2 == turn:
                    yield row, column

    return pairs


class _Databases:
    """Makes databases of one kind for one test, and removes them after it."""

    def __init__(self, server: PostgresServer | None) -> None:
        self._server = server
        self._made: list[str] = []

    def like(self, url: str = "") -> str:
        """A copy of one that nobody is connected to; without one, of the tables. Nothing of it serves another test."""
        name = f"test_{uuid.uuid4().hex}"
        self._made.append(name)
        if self._server is None:
            file = _run_folder() / f"{name}.sqlite3"
            shutil.copyfile(url.removeprefix("sqlite:///") or _sqlite_template(), file)
            return f"sqlite:///{file}"
        tables = self._server.template(POSTGRES_TEMPLATE, create_tables)
        self._server.create(name, template=str(make_url(url).database) if url else tables)
        return self._server.url(name)

    def make(self, *, empty: bool = False) -> str:
        name = f"test_{uuid.uuid4().hex}"
        self._made.append(name)
        if self._server is None:
            file = _run_folder() / f"{name}.sqlite3"
            if not empty:
                shutil.copyfile(_sqlite_template(), file)
            return f"sqlite:///{file}"
        if empty:
            self._server.create(name)
        else:
            template = self._server.template(POSTGRES_TEMPLATE, create_tables)
            name = self._made[-1] = self._server.lend(name, template=template)
        return self._server.url(name)

    def remove(self) -> None:
        for name in self._made:
            if self._server is not None:
                self._server.take_back(name)
                continue
            for end in ("", "-wal", "-shm"):
                (_run_folder() / f"{name}.sqlite3{end}").unlink(missing_ok=True)


@pytest.fixture
def _databases(database_kind: str, request: pytest.FixtureRequest) -> Iterator[_Databases]:
    server = request.getfixturevalue("postgres_server") if database_kind == "postgresql" else None
    databases = _Databases(server)
    yield databases
    databases.remove()


@pytest.fixture
def database_url(_databases: _Databases) -> str:
    return _databases.make()


@pytest.fixture
def empty_database_url(_databases: _Databases) -> str:
    return _databases.make(empty=True)


@pytest.fixture
def new_database(_databases: _Databases) -> Callable[[], str]:
    return _databases.make


def _sqlite_template() -> Path:
    """A file with the tables, made once for all test processes."""
    template = _run_folder() / SQLITE_TEMPLATE
    with (_run_folder() / "sqlite.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not template.exists():
            unfinished = template.with_suffix(".unfinished")
            create_tables(f"sqlite:///{unfinished}")
            unfinished.rename(template)
    return template


def create_tables(url: str) -> None:
    """OpenPIM's tables in an empty database, as the migrations make them."""
    if importlib.util.find_spec("openpim.store.migrate") is not None:
        from openpim.store.migrate import upgrade

        upgrade(url)
        return
    # Until the migrations are there: what the modules say.
    import sqlalchemy

    import openpim.store
    from openpim.store.schema import metadata

    for module in pkgutil.iter_modules(openpim.store.__path__):
        if module.name not in {"database", "transaction"}:
            importlib.import_module(f"openpim.store.{module.name}")
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    metadata.create_all(engine)
    engine.dispose()
