"""How the demo is told: real acts, one after the other, at moments of the past, all in one unit of work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from openpim.core.approval import Approval, Verdict
from openpim.core.ask import Ask
from openpim.core.caller import Caller, CallerKind, system
from openpim.core.directory import User
from openpim.core.grants import (
    NO_TICKET,
    UNBOUNDED,
    Action,
    Duration,
    ExpirationType,
    Kind,
    Provider,
    Request,
    Ticket,
    Window,
)
from openpim.core.policy import Policy
from openpim.core.refusals import Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import policies
from openpim.services.providers import PROVIDERS
from openpim.services.review import review
from openpim.services.submit import submit

T = TypeVar("T")
FOR_EVER = Window(type=ExpirationType.NO_EXPIRATION)
CHANGE = Ticket("CHG-4117", "Change calendar")
INCIDENT = Ticket("INC-20931", "Service desk")


def lasting(duration: Duration) -> Window:
    return Window(type=ExpirationType.AFTER_DURATION, duration=duration)


class SeedingError(Exception):
    """The demo's own story was refused: a fault in the demo, never in what somebody asked for."""


def must(value: T | Refusal) -> T:
    if isinstance(value, Refusal):
        raise SeedingError(f"{value.code}: {value.message}")
    return value


class _Inside:
    """A store whose units of work all happen inside the one that is open."""

    local = False

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def write(self, tenant_id: str, work: Callable[[Transaction], T]) -> T:
        return work(self._tx if tenant_id == self._tx.tenant_id else self._tx.in_tenant(tenant_id))

    def read(self, tenant_id: str, work: Callable[[Transaction], T]) -> T:
        return self.write(tenant_id, work)

    def snapshot(self, tenant_id: str, work: Callable[[Transaction], T]) -> T:
        return self.write(tenant_id, work)

    def gathered(self) -> _Inside:
        return self


@dataclass
class Seeding:
    """One tenant being filled. ids: principal and unit ids by their key in the story."""

    tx: Transaction
    outer: Deps
    tenant_id: str
    present: datetime
    ids: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = self.present
        self.deps = replace(self.outer, clock=lambda: self.now, store=_Inside(self.tx))

    @property
    def system(self) -> Caller:
        """Signed in as strongly as any policy may ask."""
        return replace(system(self.tenant_id), amr=frozenset({"pwd", "otp", "mfa"}))

    def ago(self, **time: float) -> None:
        """Go to a moment before the present; the story only ever moves forward."""
        moment = self.present - timedelta(**time)
        if self.now != self.present and moment < self.now:
            raise SeedingError("the story went backwards")
        self.now = moment

    def person(self, key: str, *acrs: str) -> Caller:
        user = self.tx.in_tenant(self.tenant_id).users.get(self.ids[key])
        if user is None:
            raise SeedingError(f"nobody is called {key}")
        return _caller(self.tenant_id, user, frozenset(acrs))

    def role(self, name: str, provider: Provider = Provider.DIRECTORY) -> str:
        """The id of a role by its name; of a group, "member" and "owner" are their own."""
        if provider is Provider.GROUP:
            return name
        tx = self.tx.in_tenant(self.tenant_id)
        role = (
            tx.roles.find_by_name(name) if provider is Provider.DIRECTORY else tx.resource_roles.by_name(name)
        )
        if role is None:
            raise SeedingError(f"there is no role {name}")
        return role.id

    def policy(
        self,
        name: str,
        change: Callable[[Policy], Policy],
        provider: Provider = Provider.DIRECTORY,
        scope: str = "/",
    ) -> None:
        role_id = self.role(name, provider)
        wanted = PROVIDERS[provider].policy_id(self.tenant_id, role_id, scope)
        must(policies.update(self.deps, self.system, wanted, change, provider, scope))

    def give(
        self,
        kind: Kind,
        who: str,
        name: str,
        *,
        provider: Provider = Provider.DIRECTORY,
        scope: str = "/",
        window: Window = UNBOUNDED,
        why: str = "Set up with the organisation",
    ) -> Request:
        """An eligibility or active assignment, given by the system."""
        ask = Ask(
            kind,
            provider,
            Action.ADMIN_ASSIGN,
            self.ids[who],
            self.role(name, provider),
            scope,
            justification=why,
            window=window,
        )
        return must(submit(self.deps, self.system, ask))

    def ask(
        self,
        who: str,
        name: str,
        why: str,
        *,
        provider: Provider = Provider.DIRECTORY,
        action: Action = Action.SELF_ACTIVATE,
        kind: Kind = Kind.ASSIGNMENT,
        window: Window = UNBOUNDED,
        ticket: Ticket = NO_TICKET,
        acrs: tuple[str, ...] = (),
        scope: str = "/",
    ) -> Request:
        """What a person asks for himself."""
        ask = Ask(
            kind,
            provider,
            action,
            self.ids[who],
            self.role(name, provider),
            scope,
            justification=why,
            ticket=ticket,
            window=window,
        )
        return must(submit(self.deps, self.person(who, *acrs), ask))

    def decide(self, who: str, request: Request, verdict: Verdict, why: str) -> Approval:
        return must(review(self.deps, self.person(who), request.id, None, verdict, why))


def _caller(tenant_id: str, user: User, acrs: frozenset[str]) -> Caller:
    return Caller(
        tenant_id=tenant_id,
        principal_id=user.id,
        kind=CallerKind.USER,
        display_name=user.display_name,
        user_principal_name=user.user_principal_name,
        amr=frozenset({"pwd", "otp", "mfa"}),
        acrs=acrs,
    )
