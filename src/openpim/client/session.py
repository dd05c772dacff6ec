"""A sign-in that lasts: hands out access tokens, refreshes them, and signs in more strongly when asked.

In order: `PIM_ACCESS_TOKEN`; `PIM_CLIENT_ID` with `PIM_CLIENT_SECRET` (automation); the token cache of
the profile.  `Interaction` is how it asks a person; without one it never does.  The flows themselves are imported when
one is needed: most runs only read the cache.
"""

from __future__ import annotations

import os

from openpim.client import clock
from openpim.client.errors import PimError
from openpim.client.tokens import TokenCache, Tokens, decode_claims

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpim.client.profiles import Profile
    from openpim.client.transport import Transport

__all__ = ["Interaction", "Session"]

_EARLY = 60.0  # a token is renewed this many seconds before it ends
_NOT_SIGNED_IN = "sign in: pim login"


class Interaction:
    """A person at a terminal: how to tell them something, and how to open a page."""

    def say(self, text: str) -> None:
        """Show the text."""
        raise NotImplementedError

    def browse(self, url: str) -> bool:
        """Open the page; False if that is not possible."""
        raise NotImplementedError


class Session:
    """The sign-in of one profile."""

    def __init__(
        self, profile: Profile, transport: Transport, home: str, interaction: Interaction | None = None
    ) -> None:
        self.profile = profile
        self.transport = transport
        self.interaction = interaction
        self.cache = TokenCache.of(profile, home)
        self._tokens: Tokens | None = None
        self._client = (os.environ.get("PIM_CLIENT_ID", ""), os.environ.get("PIM_CLIENT_SECRET", ""))

    @property
    def is_application(self) -> bool:
        """Whether an application signs in as itself, with a secret from the environment."""
        return all(self._client)

    def tokens(self) -> Tokens:
        """Tokens that are good now; raises `PimError("signin")` if a person has to sign in first."""
        held = self._tokens
        if held is not None and held.expires - _EARLY > clock.now():
            return held
        given = os.environ.get("PIM_ACCESS_TOKEN", "")
        if given:
            account = {
                k: str(v) for k, v in decode_claims(given).items() if k in {"oid", "tid", "upn", "name"}
            }
            self._tokens = Tokens(given, clock.now() + 3600.0, "", account)
        elif self.is_application:
            self._tokens = self._application()
        else:
            self._tokens = self._from_cache()
        return self._tokens

    def access(self, resource: str = "") -> str:
        """An access token that is good now, for Graph or for the API at the address `resource`."""
        tokens = self.tokens()
        if not resource:
            return tokens.access
        held = tokens.others.get(resource)
        if held is not None and held[1] - _EARLY > clock.now():
            return held[0]
        return self._other(tokens, resource)

    def _other(self, tokens: Tokens, resource: str, claims: str = "", refused: str = "") -> str:
        """A fresh token for another API than Graph; `refused`: the one that it no longer takes."""
        if os.environ.get("PIM_ACCESS_TOKEN"):
            given = self._given(resource)
            if given and given != refused:
                return given
            text = f"the token in PIM_ACCESS_TOKEN is not for {resource}"
            raise PimError("signin", text, "give another one for that: PIM_ARM_ACCESS_TOKEN")
        if self.is_application:
            fresh = self._application(claims, resource)
        else:
            fresh = self._redeemed(tokens, claims, resource, refused)
        tokens.others[resource] = (fresh.access, fresh.expires)
        return fresh.access

    def _given(self, resource: str) -> str:
        """The token in the environment for another API than Graph, "" if there is none."""
        token = os.environ.get("PIM_ARM_ACCESS_TOKEN", "")
        if token:
            return token
        token = os.environ.get("PIM_ACCESS_TOKEN", "")
        meant = str(decode_claims(token).get("aud") or "").rstrip("/")
        return token if meant == resource else ""

    def can_reach(self, resource: str) -> bool:
        """Whether this sign-in can be for the API at `resource`: a token in the environment is for one alone."""
        return not os.environ.get("PIM_ACCESS_TOKEN") or bool(self._given(resource))

    def _redeemed(self, tokens: Tokens, claims: str, resource: str, refused: str) -> Tokens:
        """The same refresh token, redeemed for another API; what another process got meanwhile is taken as it is."""
        from openpim.client import oauth

        with self.cache.lock():
            kept = self.cache.load()
            if kept is None:
                raise PimError("signin", "signed out meanwhile", _NOT_SIGNED_IN)
            access, expires = kept.others.get(resource, ("", 0.0))
            if not claims and access != refused and expires - _EARLY > clock.now():
                return Tokens(access, expires)
            if not self.cache.with_refresh(kept).refresh:
                raise PimError("signin", "the sign-in has ended", _NOT_SIGNED_IN)
            fresh = oauth.refresh(self.transport, self.profile, kept, claims, resource)
            kept.refresh = tokens.refresh = fresh.refresh
            kept.others[resource] = (fresh.access, fresh.expires)
            self.cache.save(kept)
            return fresh

    def _application(self, claims: str = "", resource: str = "") -> Tokens:
        from openpim.client import oauth

        tenant = os.environ.get("PIM_TENANT", "")
        return oauth.client_credentials(
            self.transport, self.profile, *self._client, tenant=tenant, claims=claims, resource=resource
        )

    def _from_cache(self) -> Tokens:
        kept = self.cache.load()
        if kept is None:
            raise PimError("signin", f"not signed in to {self.profile.authority}", _NOT_SIGNED_IN)
        if kept.expires - _EARLY > clock.now():
            return kept
        return self._renewed(kept)

    def _renewed(self, known: Tokens, claims: str = "") -> Tokens:
        """Refresh under the lock; what another process refreshed meanwhile is taken as it is."""
        from openpim.client import oauth

        with self.cache.lock():
            kept = self.cache.load()
            if kept is None:
                raise PimError("signin", "signed out meanwhile", _NOT_SIGNED_IN)
            if not claims and kept.access != known.access and kept.expires - _EARLY > clock.now():
                return kept
            if not self.cache.with_refresh(kept).refresh:
                raise PimError("signin", "the sign-in has ended", _NOT_SIGNED_IN)
            try:
                fresh = oauth.refresh(self.transport, self.profile, kept, claims)
            except oauth.OAuthError as error:
                if error.code == "invalid_grant" and not claims:
                    raise PimError("signin", "the sign-in has ended", _NOT_SIGNED_IN) from error
                raise
            fresh.others = kept.others
            self.cache.save(fresh)
            return fresh

    def renew(self, resource: str = "") -> None:
        """The server no longer takes the access token: get another one without asking anybody."""
        held = self.tokens()
        if resource:
            self._other(held, resource, refused=held.others.get(resource, ("", 0.0))[0])
            return
        if os.environ.get("PIM_ACCESS_TOKEN"):
            raise PimError(
                "signin", "the token in PIM_ACCESS_TOKEN is not accepted", "unset it, or give a fresh one"
            )
        if self.is_application:
            self._tokens = self._application()
        else:
            self._tokens = self._renewed(held)

    def sign_in(self, *, flow: str = "", claims: str = "", prompt: str = "", login_hint: str = "") -> Tokens:
        """A person signs in; the tokens are kept."""
        from openpim.client import oauth

        if self.interaction is None:
            raise PimError(
                "signin", "a person has to sign in, and there is no terminal to ask at", _step_hint(claims)
            )
        self.cache.check()
        say = self.interaction.say
        if (flow or self.profile.flow) == "device":
            tokens = oauth.device_flow(self.transport, self.profile, say=say, claims=claims)
        else:
            tokens = oauth.browser_flow(
                self.transport, self.profile, say=say, browse=self.interaction.browse, claims=claims,
                prompt=prompt, login_hint=login_hint or self.profile.username,
            )  # fmt: skip
        with self.cache.lock():
            self.cache.save(tokens)
        self._tokens = tokens
        return tokens

    def _stronger(self, before: Tokens, claims: str, resource: str) -> str:
        """The access token that the refresh token gives for `claims`."""
        if resource:
            return self._other(before, resource, claims)
        self._tokens = self._renewed(before, claims)
        return self._tokens.access

    def step_up(self, claims: str, resource: str = "") -> None:
        """Get a token that has what `claims` asks for: silently if that works, else with a person."""
        from openpim.client.claims import satisfied
        from openpim.client.oauth import OAuthError

        before = self.tokens()
        if os.environ.get("PIM_ACCESS_TOKEN"):
            raise PimError("signin", "the token in PIM_ACCESS_TOKEN is not strong enough", _step_hint(claims))
        if self.is_application:
            if resource:
                self._other(before, resource, claims)
            else:
                self._tokens = self._application(claims)
            return
        if before.refresh or self.cache.entry:
            try:
                if satisfied(claims, decode_claims(self._stronger(before, claims, resource))):
                    return
            except OAuthError as error:
                claims = error.claims or claims
        if self.interaction is None:
            raise PimError("signin", "the server wants a stronger sign-in first", _step_hint(claims))
        self.interaction.say(_reason(claims))
        hint = before.account.get("upn", "")
        tokens = self.sign_in(claims=claims, login_hint=hint)
        if not satisfied(claims, decode_claims(tokens.access)):
            tokens = self.sign_in(claims=claims, login_hint=hint, prompt="login")
        if before.account.get("oid") and tokens.account.get("oid") != before.account["oid"]:
            who = tokens.account.get("upn", "somebody else")
            text = f"signed in as {who} now, but the request was begun as {hint or before.account['oid']}"
            raise PimError("signin", text, "run the command again to do it as the new account, or: pim login")
        if resource:
            self._other(tokens, resource, claims)

    def forget(self) -> tuple[bool, bool]:
        """Sign out: `(was signed in, the server was told)`."""
        with self.cache.lock():
            try:
                kept = self.cache.load()
            except PimError:
                kept = None
            told = False
            if kept is not None:
                from openpim.client import oauth

                try:
                    kept = self.cache.with_refresh(kept)
                    told = oauth.revoke(self.transport, self.profile, kept)
                except PimError:
                    told = False
            self._tokens = None
            return self.cache.forget(), told


def _reason(claims: str) -> str:
    from openpim.client.claims import wanted

    asked = wanted(claims)
    if "amr" in asked:
        return "The role's policy asks for multi-factor authentication, which this session lacks."
    if "acrs" in asked:
        return f"The role's policy asks for the authentication context {', '.join(asked['acrs'])}."
    return "The server wants you to sign in again."


def _step_hint(claims: str) -> str:
    from openpim.client.claims import wanted

    asked = wanted(claims)
    if "amr" in asked:
        return "sign in at a terminal: pim login --mfa"
    if asked.get("acrs"):
        return f"sign in at a terminal: pim login --acr {asked['acrs'][0]}"
    return "sign in at a terminal: pim login"
