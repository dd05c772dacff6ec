"""Who asks for decisions: read from the store like everywhere, but not for each question.

What a token says is never trusted for longer than its signature. What the store says of its bearer (still enabled, still
permitted, session not ended) is remembered for as long as the index itself may lag behind, and forgotten at once when this
process commits anything that could change it.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from threading import Lock
from typing import Any, Final

from openpim.core.audit import AuditEvent
from openpim.core.caller import Caller, CallerKind
from openpim.core.refusals import Code, Refusal
from openpim.core.signin.permission_names import EVALUATE, EVALUATE_ALL, REQUEST
from openpim.core.signin.values import digest
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.decisions.following import LATEST
from openpim.services.signin.tokens import Tokens, instant

MOST: Final = 2_000
_HARMLESS: Final = frozenset({"RoleManagement", "GroupManagement", "ResourceManagement", "Policy"})
_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    at: datetime
    until: datetime
    generation: int


class Callers:
    """authenticate: services.signin.bearer.authenticate, bound to what it needs. Hand `committed` to the observers."""

    def __init__(self, deps: Deps, tokens: Tokens, authenticate: Callable[..., Caller | Refusal]) -> None:
        self._deps = deps
        self._tokens = tokens
        self._authenticate = authenticate
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._adding = Lock()
        self._generations = count(1)
        self._generation = 0

    def committed(self, _tenant_id: str, events: Sequence[AuditEvent]) -> None:
        if any(event.category not in _HARMLESS and event.activity != "Sign in" for event in events):
            self._generation = next(self._generations)

    def known(self, authorization: str, now: datetime) -> Caller | None:
        """Costs nothing; None: `find` him."""
        found = self._known.get(authorization)
        if (
            found is None
            or found.generation != self._generation
            or not _NOTHING <= now - found.at <= LATEST
            or now >= found.until
        ):
            return None
        return found.caller

    def find(self, authorization: str | None) -> Caller | Refusal:
        """Ask the store. Raises StoreUnavailableError."""
        generation, now = self._generation, self._deps.clock()
        outcome = self._authenticate(authorization)
        if isinstance(outcome, Refusal) or authorization is None:
            return outcome
        claims = self._tokens.verify(authorization.partition(" ")[2].strip())
        until = instant(claims.get("exp")) if claims is not None else None
        if until is not None:
            self._keep(authorization, _Known(outcome, now, until, generation))
        return outcome

    def now(self, authorization: str | None, **facts: Any) -> Caller | Refusal:
        """As everywhere else: for what changes something. facts: as `authenticate` takes them."""
        return self._authenticate(authorization, **facts)

    def find_by_secret(self, authorization: str, client_id: str, secret: str) -> Caller | Refusal:
        """An application that sends its secret itself, for proxies that cannot fetch tokens; in the tenant it was
        registered in."""
        generation, now = self._generation, self._deps.clock()
        wrong = Refusal(Code.SIGN_IN, "The client id or secret is wrong: check the application's secrets.")

        def prove(tx: Transaction) -> str | None:
            application = tx.applications.by_app_id(client_id.lower())
            hashed = digest(secret)
            matches = [
                hmac.compare_digest(one.value, hashed)
                for one in tx.client_credentials.of(client_id.lower())
                if one.kind == "secret" and (one.expires_at is None or now < one.expires_at)
            ]
            return application.tenant_id if application is not None and any(matches) else None

        def who(tx: Transaction) -> Caller | Refusal:
            principal = tx.service_principals.by_app_id(client_id.lower())
            if principal is None or not principal.enabled:
                return wrong
            return Caller(
                tx.tenant_id,
                principal.id,
                CallerKind.SERVICE_PRINCIPAL,
                display_name=principal.display_name,
                app_id=principal.app_id,
                permissions=frozenset(principal.permissions),
            )

        tenant_id = self._deps.store.read("", prove)
        if not tenant_id:
            return wrong
        outcome = self._deps.store.read(tenant_id, who)
        if isinstance(outcome, Caller):
            self._keep(authorization, _Known(outcome, now, now + LATEST, generation))
        return outcome

    def _keep(self, authorization: str, known: _Known) -> None:
        with self._adding:
            self._known[authorization] = known
            self._known.move_to_end(authorization)
            while len(self._known) > MOST:
                self._known.popitem(last=False)


def may_ask_about(caller: Caller, principal: str) -> bool:
    """Principal "": about anybody. An application by its permission; a person about himself, by an application that
    may."""
    if caller.kind is CallerKind.SERVICE_PRINCIPAL:
        return EVALUATE_ALL in caller.permissions
    own = caller.kind is CallerKind.USER and bool(caller.scopes & {EVALUATE, EVALUATE_ALL})
    return own and principal == caller.principal_id


def may_ask(caller: Caller) -> Refusal | None:
    """Whether there is anything he may ask."""
    if may_ask_about(caller, caller.principal_id):
        return None
    return Refusal(
        Code.FORBIDDEN,
        f"An application needs the permission {EVALUATE_ALL}; a person's token the scope {EVALUATE}. Ask an administrator "
        "of the application to give it.",
    )


def may_see_tasks(caller: Caller) -> bool:
    """His own, or everybody's (may_ask_about)."""
    return bool(caller.scopes & {EVALUATE, EVALUATE_ALL, REQUEST}) or may_ask_about(caller, "")


def may_request(caller: Caller, principal: str) -> Refusal | None:
    """Only with the person's own token: what he proved when he signed in is part of the rules, and nobody else can say
    that he wants it."""
    if caller.kind is CallerKind.USER and REQUEST in caller.scopes and caller.principal_id == principal:
        return None
    return Refusal(
        Code.FORBIDDEN,
        f"Access is requested by the person himself: send his own access token, with the scope {REQUEST}.",
    )
