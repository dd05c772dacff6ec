"""People and groups that another system writes here (a provisioner): what it wrote, under which names, by which token.

A provisioner is an application with the permission PROVISION. What it wrote about somebody is kept as written, so that it reads
back what it sent; what the directory has a place for is in the directory itself, and that is what counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from openpim.core.directory import Group, Principal, User

PROVISION: Final = "Provisioning.ReadWrite.All"
PRIVILEGED: Final = "Provisioning.ReadWrite.Privileged"  # beside it: powerful people and groups too

LONGEST_EXTERNAL_ID: Final = 256
LONGEST_WRITTEN: Final = 32_768  # characters of JSON
MOST_TOKENS: Final = 20  # of one application
TOKEN_PREFIX: Final = "pimscim_"  # by which scanners for leaked secrets can know one


class Mode(StrEnum):
    """What a membership that a provisioner writes becomes."""

    ELIGIBLE = "eligible"
    MEMBER = "member"


class Way(StrEnum):
    """How somebody came to be in a group for a provisioner. ADOPTED: somebody else had seen to it already."""

    MEMBER = "member"
    ELIGIBLE = "eligible"
    ADOPTED = "adopted"


@dataclass(frozen=True, slots=True)
class Record:
    """What one provisioner keeps about one person or group. written: the JSON object it sent, without what is ours.
    modified_at: when it last changed something; None: it is about to. disabled: it was this one that disabled the account."""

    external_id: str | None = None
    written: Mapping[str, Any] = field(default_factory=dict)
    modified_at: datetime | None = field(default=None, compare=False)
    disabled: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Person:
    """A user as a provisioner sees him. record: None before it wrote anything about him. domain: the organisation's default
    one, which it may leave away."""

    user: User
    record: Record | None
    domain: str


@dataclass(frozen=True, slots=True)
class Team:
    """A group as a provisioner sees it. members: None where they were not asked for."""

    group: Group
    record: Record | None = None
    members: tuple[Principal, ...] | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """A row: this provisioner put this principal into this group. schedule_id: the eligibility it made."""

    principal_id: str
    way: Way
    schedule_id: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A secret for provisioners that cannot ask for tokens by themselves. digest: of the secret, which is kept nowhere."""

    id: str
    client_id: str
    name: str
    digest: str
    hint: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None

    def valid(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at


def token_text(tenant_id: str, secret: str) -> str:
    """What the administrator pastes: it says by itself in which tenant to look it up."""
    return f"{TOKEN_PREFIX}{tenant_id.replace('-', '')}_{secret}"


def tenant_of_token(text: str) -> str | None:
    """The tenant a token says it is of."""
    rest = text.removeprefix(TOKEN_PREFIX)
    tenant, _, secret = rest.partition("_")
    if rest == text or not secret or len(tenant) != 32 or not set(tenant) <= set("0123456789abcdef"):
        return None
    return f"{tenant[:8]}-{tenant[8:12]}-{tenant[12:16]}-{tenant[16:20]}-{tenant[20:]}"


def digest_of(text: str) -> str:
    """256 random bits need no slow hash."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def upn_of(user_name: str, domain: str) -> str:
    """Provisioners may leave the domain away: then it is the organisation's own."""
    return user_name if "@" in user_name else f"{user_name}@{domain}"
