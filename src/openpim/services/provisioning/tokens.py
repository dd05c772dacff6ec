"""Long-lived tokens for provisioners whose administrators paste a secret (Microsoft Entra ID, Okta), and who is calling.

A token is one application's: it is shown once, kept as a digest, and worth nothing the moment the application is disabled or
loses its permission. Who makes one could give the application its power.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from openpim.core.audit import Target
from openpim.core.caller import Caller, CallerKind
from openpim.core.directory import ServicePrincipal
from openpim.core.provisioning import (
    MOST_TOKENS,
    PROVISION,
    TOKEN_PREFIX,
    Mode,
    Token,
    digest_of,
    tenant_of_token,
    token_text,
)
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import shown_once
from openpim.services.directory.performing import Done, forbidden, not_found, perform
from openpim.services.directory.rights import may_grant_permissions
from openpim.services.directory.targets import of_group, of_service_principal
from openpim.services.recording import storable
from openpim.services.signin.bearer import GRAPH, authenticate
from openpim.services.signin.tokens import Tokens

_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Made:
    """text: the secret, here and nowhere else."""

    token: Token
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """What an administrator said about a group."""

    group_id: str
    group_name: str
    mode: Mode


def who(
    deps: Deps,
    tokens: Tokens,
    authorization: str | None,
    *,
    ip: str | None = None,
    client: str | None = None,
    request_id: str | None = None,
) -> Caller | Refusal:
    """The caller behind an Authorization header: an access token of ours, or a provisioning token."""
    scheme, _, text = (authorization or "").strip().partition(" ")
    text = text.strip()
    if scheme.lower() != "bearer" or not text.startswith(TOKEN_PREFIX):
        return authenticate(
            deps, tokens, authorization, accepts=GRAPH, ip=ip, client=client, request_id=request_id
        )
    tenant_id = tenant_of_token(text)
    facts: dict[str, Any] = {"ip": ip, "client": client, "request_id": request_id}
    caller = None
    if tenant_id is not None:
        now = deps.clock()
        caller = deps.store.read(tenant_id, lambda tx: _caller(tx, digest_of(text), facts, now))
    return caller or Refusal(
        Code.SIGN_IN, "The provisioning token is unknown, expired or revoked: make a new one and enter it."
    )


def _caller(tx: Transaction, digest: str, facts: dict[str, Any], now: datetime) -> Caller | None:
    token = tx.provisioning.token(digest)
    if token is None or not token.valid(now):
        return None
    principal = tx.service_principals.get(token.client_id)
    if principal is None or not principal.enabled or PROVISION not in principal.permissions:
        return None
    return Caller(
        tenant_id=tx.tenant_id,
        principal_id=principal.id,
        kind=CallerKind.SERVICE_PRINCIPAL,
        display_name=principal.display_name,
        app_id=principal.app_id,
        permissions=frozenset(principal.permissions),
        **facts,
    )


def create(
    deps: Deps,
    caller: Caller,
    client_id: str,
    name: str,
    expires_at: datetime | None = None,
    *,
    once: str = "",
) -> Made | Refusal:
    """client_id: the service principal of the application. once: a word of the form, by which one that is sent twice makes
    one token (CONFLICT the second time)."""
    token_id = shown_once.id_of(client_id, once) if once else deps.new_id()

    def work(tx: Transaction, now: datetime) -> Done[Made] | Refusal:
        principal = _manageable(tx, caller, client_id, now)
        if isinstance(principal, Refusal):
            return principal
        if PROVISION not in principal.permissions:
            return Refusal(
                Code.INVALID,
                f"{principal.display_name} lacks the permission {PROVISION}. Grant it first, on the page of the application.",
                member="client_id",
            )
        if not name.strip() or len(name) > _LONGEST_NAME or not storable(name):
            return Refusal(
                Code.INVALID, f"Give the token a name of 1 to {_LONGEST_NAME} characters.", member="name"
            )
        if expires_at is not None and expires_at <= now:
            return Refusal(Code.INVALID, "The token would have expired already.", member="expires_at")
        tx.lock_tenant()
        present = tx.provisioning.tokens(client_id)
        if any(one.id == token_id for one in present):
            return shown_once.MADE
        if len(present) >= MOST_TOKENS:
            return Refusal(
                Code.INVALID,
                f"An application has at most {MOST_TOKENS} tokens. Remove one first.",
                member="name",
            )
        secret = deps.secret(32)
        text = token_text(tx.tenant_id, secret)
        token = Token(
            id=token_id,
            client_id=client_id,
            name=name.strip(),
            digest=digest_of(text),
            hint=secret[:3],
            created_at=now,
            created_by=caller.principal_id,
            expires_at=expires_at,
        )
        tx.provisioning.add_token(token)
        return Done(Made(token, text), (of_service_principal(principal), _target(token)))

    return perform(deps, caller, "Add provisioning token", "ApplicationManagement", work)


def all_of(deps: Deps, caller: Caller) -> list[Token] | Refusal:
    """The oldest first."""
    now = deps.clock()

    def work(tx: Transaction) -> list[Token] | Refusal:
        return may_grant_permissions(tx, caller, now) or tx.provisioning.tokens()

    return deps.store.read(caller.tenant_id, work)


def named(deps: Deps, caller: Caller) -> list[tuple[Token, ServicePrincipal | None]] | Refusal:
    """The same, each with its application; None where that is gone."""
    now = deps.clock()

    def work(tx: Transaction) -> list[tuple[Token, ServicePrincipal | None]] | Refusal:
        refusal = may_grant_permissions(tx, caller, now)
        if refusal is not None:
            return refusal
        found = tx.provisioning.tokens()
        apps = tx.service_principals.many({one.client_id for one in found})
        return [(one, apps.get(one.client_id)) for one in found]

    return deps.store.read(caller.tenant_id, work)


def remove(deps: Deps, caller: Caller, token_id: str) -> Refusal | None:
    """It opens nothing from this moment on."""

    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        refusal = may_grant_permissions(tx, caller, now)
        if refusal is not None:
            return refusal
        token = next((one for one in tx.provisioning.tokens() if one.id == token_id), None)
        if token is None or not tx.provisioning.remove_token(token_id):
            return not_found("provisioning token", token_id)
        return Done(None, (_target(token),))

    return perform(deps, caller, "Remove provisioning token", "ApplicationManagement", work)


def modes(deps: Deps, caller: Caller) -> list[Said] | Refusal:
    """By name of the group."""
    now = deps.clock()

    def work(tx: Transaction) -> list[Said] | Refusal:
        refusal = may_grant_permissions(tx, caller, now)
        if refusal is not None:
            return refusal
        found = tx.provisioning.modes()
        groups = tx.groups.many(found)
        said = [Said(one.id, one.display_name, found[one.id]) for one in groups.values()]
        return sorted(said, key=lambda one: (one.group_name.casefold(), one.group_id))

    return deps.store.read(caller.tenant_id, work)


def set_mode(deps: Deps, caller: Caller, group_id: str, mode: Mode | None) -> Said | Refusal | None:
    """What memberships that provisioners write into this group become. None: as the group's power says."""

    def work(tx: Transaction, now: datetime) -> Done[Said | None] | Refusal:
        refusal = may_grant_permissions(tx, caller, now)
        if refusal is not None:
            return refusal
        if caller.kind is not CallerKind.USER:
            return forbidden("What provisioning may give is decided by a person.")
        group = tx.groups.get(group_id)
        if group is None:
            return not_found("group", group_id)
        old = tx.provisioning.modes([group_id]).get(group_id)
        tx.provisioning.set_mode(group_id, mode)
        change = ("provisioning", old.value if old else None, mode.value if mode else None)
        said = Said(group_id, group.display_name, mode) if mode is not None else None
        return Done(said, (of_group(group, (change,)),), unchanged=old is mode)

    targets = (Target("Group", group_id),)
    return perform(deps, caller, "Update provisioning of group", "GroupManagement", work, targets=targets)


def _manageable(tx: Transaction, caller: Caller, client_id: str, now: datetime) -> ServicePrincipal | Refusal:
    refusal = may_grant_permissions(tx, caller, now)
    if refusal is not None:
        return refusal
    return tx.service_principals.get(client_id) or not_found("service principal", client_id)


def _target(token: Token) -> Target:
    return Target("Other", token.id, token.name)
