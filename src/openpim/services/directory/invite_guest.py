"""Invite a guest: a person whose account lives elsewhere, in another tenant here or at a mail address."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.directory import Tenant, User, UserType, fold
from openpim.core.directory_rules import is_address
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.create_user import check_user
from openpim.services.directory.performing import Done, not_found, perform
from openpim.services.directory.rights import may_control_user, may_invite
from openpim.services.directory.targets import of_user


def guest_name(home_name: str, tenant: Tenant) -> str:
    """The sign-in name that a guest gets here: ada_contoso.example#EXT#@<our domain>."""
    return f"{home_name.replace('@', '_')}#EXT#@{tenant.domain}"


def guest_of(user_id: str, address: str, display_name: str, tenant: Tenant, now: datetime) -> User:
    """The guest's row here, not yet tied to a home account."""
    return User(
        id=user_id,
        display_name=display_name,
        user_principal_name=guest_name(address, tenant),
        user_type=UserType.GUEST,
        enabled=True,
        created_at=now,
        mail=address,
    )


def invite_guest(deps: Deps, caller: Caller, address: str, display_name: str | None = None) -> User | Refusal:
    """address: the sign-in name in the home tenant, or a mail address.

    When a tenant here owns the address's domain, the guest signs in with that account; nothing of what that
    tenant knows about the person comes over, not even whether there is such an account. Inviting the same person again
    answers with the guest that is there, tied to the account if it came later.
    """
    user_id = deps.new_id()

    def work(tx: Transaction, now: datetime) -> Done[User] | Refusal:
        refusal = may_invite(tx, caller, now)
        if refusal is not None:
            return refusal
        tenant = tx.tenants.current()
        if tenant is None:
            return not_found("tenant", tx.tenant_id)
        if not is_address(address):
            return Refusal(Code.INVALID, "The address must look like name@domain.", member="address")
        guest = guest_of(user_id, address, display_name or address.partition("@")[0], tenant, now)
        home = tx.tenants.by_domain(address.partition("@")[2])
        if home is not None and home.id == tenant.id:
            return Refusal(
                Code.INVALID,
                "This address belongs to this tenant: nobody is a guest at home.",
                member="address",
            )
        account = tx.in_tenant(home.id).users.by_upn(address) if home is not None else None
        if home is not None:
            guest = replace(
                guest, home_tenant_id=home.id, home_user_id=account.id if account is not None else None
            )
        known = tx.users.by_upn(guest.user_principal_name)
        if known is not None and fold(known.mail or "") == fold(address):
            return _tied(tx, caller, known, guest, now)
        refusal = check_user(tx, guest)
        if refusal is not None:
            return refusal
        tx.users.add(guest)
        return Done(guest, (of_user(guest),))

    return perform(deps, caller, "Invite external user", "UserManagement", work)


def _tied(tx: Transaction, caller: Caller, known: User, guest: User, now: datetime) -> Done[User]:
    waits = known.home_user_id is None and known.home_tenant_id == guest.home_tenant_id
    if not waits or guest.home_user_id is None or may_control_user(tx, caller, known.id, now) is not None:
        return Done(known, unchanged=True)
    tied = replace(known, home_user_id=guest.home_user_id)
    tx.users.save(tied)
    return Done(tied, (of_user(tied),))
