"""Statements compiled once for a whole test process, instead of once for each database that a test opens.

SQLAlchemy keeps what it compiled with the engine, and by the dialect object in it: with thousands of databases that
live for one test each, a sixth of the tests' time went into compiling the same statements again. A server keeps its
one engine for months, so a cache that outlives the test is also what production looks like.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache

# All that these dialects let a statement's text depend on, and that differs between servers or engines.
_FACTS = ("server_version_info", "paramstyle", "label_length", "max_identifier_length", "_backslash_escapes")
_STATEMENTS = 5_000

_cache: LRUCache[Any, Any] = LRUCache(_STATEMENTS)


def _facts(dialect: Any) -> tuple[Any, ...]:
    return tuple(getattr(dialect, name, None) for name in _FACTS)


def _same(self: Any, other: object) -> bool:
    return self is other or (type(self) is type(other) and _facts(self) == _facts(other))


def _hash(self: Any) -> int:
    return hash(type(self))


def share() -> None:
    """Let all engines of these dialects use one cache, those that are made with a cache at all."""
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__eq__ = _same  # type: ignore[method-assign]
        dialect.__hash__ = _hash  # type: ignore[method-assign]
    Engine._compiled_cache = property(_chosen, _own)  # type: ignore[assignment]


def _chosen(self: Any) -> Any:
    if self._own_cache is not None and isinstance(self.dialect, SQLiteDialect_pysqlite | PGDialect_psycopg):
        return _cache
    return self._own_cache


def _own(self: Any, cache: Any) -> None:
    self._own_cache = cache
