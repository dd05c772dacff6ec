"""Column types shared by every table."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from sqlalchemy import BigInteger, Dialect, String
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=500)  # most say the same: how somebody signed in
def words_text(words: tuple[str, ...]) -> str:
    """Words as they stand in a column: JSON."""
    return json.dumps(words)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, kept as whole microseconds since 1970 in a BIGINT.

    The same bytes and the same order on SQLite and PostgreSQL; a naive datetime is refused.
    """

    impl = BigInteger
    cache_ok = True

    # One call for a value, where `process_bind_param` and `process_result_value` take three: a list reads hundreds. BIGINT
    # itself has nothing to process.
    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], int | None]:
        return _microseconds

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], datetime | None]:
        return _instant


def _microseconds(value: datetime | None) -> int | None:
    if value is None:
        return None
    if value.tzinfo is None:
        msg = "a naive datetime cannot be stored: say which zone it is in"
        raise ValueError(msg)
    return (value - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=4096)  # a row says when it was made, began and was changed: mostly the same moment
def _instant(value: int | None) -> datetime | None:
    return None if value is None else _EPOCH + timedelta(0, 0, value)


def Path(length: int) -> String:  # noqa: N802 - as Folded
    """The path of a scope, in binary order: what lies below one is a range on it, which a plain index serves."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def Folded(length: int) -> String:  # noqa: N802 - reads as a type where columns are declared
    """Lower-case text in binary order on every database: what names are compared and searched by.

    Prefixes are ranges on it (`listing.starts_with`), which a plain index serves; PostgreSQL's own collations
    would not.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")
