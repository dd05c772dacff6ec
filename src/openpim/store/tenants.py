"""Tenants and their verified domains: the one noun that is not inside a tenant."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Column, Connection, ForeignKey, Index, String, Table, bindparam, insert, select, update

from openpim.core.directory import Tenant, fold
from openpim.store.prepared import Prepared
from openpim.store.schema import metadata
from openpim.store.told import Told, once
from openpim.store.types import Folded, Instant

tenants = Table(
    "tenants",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(256), nullable=False),
    Column("domain", String(256), nullable=False),
    Column("created_at", Instant, nullable=False),
)

tenant_domains = Table(
    "tenant_domains",
    metadata,
    Column("domain_key", Folded(256), primary_key=True),
    Column("tenant_id", String(36), ForeignKey("tenants.id"), nullable=False),
    Column("domain", String(256), nullable=False),
    Index("ix_tenant_domains_tenant", "tenant_id", "domain_key"),
)

_GET = Prepared(
    select(tenants, tenant_domains.c.domain.label("one_domain"))
    .outerjoin(tenant_domains, tenant_domains.c.tenant_id == tenants.c.id)
    .where(tenants.c.id == bindparam("id"))
    .order_by(tenant_domains.c.domain_key)
)
_DOMAINS = Prepared(
    select(tenant_domains.c.domain)
    .where(tenant_domains.c.tenant_id == bindparam("id"))
    .order_by(tenant_domains.c.domain_key)
)


class Tenants:
    """See `ports.tenants.Tenants`."""

    def __init__(self, connection: Connection, tenant_id: str, told: Told | None = None) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._told = told

    def current(self) -> Tenant | None:
        return self.get(self._tenant_id)

    def get(self, id: str) -> Tenant | None:
        return once(self._told, ("tenant", id), lambda: self._get(id))

    def _get(self, id: str) -> Tenant | None:
        rows = _GET.rows(self._connection, {"id": id})
        if not rows:
            return None
        row = rows[0]
        domains = tuple(one["one_domain"] for one in rows if one["one_domain"] is not None)
        return Tenant(row["id"], row["name"], row["domain"], row["created_at"], domains)

    def by_domain(self, domain: str) -> Tenant | None:
        statement = (
            select(tenants)
            .join(tenant_domains, tenant_domains.c.tenant_id == tenants.c.id)
            .where(tenant_domains.c.domain_key == fold(domain))
        )
        row = self._connection.execute(statement).mappings().first()
        return self._whole(Tenant(**row)) if row is not None else None

    def all(self) -> tuple[Tenant, ...]:
        rows = self._connection.execute(
            select(tenants).order_by(tenants.c.created_at, tenants.c.id)
        ).mappings()
        return tuple(self._whole(Tenant(**row)) for row in rows.all())

    def add(self, tenant: Tenant) -> None:
        self._connection.execute(
            insert(tenants).values(
                id=tenant.id, name=tenant.name, domain=tenant.domain, created_at=tenant.created_at
            )
        )
        for domain in dict.fromkeys((tenant.domain, *tenant.domains)):
            self._add_domain(tenant.id, domain)

    def save(self, tenant: Tenant) -> None:
        self._connection.execute(
            update(tenants).where(tenants.c.id == tenant.id).values(name=tenant.name, domain=tenant.domain)
        )
        known = {fold(domain) for domain in self._domains(tenant.id)}
        for domain in dict.fromkeys((tenant.domain, *tenant.domains)):
            if fold(domain) not in known:
                self._add_domain(tenant.id, domain)

    def lock(self) -> None:
        statement = select(tenants.c.id).where(tenants.c.id == self._tenant_id).with_for_update()
        self._connection.execute(statement).all()

    def _add_domain(self, tenant_id: str, domain: str) -> None:
        self._connection.execute(
            insert(tenant_domains).values(tenant_id=tenant_id, domain=domain, domain_key=fold(domain))
        )

    def _domains(self, tenant_id: str) -> tuple[str, ...]:
        return tuple(domain for (domain,) in _DOMAINS.tuples(self._connection, {"id": tenant_id}))

    def _whole(self, tenant: Tenant) -> Tenant:
        return replace(tenant, domains=self._domains(tenant.id))
