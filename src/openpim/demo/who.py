"""Whom one can be in the demo's portal: everybody who can sign in, those with a part in the story first."""

from __future__ import annotations

from openpim.core.query import Query
from openpim.core.signin.values import Account
from openpim.demo.organisation import COMPANY_ACCOUNTS, STUDIO_ACCOUNTS
from openpim.demo.people import DOMAIN, PEOPLE, STUDIO_DOMAIN, STUDIO_PEOPLE
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.signin.demo import DemoPerson

_MAILBOXES = {
    **{one.mailbox: one.key for one in (*PEOPLE, *STUDIO_PEOPLE)},
}
_PARTS = {
    "mira": "engineer: eligible for many roles, each with other demands",
    "jonas": "approves Teams Administrator; one of the Change Advisory Board",
    "noor": "change manager: approves Global Administrator",
    "dana": "head of identity: eligible for Privileged Role Administrator",
    "ines": "compliance: reads everything, changes nothing",
}


def people(deps: Deps) -> list[DemoPerson]:
    """Those with a purpose first, then by name. Empty where there is no demo organisation."""

    def work(tx: Transaction) -> list[DemoPerson]:
        found = []
        for domain in (DOMAIN, STUDIO_DOMAIN):
            tenant = tx.tenants.by_domain(domain)
            if tenant is None:
                continue
            users = tx.in_tenant(tenant.id).users.page(Query(limit=200)).items
            for user in users:
                if not user.enabled or user.home_tenant_id:
                    continue
                key = _key(user.user_principal_name)
                found.append(
                    DemoPerson(
                        Account(tenant.id, user.id),
                        user.display_name,
                        user.job_title or "",
                        tenant.name,
                        _purpose(key),
                    )
                )
        return found

    order = [*_PARTS, *COMPANY_ACCOUNTS, *STUDIO_ACCOUNTS]
    rank = {_purpose(key): place for place, key in reversed(list(enumerate(order)))}
    return sorted(
        deps.store.read("", work),
        key=lambda one: (rank.get(one.purpose, 99) if one.purpose else 100, one.name),
    )


def _key(name: str) -> str:
    mailbox = name.partition("@")[0].lower()
    return _MAILBOXES.get(mailbox, mailbox)


def _purpose(key: str) -> str:
    if key in _PARTS:
        return _PARTS[key]
    known = {**COMPANY_ACCOUNTS, **STUDIO_ACCOUNTS}.get(key)
    return known[0].partition(": pim login")[0] if known is not None else ""
