"""What tokens must prove: the `claims` parameter (OpenID Connect Core 5.5), of which we act on access_token.acrs, .amr and
.xms_cc and on id_token.acr; and `acr_values` (RFC 9470), where a context or `mfa` may stand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

_CONTEXT = re.compile(r"c([1-9]|[1-9][0-9])\Z")
MAX_CLAIMS = 8000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the tokens must prove. acrs: authentication contexts c1..c99; mfa; cp1: the client handles challenges."""

    acrs: tuple[str, ...] = ()
    mfa: bool = False
    cp1: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """How somebody signed in so far, and when: auth_time the first factor, mfa_at the second, each the last time."""

    amr: frozenset[str]
    acrs: frozenset[str]
    auth_time: datetime | None = None
    mfa_at: datetime | None = None


def parse_claims(text: str) -> Wanted | None:
    """None when `text` is not a JSON object; anything in it that we do not act on is ignored."""
    if not text:
        return Wanted()
    if len(text) > MAX_CLAIMS:
        return None
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    token, identity = body.get("access_token"), body.get("id_token")
    found = Wanted()
    if isinstance(token, dict):
        found = Wanted(
            acrs=tuple(v for v in _values(token.get("acrs")) if _CONTEXT.match(v)),
            mfa="mfa" in _values(token.get("amr")),
            cp1="cp1" in [value.lower() for value in _values(token.get("xms_cc"))],
        )
    member = identity.get("acr") if isinstance(identity, dict) else None
    return with_acr(found, _values(member) if isinstance(member, dict) and member.get("essential") else ())


ACR_VALUES = ("1", "mfa")  # besides the contexts c1 to c99


def with_acr(wanted: Wanted, values: Iterable[str]) -> Wanted:
    """values: acr values in the order of preference. The first that we know counts; one that no sign-in can prove asks for
    nothing (OpenID Connect Core 3.1.2.1: they are voluntary)."""
    first = next((one for one in values if one in ACR_VALUES or _CONTEXT.match(one)), "1")
    if first == "mfa":
        return replace(wanted, mfa=True)
    if first == "1":
        return wanted
    return replace(wanted, acrs=tuple(dict.fromkeys([*wanted.acrs, first])))


def _values(member: Any) -> list[str]:
    if not isinstance(member, dict):
        return []
    many = member.get("values")
    found = [member.get("value"), *(many if isinstance(many, list) else [])]
    return list(dict.fromkeys(value for value in found if isinstance(value, str)))


def is_context(text: str) -> bool:
    return _CONTEXT.match(text) is not None


def fresh_until(context: str, proof: Proof, mfa_contexts: frozenset[str], life: timedelta) -> datetime | None:
    """Until when the proof stands for a context: so long after the second factor was given, where the context requires
    one, else after the person proved himself in any way. None: the proof does not satisfy it at all."""
    if context in mfa_contexts:
        given = proof.mfa_at if "mfa" in proof.amr else None
    else:
        given = max((at for at in (proof.auth_time, proof.mfa_at) if at is not None), default=None)
    return None if given is None else given + life


def _fresh(context: str, proof: Proof, mfa_contexts: frozenset[str], life: timedelta, now: datetime) -> bool:
    until = fresh_until(context, proof, mfa_contexts, life)
    return until is not None and now < until


def needs_mfa(
    wanted: Wanted, proof: Proof, mfa_contexts: frozenset[str], life: timedelta, now: datetime
) -> bool:
    """Must the person give a second factor, or give it anew? mfa_contexts: those of wanted.acrs that require it."""
    if wanted.mfa and "mfa" not in proof.amr:
        return True
    return any(
        not _fresh(context, proof, mfa_contexts, life, now)
        for context in wanted.acrs
        if context in mfa_contexts
    )


def needs_password(
    wanted: Wanted, proof: Proof, mfa_contexts: frozenset[str], life: timedelta, now: datetime
) -> bool:
    """Must he prove himself anew for a context that requires no second factor?"""
    return any(
        not _fresh(context, proof, mfa_contexts, life, now)
        for context in wanted.acrs
        if context not in mfa_contexts
    )


def granted_contexts(
    wanted: Wanted, proof: Proof, mfa_contexts: frozenset[str], life: timedelta, now: datetime
) -> dict[str, datetime]:
    """The contexts the tokens carry, each with its end: those proven before and those asked for, as far as the proof
    is not too old. mfa_contexts: of wanted.acrs and proof.acrs."""
    found: dict[str, datetime] = {}
    for context in sorted(proof.acrs.union(wanted.acrs)):
        until = fresh_until(context, proof, mfa_contexts, life)
        if until is not None and now < until:
            found[context] = until
    return found


def contexts_in(stored: Iterable[str], tenant_id: str) -> frozenset[str]:
    """Of the contexts a session keeps ("tenant id/c1"), those granted in this tenant."""
    return frozenset(
        name for tenant, _, name in (one.partition("/") for one in stored) if tenant == tenant_id
    )


def with_contexts(stored: Iterable[str], tenant_id: str, names: Iterable[str]) -> tuple[str, ...]:
    """What a session keeps after these were granted in the tenant."""
    return tuple(sorted({*stored, *(f"{tenant_id}/{name}" for name in names)}))


def demand(wanted: Wanted) -> str:
    """The `claims` an error answer names, for the client to repeat at the authorize endpoint."""
    token: dict[str, Any] = {}
    if wanted.acrs:
        one = {"value": wanted.acrs[0]} if len(wanted.acrs) == 1 else {"values": list(wanted.acrs)}
        token["acrs"] = {"essential": True, **one}
    if wanted.mfa or not token:
        token["amr"] = {"essential": True, "values": ["mfa"]}
    return json.dumps({"access_token": token}, separators=(",", ":"))
