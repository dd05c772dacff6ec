"""Statements recorded from real requests, and a player that issues them again through the plain driver.

The recording keeps each statement as SQLAlchemy handed it to the driver. For another person, role or request only the
ids in its parameters are exchanged, so the floor does what the database had to do, and nothing of what we do around it.
"""

from __future__ import annotations

import asyncio
import json
import queue
import sqlite3
import threading
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import make_url

from bench.load import GRAPH
from bench.organisation import Organisation
from openpim.app import make_app

_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Step:
    """One statement. writes: inside the transaction, else on a connection for reading. many: of executemany.
    answers: it gives rows."""

    sql: str
    parameters: Any
    writes: bool
    many: bool
    answers: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """The statements of one request. person, role, request: the ids it was about. made: ids it made, in order."""

    name: str
    steps: list[Step]
    person: str
    role: str
    request: str
    made: list[str]


class Recorder:
    """Sends requests to the application in this process and keeps what reaches the drivers."""

    def __init__(self, organisation: Organisation) -> None:
        system = organisation.system
        self._made: list[str] = []
        self._steps: list[Step] = []
        deps = replace(system.deps, new_id=self._new_id)
        self._app = make_app(deps, system.signin)
        for engine, writes in ((system.database.engine, True), (system.database.reading_engine, False)):
            event.listen(engine, "before_cursor_execute", self._listener(writes=writes))

    def _new_id(self) -> str:
        self._made.append(str(uuid.uuid4()))
        return self._made[-1]

    def _listener(self, *, writes: bool) -> Any:
        def heard(
            _connection: Any, _cursor: Any, sql: str, parameters: Any, _context: Any, many: bool
        ) -> None:
            answers = sql.lstrip().startswith(("SELECT", "WITH")) or "RETURNING" in sql
            self._steps.append(Step(sql, _plain(parameters), writes, many, answers))

        return heard

    def scene(
        self,
        name: str,
        method: str,
        path: str,
        token: str,
        body: Any,
        *,
        person: str,
        role: str,
        request: str = "",
        host: str = GRAPH,
    ) -> tuple[Scene, Any]:
        """The scene of one request, and the answer to it. Sent twice before: the second time caches are warm."""
        self._made.clear()
        self._steps.clear()
        status, answer = asyncio.run(self._call(method, path, token, body, host))
        if status >= 300:
            raise AssertionError(f"{method} {path}: {status} {answer[:500]!r}")
        found = json.loads(answer) if answer else {}
        return Scene(name, list(self._steps), person, role, request, list(self._made)), found

    async def _call(self, method: str, path: str, token: str, body: Any, host: str) -> tuple[int, bytes]:
        """One request, straight into the ASGI application."""
        data = b"" if body is None else json.dumps(body).encode()
        bare, _, query = path.partition("?")
        headers = {
            "host": host,
            "authorization": f"Bearer {token}",
            "user-agent": "bench",
            "content-type": "application/json",
        }
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": bare,
            "raw_path": bare.encode(), "query_string": query.encode(), "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80), "root_path": "", "asgi": {"version": "3.0"},
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": data, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        return sent[0]["status"], b"".join(part.get("body", b"") for part in sent[1:])


def save(scenes: list[Scene], path: Path) -> None:
    text = json.dumps([asdict(scene) for scene in scenes], default=lambda value: {"hex": value.hex()})
    path.write_text(text, encoding="utf-8")


def load(path: Path) -> list[Scene]:
    return [
        Scene(**{**scene, "steps": [Step(**step) for step in scene["steps"]]})
        for scene in json.loads(path.read_text(encoding="utf-8"), object_hook=_bytes)
    ]


def _plain(parameters: Any) -> Any:
    """Without the wrappers of bytes, of which each driver has its own."""
    match parameters:
        case dict():
            return {name: _plain(value) for name, value in parameters.items()}
        case list() | tuple():
            return [_plain(value) for value in parameters]
        case memoryview():
            return bytes(parameters)
        case psycopg.Binary():
            return bytes(parameters.obj)
    return parameters


def _bytes(found: dict[str, Any]) -> Any:
    return bytes.fromhex(found["hex"]) if found.keys() == {"hex"} else found


class Player:
    """Issues scenes: SQLite as the store does (one writer behind a lock), PostgreSQL on connections of a pool."""

    def __init__(self, url: str, scenes: list[Scene]) -> None:
        self._url = make_url(url)
        self._scenes = {scene.name: scene for scene in scenes}
        self._sqlite = self._url.get_backend_name() == "sqlite"
        self._gate = threading.Lock()
        self._gated: Any = self._connect(writes=True) if self._sqlite else None
        self._idle: dict[bool, queue.SimpleQueue[Any]] = {
            True: queue.SimpleQueue(),
            False: queue.SimpleQueue(),
        }
        for writes in (True, False):
            for _ in range(_CONNECTIONS):
                self._idle[writes].put(self._connect(writes=writes))

    def _connect(self, *, writes: bool) -> Any:
        if not self._sqlite:
            where = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
            return psycopg.connect(where, autocommit=True)
        connection = sqlite3.connect(str(self._url.database), check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    def play(self, name: str, person: str, role: str, request: str) -> str:
        """Issue the scene for this person, role and request. Returns the first id that was made in it."""
        scene = self._scenes[name]
        made = [str(uuid.uuid4()) for _ in scene.made]
        change = dict(zip(scene.made, made, strict=True))
        known = ((scene.person, person), (scene.role, role), (scene.request, request))
        change |= {old: new for old, new in known if old and new}
        start = 0
        while start < len(scene.steps):
            writes = scene.steps[start].writes
            end = start
            while end < len(scene.steps) and scene.steps[end].writes is writes:
                end += 1
            self._part(scene.steps[start:end], change, writes=writes)
            start = end
        return made[0] if made else ""

    def _part(self, steps: list[Step], change: dict[str, str], *, writes: bool) -> None:
        if writes and self._sqlite:
            with self._gate:
                self._gated.execute("BEGIN IMMEDIATE")
                self._issue(self._gated, steps, change)
                self._gated.execute("COMMIT")
            return
        connection = self._idle[writes].get()
        try:
            if writes:
                with connection.transaction():
                    self._issue(connection, steps, change)
            else:
                self._issue(connection, steps, change)
        finally:
            self._idle[writes].put(connection)

    def _issue(self, connection: Any, steps: list[Step], change: dict[str, str]) -> None:
        cursor = connection.cursor()
        for step in steps:
            if step.many:
                cursor.executemany(step.sql, [_changed(row, change) for row in step.parameters])
            else:
                cursor.execute(step.sql, _changed(step.parameters, change))
                if step.answers:
                    cursor.fetchall()
        cursor.close()


def _changed(parameters: Any, change: dict[str, str]) -> Any:
    if isinstance(parameters, dict):
        return {name: _value(value, change) for name, value in parameters.items()}
    return [_value(value, change) for value in parameters]


def _value(value: Any, change: dict[str, str]) -> Any:
    if not isinstance(value, str) or len(value) < 36:
        return value
    if len(value) == 36:
        return change.get(value, value)
    for old, new in change.items():  # ids inside JSON
        if old in value:
            value = value.replace(old, new)
    return value
