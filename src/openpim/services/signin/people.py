"""Finds people, tenants and clients for the sign-in: the one place where it reads the directory, across tenants.

A person has one *account* (home tenant, user there); in other tenants the same person is a guest object that points
to it. Every function takes a unit of work of any tenant and goes to the right one itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from openpim.core.directory import Tenant, User
from openpim.core.first_party import APPLICATIONS as FIRST_PARTY
from openpim.core.signin.values import Account, Client
from openpim.ports.store import Transaction
from openpim.services.recording import storable

# Names in a path that stand for no tenant in particular. `adfs` is the alias with version-1 paths.
ANY_TENANT = frozenset({"common", "organizations", "adfs"})


@dataclass(frozen=True, slots=True)
class Person:
    """account: where the credentials are. user: the object in `tenant_id`, where the tokens count."""

    account: Account
    tenant_id: str
    user: User
    home: User

    @property
    def guest(self) -> bool:
        return self.tenant_id != self.account.tenant_id


def find_tenant(tx: Transaction, name: str) -> Tenant | None:
    """By tenant id or verified domain; None for `common` and its like, and for the unknown."""
    folded = name.lower()
    if folded in ANY_TENANT or not folded or len(folded) > 255 or not storable(folded):
        return None
    return tx.tenants.get(folded) or tx.tenants.by_domain(folded)


def find_account(tx: Transaction, name: str, tenant_id: str | None) -> Account | None:
    """Whose sign-in name is it? The name's own domain decides; else it is one of the tenant the client named."""
    name = name.strip()
    domain = name.rpartition("@")[2]
    home = tx.tenants.by_domain(domain) if "@" in name else None
    for where in dict.fromkeys([home.id if home else None, tenant_id]):
        user = tx.in_tenant(where).users.by_upn(name) if where else None
        if where and user is not None:
            return account_of(user, where)
    return None


def account_of(user: User, tenant_id: str) -> Account:
    """The account that a user object in a tenant signs in with."""
    if user.home_tenant_id and user.home_user_id:
        return Account(user.home_tenant_id, user.home_user_id)
    return Account(tenant_id, user.id)


def able_user(tx: Transaction, tenant_id: str, user_id: str) -> User | None:
    user = tx.in_tenant(tenant_id).users.get(user_id)
    return user if user is not None and user.enabled and user.deleted_at is None else None


def person_in(tx: Transaction, account: Account, tenant_id: str) -> Person | None:
    """The person as the tenant knows him; None unless he exists there and both objects are enabled."""
    home = able_user(tx, account.tenant_id, account.user_id)
    if home is None:
        return None
    if tenant_id == account.tenant_id:
        return Person(account, tenant_id, home, home)
    return next((one for one in _guests(tx, account, home) if one.tenant_id == tenant_id), None)


def people_of(tx: Transaction, account: Account) -> list[tuple[Tenant, Person]]:
    """Every tenant the person may enter, home first, and the person as it knows him."""
    home = able_user(tx, account.tenant_id, account.user_id)
    if home is None:
        return []
    people = {account.tenant_id: Person(account, account.tenant_id, home, home)}
    for one in _guests(tx, account, home):
        people.setdefault(one.tenant_id, one)
    found = ((tx.tenants.get(one.tenant_id), one) for one in people.values())
    return [(tenant, one) for tenant, one in found if tenant is not None]


def tenants_of(tx: Transaction, account: Account) -> list[Tenant]:
    """Every tenant the person may enter, home first."""
    return [tenant for tenant, _ in people_of(tx, account)]


def _guests(tx: Transaction, account: Account, home: User) -> list[Person]:
    found = tx.users.accounts_of(account.tenant_id, account.user_id)
    return [Person(account, where, user, home) for where, user in found if user.enabled]


def find_client(tx: Transaction, client_id: str) -> Client | None:
    """A registered application, or one of the public clients everybody has."""
    folded = client_id.lower()
    if len(folded) > 36 or not storable(folded):
        return None
    application = tx.applications.by_app_id(folded)
    if application is None:
        return None
    first_party = folded in FIRST_PARTY
    return Client(
        app_id=application.app_id,
        display_name=application.display_name,
        public=application.public,
        redirect_uris=application.redirect_uris,
        tenant_id=application.tenant_id or None,
        any_loopback=first_party,
        first_party=first_party,
        logout_uri=application.logout_uri,
    )


def client_allowed(tx: Transaction, client: Client, tenant_id: str) -> bool:
    """May this client get tokens in the tenant? The first-party ones everywhere; a registered one in its own tenant
    and where it has a service principal; nowhere once that is disabled."""
    if client.first_party:
        return True
    principal = tx.in_tenant(tenant_id).service_principals.by_app_id(client.app_id)
    if principal is None:
        return client.tenant_id == tenant_id
    return principal.enabled
