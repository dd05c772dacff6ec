"""The table of the organisations' settings. One text for all of them: a new setting needs no migration, and has its
default where an older server wrote the row."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Column, Connection, String, Table, Text, bindparam, insert, select, update

from openpim.core.organisation_settings import OrganisationSettings as Values
from openpim.store.schema import metadata

organisation_settings = Table(
    "organisation_settings",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("settings", Text, nullable=False),
)
_c = organisation_settings.c
_GET = select(_c.settings).where(_c.tenant_id == bindparam("tenant"))
_KNOWN = frozenset(field.name for field in fields(Values))


class OrganisationSettings:
    """See ports/organisation_settings.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def get(self) -> Values:
        text = self._connection.execute(_GET, {"tenant": self._tenant}).scalar()
        return Values() if text is None else _values(json.loads(text))

    def save(self, values: Values) -> None:
        text = json.dumps(asdict(values), sort_keys=True)
        changed = self._connection.execute(
            update(organisation_settings).where(_c.tenant_id == self._tenant).values(settings=text)
        )
        if not changed.rowcount:
            self._connection.execute(
                insert(organisation_settings).values(tenant_id=self._tenant, settings=text)
            )


def _values(read: dict[str, Any]) -> Values:
    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in read.items()
        if name in _KNOWN
    }
    return Values(**known)
