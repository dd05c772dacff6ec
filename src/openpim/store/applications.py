"""Application registrations: each belongs to the tenant it was made in, and its client id is known in all."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from openpim.core.directory import Application, Principal, fold
from openpim.core.first_party import APPLICATIONS as FIRST_PARTY
from openpim.core.query import Page, Query
from openpim.core.relying import roles_json, roles_of_json, settings_json, settings_of_json
from openpim.store.listing import Fields, page
from openpim.store.principals import FIELDS as PRINCIPAL_FIELDS
from openpim.store.principals import living, make_principal, principals
from openpim.store.schema import metadata
from openpim.store.types import Folded, Instant

applications = Table(
    "applications",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("app_id", String(36), nullable=False),
    Column("display_name", String(256), nullable=False),
    Column("name_key", Folded(256), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("redirect_uris", Text, nullable=False),
    Column("logout_uri", String(1024)),
    Column("identifier_uris", Text, nullable=False),
    Column("app_roles", Text, nullable=False),
    Column("claims", Text, nullable=False),
)
Index("uq_applications_app_id", applications.c.app_id, unique=True)
Index("ix_applications_name", applications.c.tenant_id, applications.c.name_key, applications.c.id)

application_uris = Table(
    "application_uris",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("uri_key", String(255), primary_key=True),
    Column("application_id", String(36), nullable=False),
)
Index("ix_application_uris_application", application_uris.c.tenant_id, application_uris.c.application_id)

application_owners = Table(
    "application_owners",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("application_id", String(36), primary_key=True),
    Column("owner_id", String(36), primary_key=True),
)
Index("ix_application_owners_owner", application_owners.c.tenant_id, application_owners.c.owner_id)

FIELDS = Fields(
    {
        "id": applications.c.id,
        "app_id": applications.c.app_id,
        "display_name": applications.c.name_key,
        "created_at": applications.c.created_at,
        "public": applications.c.public,
    },
    folded=("display_name",),
)


def _make(row: RowMapping) -> Application:
    return Application(
        id=row["id"],
        app_id=row["app_id"],
        display_name=row["display_name"],
        created_at=row["created_at"],
        public=row["public"],
        redirect_uris=tuple(json.loads(row["redirect_uris"])),
        logout_uri=row["logout_uri"],
        identifier_uris=tuple(json.loads(row["identifier_uris"])),
        tenant_id=row["tenant_id"],
        app_roles=roles_of_json(row["app_roles"]),
        claims=settings_of_json(row["claims"]),
    )


def _uri_key(uri: str) -> str:
    return fold(uri.strip().rstrip("/"))


def _values(application: Application) -> dict[str, Any]:
    return {
        "display_name": application.display_name,
        "name_key": fold(application.display_name),
        "public": application.public,
        "redirect_uris": json.dumps(application.redirect_uris),
        "logout_uri": application.logout_uri,
        "identifier_uris": json.dumps(application.identifier_uris),
        "app_roles": roles_json(application.app_roles),
        "claims": settings_json(application.claims),
    }


class Applications:
    """See `ports.applications.Applications`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    def get(self, id: str) -> Application | None:
        return self._first(
            select(applications).where(applications.c.tenant_id == self._tenant_id, applications.c.id == id)
        )

    def by_app_id(self, app_id: str) -> Application | None:
        if app_id in FIRST_PARTY:
            return FIRST_PARTY[app_id]
        return self._first(select(applications).where(applications.c.app_id == app_id))

    def by_uri(self, uri: str) -> Application | None:
        u = application_uris.c
        return self._first(
            select(applications)
            .join(
                application_uris,
                (u.tenant_id == applications.c.tenant_id) & (u.application_id == applications.c.id),
            )
            .where(u.tenant_id == self._tenant_id, u.uri_key == _uri_key(uri))
        )

    def page(self, query: Query) -> Page[Application]:
        base = select(applications).where(applications.c.tenant_id == self._tenant_id)
        return page(self._connection, base, FIELDS, query, _make)

    def owners(self, id: str, query: Query) -> Page[Principal]:
        o = application_owners.c
        ids = select(o.owner_id).where(o.tenant_id == self._tenant_id, o.application_id == id)
        base = select(principals).where(living(self._tenant_id), principals.c.id.in_(ids))
        return page(self._connection, base, PRINCIPAL_FIELDS, query, make_principal)

    def is_owner(self, id: str, principal_id: str) -> bool:
        statement = select(application_owners.c.owner_id).where(*self._owner(id, principal_id))
        return self._connection.execute(statement).first() is not None

    def owned(self, principal_id: str, query: Query) -> Page[Application]:
        o = application_owners.c
        ids = select(o.application_id).where(o.tenant_id == self._tenant_id, o.owner_id == principal_id)
        base = select(applications).where(
            applications.c.tenant_id == self._tenant_id, applications.c.id.in_(ids)
        )
        return page(self._connection, base, FIELDS, query, _make)

    def add_owner(self, id: str, principal_id: str) -> bool:
        if self.is_owner(id, principal_id):
            return False
        self._connection.execute(
            insert(application_owners).values(
                tenant_id=self._tenant_id, application_id=id, owner_id=principal_id
            )
        )
        return True

    def remove_owner(self, id: str, principal_id: str) -> bool:
        done = self._connection.execute(delete(application_owners).where(*self._owner(id, principal_id)))
        return done.rowcount > 0

    def _owner(self, id: str, principal_id: str) -> tuple[ColumnElement[bool], ...]:
        o = application_owners.c
        return (o.tenant_id == self._tenant_id, o.application_id == id, o.owner_id == principal_id)

    def add(self, application: Application) -> None:
        self._connection.execute(
            insert(applications).values(
                tenant_id=self._tenant_id,
                id=application.id,
                app_id=application.app_id,
                created_at=application.created_at,
                **_values(application),
            )
        )
        self._put_uris(application)

    def save(self, application: Application) -> None:
        self._connection.execute(
            update(applications)
            .where(applications.c.tenant_id == self._tenant_id, applications.c.id == application.id)
            .values(**_values(application))
        )
        self._put_uris(application)

    def _put_uris(self, application: Application) -> None:
        self._drop_uris(application.id)
        keys = dict.fromkeys(_uri_key(uri) for uri in application.identifier_uris)
        if keys:
            self._connection.execute(
                insert(application_uris),
                [
                    {"tenant_id": self._tenant_id, "uri_key": key, "application_id": application.id}
                    for key in keys
                ],
            )

    def _drop_uris(self, application_id: str) -> None:
        u = application_uris.c
        self._connection.execute(
            delete(application_uris).where(u.tenant_id == self._tenant_id, u.application_id == application_id)
        )

    def remove(self, id: str) -> bool:
        self._drop_uris(id)
        o = application_owners.c
        self._connection.execute(
            delete(application_owners).where(o.tenant_id == self._tenant_id, o.application_id == id)
        )
        done = self._connection.execute(
            delete(applications).where(applications.c.tenant_id == self._tenant_id, applications.c.id == id)
        )
        return done.rowcount > 0

    def _first(self, statement: Select[Any]) -> Application | None:
        row = self._connection.execute(statement).mappings().first()
        return _make(row) if row is not None else None
