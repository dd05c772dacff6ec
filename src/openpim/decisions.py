"""Decisions inside another Python program: the index of who holds what, on OpenPIM's database, without a server between.

    from openpim.decisions import Decisions

    with Decisions("postgresql://reader@db/openpim", tenant="contoso.example") as decisions:
        decisions.holds("ann@contoso.example", "Teams Administrator")
        decisions.allows(person_id, "Microsoft.Compute/virtualMachines/start/action", "/subscriptions/…/resourceGroups/web")

A few microseconds each, once the tenant has been read. It reads only: a database role that may SELECT is enough. An answer
is never made from what was seen more than a second ago, and an end that was written down holds to the microsecond; when the
database cannot be reached for longer than that, everything is a no. Safe to use from several threads.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from openpim.client import clock
from openpim.core.decisions import micros
from openpim.ports.store import StoreUnavailableError
from openpim.services.decisions.asking import ACTIVATE, GROUP_TYPE, OWNER, ROLE, SCOPE, USE, answer, is_id
from openpim.services.decisions.following import Following
from openpim.services.decisions.index import Index
from openpim.store.database import Database

__all__ = ["Decisions", "UnknownTenantError"]


class UnknownTenantError(LookupError):
    """There is no organisation of this id or domain."""


def _now() -> datetime:
    return datetime.fromtimestamp(clock.now(), UTC)


class Decisions:
    """database: an SQLAlchemy URL of OpenPIM's database. tenant: an organisation's id or one of its domains.

    now: aware UTC, for tests. Raises UnknownTenantError, and StoreUnavailableError when the database cannot be reached at the start.
    """

    def __init__(self, database: str, *, tenant: str, now: Callable[[], datetime] = _now) -> None:
        self._database = Database(database, pool_size=2)
        self._now = now
        self._following = Following(self._database, now)
        try:
            self._tenant = self._find(tenant.lower())
            self._following.look(self._tenant)
        except BaseException:
            self._database.close()
            raise

    def _find(self, tenant: str) -> str:
        found = self._database.read("", lambda tx: tx.tenants.get(tenant) or tx.tenants.by_domain(tenant))
        if found is None:
            msg = f"there is no organisation {tenant!r}: use its id or one of its domains"
            raise UnknownTenantError(msg)
        return found.id

    def holds(self, person: str, role: str, scope: str = "/") -> bool:
        """Whether a role is in force for him at the place or above it. person: an object id or sign-in name; role: an id
        or a name; scope: "/", "/administrativeUnits/{id}", "/{object id}", or a path of the resource tree."""
        return self._ask(person, USE, ROLE, role, {"scope": scope})

    def may_activate(self, person: str, role: str, scope: str = "/") -> bool:
        """Whether he is eligible for it there."""
        return self._ask(person, ACTIVATE, ROLE, role, {"scope": scope})

    def in_group(self, person: str, group: str) -> bool:
        """Directly or through other groups. group: an object id."""
        return self._ask(person, USE, GROUP_TYPE, group, {})

    def owns_group(self, person: str, group: str) -> bool:
        return self._ask(person, OWNER, GROUP_TYPE, group, {})

    def allows(self, person: str, action: str, scope: str, *, data: bool = False) -> bool:
        """Whether resource roles in force for him allow an action at a place of the tree, and nothing denies it."""
        return self._ask(person, action, SCOPE, scope, {}, data=data)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(
        self, person: str, action: str, type: str, id: str, properties: dict[str, Any], *, data: bool = False
    ) -> bool:
        now = self._now()
        index = self._index(now)
        if index is None:
            return False
        principal = person.lower() if is_id(person) else self._named(index, person.lower())
        if not principal:
            return False
        return answer(index, principal, action, type, id, properties, micros(now), data=data).decision

    def _index(self, now: datetime) -> Index | None:
        index = self._following.fresh(self._tenant, now)
        if index is not None:
            return index
        try:
            return self._following.look(self._tenant)
        except StoreUnavailableError:
            return self._following.ready(self._tenant, self._now())

    def _named(self, index: Index, name: str) -> str:
        known = index.people.get(name)
        if known is None and len(name) <= 320 and name.isprintable():
            try:
                self._following.look_up(self._tenant, [name])
            except StoreUnavailableError:
                return ""
            known = index.people.get(name)
        return known or ""
