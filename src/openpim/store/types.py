"""Column types shared by every table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, String
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, kept as whole microseconds since 1970 in a BIGINT.

    The same bytes and the same order on SQLite and PostgreSQL; a naive datetime is refused.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a naive datetime cannot be stored: say which zone it is in"
            raise ValueError(msg)
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return _EPOCH + timedelta(microseconds=value)


def Path(length: int) -> String:  # noqa: N802 - as Folded
    """The path of a scope, in binary order: what lies below one is a range on it, which a plain index serves."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def Folded(length: int) -> String:  # noqa: N802 - reads as a type where columns are declared
    """Lower-case text in binary order on every database: what names are compared and searched by.

    Prefixes are ranges on it (`listing.starts_with`), which a plain index serves; PostgreSQL's own collations
    would not.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")
