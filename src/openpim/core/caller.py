"""Who is asking: the facts of a verified token, as the acts see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CallerKind(StrEnum):
    USER = "user"
    SERVICE_PRINCIPAL = "servicePrincipal"
    SYSTEM = "system"
    EXTENSION = "extension"  # another system that was asked, or called, and proved that it is the one


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller inside one tenant.

    principal_id: the object id in `tenant_id` (for the system itself: "").
    scopes: delegated permissions of the token (scp); permissions: application permissions (roles) for apps.
    amr / acrs: how the person proved who he is (RFC 8176 names; authentication contexts c1..c99).
    capabilities: what the client says it handles: "cp1" takes claims challenges.
    None of the claims frozen in a token are used for *privilege*: roles are read from the store each time.
    """

    tenant_id: str
    principal_id: str
    kind: CallerKind
    display_name: str = ""
    user_principal_name: str | None = None
    app_id: str | None = None
    scopes: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    amr: frozenset[str] = frozenset()
    acrs: frozenset[str] = frozenset()
    auth_time: datetime | None = None
    session_id: str | None = None
    ip: str | None = None
    client: str | None = None
    request_id: str | None = None
    capabilities: frozenset[str] = frozenset()

    @property
    def has_mfa(self) -> bool:
        return "mfa" in self.amr


def extension(tenant_id: str, channel_id: str, name: str, ip: str | None = None) -> Caller:
    """Another system, whose signature or certificate was verified. It has no rights of its own."""
    return Caller(tenant_id, channel_id, CallerKind.EXTENSION, display_name=name, ip=ip)


def system(tenant_id: str) -> Caller:
    """The caller of acts that no person asked for (expiry, due starts, time-outs)."""
    return Caller(tenant_id=tenant_id, principal_id="", kind=CallerKind.SYSTEM, display_name="OpenPIM")
