"""Make a tenant. Only the system does it: when OpenPIM is first set up, and for the demo organisation."""

from __future__ import annotations

from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller, CallerKind, system
from openpim.core.directory import Tenant
from openpim.core.directory_rules import tenant_faults
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.performing import Done, forbidden, invalid, perform


def create_tenant(
    deps: Deps,
    caller: Caller,
    name: str,
    domain: str,
    *,
    domains: tuple[str, ...] = (),
    tenant_id: str | None = None,
) -> Tenant | Refusal:
    """domain: the default verified domain, in which people's sign-in names end. tenant_id: a guid of choice."""
    tenant_id = tenant_id or deps.new_id()

    def work(tx: Transaction, now: datetime) -> Done[Tenant] | Refusal:
        if caller.kind is not CallerKind.SYSTEM:
            return forbidden("Tenants are made by those who run OpenPIM, with `pim serve` and its settings.")
        tenant = Tenant(tenant_id, name, domain, now, tuple(dict.fromkeys((domain, *domains))))
        refusal = invalid(tenant_faults(tenant))
        if refusal is not None:
            return refusal
        if tx.tenants.get(tenant_id) is not None:
            return Refusal(Code.CONFLICT, "There is a tenant with this id already.", member="id")
        for each in tenant.domains:
            if tx.tenants.by_domain(each) is not None:
                return Refusal(
                    Code.CONFLICT, f"The domain {each} belongs to another tenant.", member="domain"
                )
        tx.tenants.add(tenant)
        return Done(tenant, (Target("Directory", tenant.id, tenant.name),))

    inside = system(tenant_id) if caller.kind is CallerKind.SYSTEM else caller
    return perform(deps, inside, "Create tenant", "DirectoryManagement", work)
