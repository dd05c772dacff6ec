"""The demo's short way into the portal: a link that works once lets a browser be anybody of the demo organisation, without
a password. Only `pim serve --demo` makes one, only on loopback; links and browsers are known in memory alone.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from openpim.core.signin.values import Account, digest
from openpim.ports.store import Transaction
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import Origin, record
from openpim.services.signin.sessions import open_session

_MOST = 50


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """purpose: what he is good for in the demo; "" for the others."""

    account: Account
    name: str
    title: str
    tenant: str
    purpose: str = ""


@dataclass
class Door:
    """people: in the order in which they are offered. links: unused ones; browsers: those let in (digests of both)."""

    signin: SignIn
    people: Sequence[DemoPerson]
    _links: set[str] = field(default_factory=set)
    _browsers: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def link(self) -> str:
        """The secret of a link that works once."""
        secret = self.signin.deps.secret(24)
        with self._lock:
            if len(self._links) < _MOST:
                self._links.add(digest(secret))
        return secret

    def open(self, secret: str) -> str | None:
        """A key for the browser that brings the secret first; None for everybody after."""
        with self._lock:
            if digest(secret) not in self._links:
                return None
            self._links.discard(digest(secret))
            key = self.signin.deps.secret(32)
            self._browsers.add(digest(key))
        return key

    def let_in(self, key: str) -> bool:
        with self._lock:
            return bool(key) and digest(key) in self._browsers

    def become(self, user_id: str, *, mfa: bool, origin: Origin) -> str | None:
        """The cookie of a session as that person; mfa: as if he had given a second factor too."""
        person = next((one for one in self.people if one.account.user_id == user_id), None)
        if person is None:
            return None
        return enter_demo(self.signin, person.account, ("pwd", "otp", "mfa") if mfa else ("pwd",), origin)


def enter_demo(signin: SignIn, account: Account, amr: tuple[str, ...], origin: Origin) -> str:
    """A session for a person without his password: the cookie's value. For the demo, and for tests."""

    def work(tx: Transaction) -> str:
        cookie = open_session(tx, signin.deps, account, amr, origin)[1]
        home = tx.in_tenant(account.tenant_id)
        record(signin.deps, home, account, "Sign in", origin, amr=amr, details=(("Door", "demo"),))
        return cookie

    return signin.deps.store.write("", work)
