"""The device cookie: which people have signed in with this browser before. Their tries here are counted by browser,
so that a stranger's failures never slow them down, and a stolen cookie gives five free guesses, no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from openpim.core.signin.values import Account
from openpim.services.signin.context import SignIn

_PURPOSE = "known-browser"
_MOST = 8
LIFETIME = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Known:
    """people: (tenant, user, nonce, expiry in seconds), newest first."""

    people: tuple[tuple[str, str, str, int], ...] = ()

    def nonce(self, account: Account, now: float) -> str | None:
        for tenant_id, user_id, nonce, expiry in self.people:
            if (tenant_id, user_id) == (account.tenant_id, account.user_id) and now < expiry:
                return nonce
        return None


def read_known(signin: SignIn, cookie: str) -> Known:
    body = signin.sealer.unseal_json(_PURPOSE, cookie) if cookie else None
    return Known(tuple((t, u, n, e) for t, u, n, e in body["p"])) if body else Known()


def remember(signin: SignIn, known: Known, account: Account) -> str:
    """The cookie's new value, after `account` signed in."""
    now = signin.deps.clock()
    fresh = (
        account.tenant_id,
        account.user_id,
        signin.deps.secret(16),
        int((now + LIFETIME).timestamp()),
    )
    others = [one for one in known.people if one[:2] != fresh[:2] and one[3] > now.timestamp()]
    return signin.sealer.seal_json(_PURPOSE, {"p": [fresh, *others][:_MOST]})
