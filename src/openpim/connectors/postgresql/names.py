"""Names of roles in PostgreSQL: which may be used, and how the login role of an activation is called.

Names are exact here: they are always quoted, so `Alice` and `alice` are two roles.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from openpim.connectors.naming import plain_name
from openpim.core.connecting import Edge
from openpim.ports.connector import BadNameError

MOST_BYTES = 63  # the rest would be cut off silently, and name another role
JIT = "jit_"

# PostgreSQL takes "public" and "none" for more than names even where they are quoted; the others are its own words too.
_RESERVED = frozenset({"public", "none", "current_user", "session_user", "current_role"})
_KEY = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_COMMENT = re.compile(r"OpenPIM: activation (\S+) of (.+)", re.DOTALL)


def role_name(text: str, what: str) -> str:
    """Raises BadNameError."""
    plain_name(text, what, MOST_BYTES)
    folded = text.casefold()
    if folded in _RESERVED:
        raise BadNameError(f"{text!r} is a word of PostgreSQL and names no role.")
    if folded.startswith("pg_"):
        raise BadNameError(
            f"{text!r} is a role of PostgreSQL itself. Make a role of your own, give it to that, and use yours."
        )
    return text


@dataclass(frozen=True, slots=True)
class Login:
    """The login role of one activation, as its name and comment tell it."""

    name: str
    comment: str


def login_of(edge: Edge) -> Login:
    """One for each activation, person and role: two of one person end apart. The name can be found in logs by the id of the
    activation; the hash keeps those apart that one activation of a group gives to many."""
    told = edge.key.replace("-", "").lower() if _KEY.fullmatch(edge.key) else _hash(edge.key)[:32]
    apart = _hash(f"{edge.subject}\x00{edge.entitlement}\x00{edge.key}")[:12]
    return Login(f"{JIT}{told}_{apart}", f"OpenPIM: activation {edge.key} of {edge.subject}")


def told_by(name: str, comment: str, entitlement: str) -> Edge | None:
    """The edge that such a role stands for; None: it is none of ours, or not as we made it."""
    found = _COMMENT.fullmatch(comment) if name.startswith(JIT) else None
    if found is None:
        return None
    edge = Edge(found[2], entitlement, None, found[1])
    return edge if login_of(edge).name == name else None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
