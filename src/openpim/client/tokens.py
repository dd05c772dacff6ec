"""The token cache: one private file per profile, guarded by a lock.

The refresh token may be kept in the system's keyring instead (a setting of the profile); the access token,
which lasts an hour, stays in the file, so that most runs need no keyring.

A refresh token is used once (the server rotates it and takes a second use for theft), so whoever
refreshes holds the lock and reads the cache again first.
"""

from __future__ import annotations

import json
import os

from openpim.client.files import Lock, read_private, write_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from openpim.client.profiles import Profile

_SERVICE = "openpim"

__all__ = ["TokenCache", "Tokens", "decode_claims"]


def decode_claims(token: str) -> dict[str, Any]:
    """What a JWT says, unverified: it came from the server over TLS and is only used to show and choose."""
    from binascii import a2b_base64

    try:
        body = token.split(".")[1].replace("-", "+").replace("_", "/")
        claims = json.loads(a2b_base64(body + "=" * (-len(body) % 4)))
    except (ValueError, IndexError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


class Tokens:
    """What a sign-in gave: tokens, when the access token ends (seconds since 1970), and the account.

    others: access tokens for other APIs than Graph, by address: the token, and when it ends.
    """

    __slots__ = ("access", "account", "expires", "others", "refresh", "scope", "tenant")

    def __init__(
        self, access: str, expires: float, refresh: str = "", account: dict[str, str] | None = None,
        tenant: str = "", scope: str = "", others: dict[str, tuple[str, float]] | None = None,
    ) -> None:  # fmt: skip
        self.access = access
        self.expires = expires
        self.refresh = refresh
        self.account = account or {}
        self.tenant = tenant
        self.scope = scope
        self.others = others or {}


class TokenCache:
    """The cache of one profile; the file is `tokens-NAME.json` in the configuration folder.

    `binding` says for which server and application the tokens are: those of another one count as none,
    so that a profile that was pointed elsewhere never sends its old tokens there.
    """

    def __init__(self, home: str, profile: str, binding: str = "", *, keyring: bool = False) -> None:
        self.path = os.path.join(home, f"tokens-{profile}.json")
        self.binding = binding
        self.entry = f"{profile} {binding}" if keyring else ""

    @classmethod
    def of(cls, profile: Profile, home: str) -> Self:
        """The cache of the profile, as it is now."""
        binding = f"{profile.authority} {profile.graph} {profile.client_id}"
        return cls(home, profile.name, binding, keyring=profile.keyring == "yes")

    @property
    def _keyring(self) -> Any:
        """The `keyring` package; slow to import, so only when the refresh token is needed."""
        from importlib import import_module

        from openpim.client.errors import PimError

        try:
            return import_module("keyring")
        except ModuleNotFoundError:
            text = (
                "the profile keeps its sign-in in the system's keyring, and the package for that is missing"
            )
            raise PimError("signin", text, "pip install 'openpim[cli]', or: pim login --no-keyring") from None

    def check(self) -> None:
        """Raise before a person signs in, not after, if what they sign in for cannot be kept."""
        if self.entry:
            _ = self._keyring

    def with_refresh(self, tokens: Tokens) -> Tokens:
        """The same tokens with the refresh token, which may be in the system's keyring."""
        if self.entry and not tokens.refresh:
            tokens.refresh = str(self._keyring.get_password(_SERVICE, self.entry) or "")
        return tokens

    def lock(self) -> Lock:
        """Hold this while redeeming a refresh token."""
        return Lock(self.path + ".lock")

    def load(self) -> Tokens | None:
        """The tokens kept, or None; a damaged file counts as none."""
        raw = read_private(self.path, secret=True)
        if raw is None:
            return None
        try:
            data = json.loads(raw)
            if data["binding"] != self.binding:
                return None
            account = {str(key): str(value) for key, value in data["account"].items()}
            kept = data.get("others") or {}
            others = {str(key): (str(value[0]), float(value[1])) for key, value in kept.items()}
            return Tokens(
                str(data["access_token"]), float(data["expires_at"]), str(data.get("refresh_token") or ""),
                account, str(data.get("tenant") or ""), str(data.get("scope") or ""), others,
            )  # fmt: skip
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
            return None

    def save(self, tokens: Tokens) -> None:
        """Keep the tokens."""
        if self.entry and tokens.refresh:
            self._keyring.set_password(_SERVICE, self.entry, tokens.refresh)
        data = {
            "binding": self.binding,
            "access_token": tokens.access,
            "expires_at": tokens.expires,
            "refresh_token": "" if self.entry else tokens.refresh,
            "account": tokens.account,
            "tenant": tokens.tenant,
            "scope": tokens.scope,
            "others": tokens.others,
        }
        write_private(self.path, json.dumps(data, indent=1).encode())

    def forget(self) -> bool:
        """Delete the file; whether there was one."""
        if self.entry:
            keyring = self._keyring
            if keyring.get_password(_SERVICE, self.entry) is not None:
                keyring.delete_password(_SERVICE, self.entry)
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            return False
        return True
