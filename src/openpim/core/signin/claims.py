"""The `claims` parameter (OpenID Connect Core 5.5): of it we act on access_token.acrs, .amr and .xms_cc only."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
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
    """How somebody signed in so far."""

    amr: frozenset[str]
    acrs: frozenset[str]


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
    token = body.get("access_token")
    if not isinstance(token, dict):
        return Wanted()
    return Wanted(
        acrs=tuple(v for v in _values(token.get("acrs")) if _CONTEXT.match(v)),
        mfa="mfa" in _values(token.get("amr")),
        cp1="cp1" in [value.lower() for value in _values(token.get("xms_cc"))],
    )


def _values(member: Any) -> list[str]:
    if not isinstance(member, dict):
        return []
    many = member.get("values")
    found = [member.get("value"), *(many if isinstance(many, list) else [])]
    return list(dict.fromkeys(value for value in found if isinstance(value, str)))


def is_context(text: str) -> bool:
    return _CONTEXT.match(text) is not None


def needs_mfa(wanted: Wanted, proof: Proof, mfa_contexts: frozenset[str]) -> bool:
    """Must the person still give a second factor? mfa_contexts: those of wanted.acrs that require it."""
    if "mfa" in proof.amr:
        return False
    return wanted.mfa or any(context in mfa_contexts for context in wanted.acrs)


def granted_contexts(wanted: Wanted, proof: Proof, mfa_contexts: frozenset[str]) -> frozenset[str]:
    """The contexts the tokens carry: those proven before, and those asked for that the proof satisfies now."""
    now = {c for c in wanted.acrs if c not in mfa_contexts or "mfa" in proof.amr}
    return proof.acrs | now


def demand(wanted: Wanted) -> str:
    """The `claims` an error answer names, for the client to repeat at the authorize endpoint."""
    token: dict[str, Any] = {}
    if wanted.acrs:
        one = {"value": wanted.acrs[0]} if len(wanted.acrs) == 1 else {"values": list(wanted.acrs)}
        token["acrs"] = {"essential": True, **one}
    if wanted.mfa or not token:
        token["amr"] = {"essential": True, "values": ["mfa"]}
    return json.dumps({"access_token": token}, separators=(",", ":"))
