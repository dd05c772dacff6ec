"""Names in MariaDB: of accounts, roles, and of the events that end what was given.

An account is a user and a host. People are named by the user alone, at the host of the target's settings; any other account
that has a managed role is named in full, `'alice'@'localhost'`, and such a name is nobody's of ours.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from openpim.connectors.naming import plain_name
from openpim.core.connecting import Edge
from openpim.ports.connector import BadNameError

MOST_BYTES = 128

_RESERVED = frozenset(
    {"public", "none", "current_user", "current_role", "session_user", "root", "mysql", "event_scheduler"}
)
_FULL = re.compile(r"'(.*)'@'(.*)'", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Account:
    """host: "" for a role."""

    user: str
    host: str

    @property
    def quoted(self) -> str:
        return f"{quoted(self.user)}@{quoted(self.host)}" if self.host else quoted(self.user)


def person_name(text: str) -> str:
    """Raises BadNameError."""
    name = _name(text, "a person's account")
    if _FULL.fullmatch(name):
        raise BadNameError("Give the user alone: the host is a setting of the target.")
    return name


def role_name(text: str) -> str:
    """Raises BadNameError."""
    return _name(text, "a role")


def account_of(subject: str, people_host: str) -> Account:
    full = _FULL.fullmatch(subject)
    return Account(full[1], full[2]) if full else Account(subject, people_host)


def subject_of(account: Account, people_host: str) -> str:
    if account.host == people_host and not _FULL.fullmatch(account.user):
        return account.user
    return f"'{account.user}'@'{account.host}'"


def event_name(target_id: str, edge: Edge) -> str:
    told = "\x00".join((target_id, *edge.name))
    return f"pim_end_{hashlib.sha256(told.encode()).hexdigest()[:40]}"


def quoted(name: str) -> str:
    """An identifier. By backticks it does not depend on any mode of the server: only the backtick itself is special."""
    if "\x00" in name or not name:
        raise BadNameError("The name cannot be written.")
    return "`" + name.replace("`", "``") + "`"


def _name(text: str, what: str) -> str:
    plain_name(text, what, MOST_BYTES)
    if any(ord(letter) > 0xFFFF for letter in text):
        raise BadNameError(f"The name of {what} has characters that MariaDB keeps in no name: {text!a}.")
    folded = text.casefold()
    if folded in _RESERVED or folded.startswith(("mariadb.", "mysql.")):
        raise BadNameError(f"{text!r} is a word or an account of MariaDB itself.")
    return text
