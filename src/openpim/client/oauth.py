"""The token endpoint and the flows that end there (OAuth 2.0, RFC 6749, 7636, 8628).

Each flow gives `Tokens`.  An error of the server is an `OAuthError` with the code of the RFC; nothing
here prints: a caller passes `say` and `browse`.
"""

from __future__ import annotations

from openpim.client import clock
from openpim.client.claims import merged
from openpim.client.errors import PimError
from openpim.client.tokens import Tokens, decode_claims
from openpim.client.transport import decode_json, form

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from openpim.client.profiles import Profile
    from openpim.client.transport import Transport

__all__ = ["OAuthError", "browser_flow", "client_credentials", "device_flow", "exchange", "refresh", "revoke"]

_EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_SIGNIN_HINTS = {
    "invalid_client": "the application id or secret is wrong: see pim profile show",
    "unauthorized_client": "this application may not sign in there: see pim profile show",
    "access_denied": "the sign-in was refused; start again: pim login",
    "expired_token": "the code was not used in time; start again: pim login --device",
}


class OAuthError(PimError):
    """The token endpoint said no.  `code` is its `error`, `claims` the claims request it sent along."""

    def __init__(self, code: str, description: str, claims: str = "") -> None:
        text = (description or code).splitlines()[0][:400]
        super().__init__("signin", f"sign-in failed: {text}", _SIGNIN_HINTS.get(code, "sign in: pim login"))
        self.code = code
        self.claims = claims


def _post(transport: Transport, url: str, fields: dict[str, str]) -> dict[str, Any]:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = transport.send("POST", url, headers, form(fields).encode())
    data = decode_json(response)
    if not isinstance(data, dict):
        text = f"{url} answered {response.status} and no JSON"
        raise PimError("server", text, "is this the address of an OpenPIM server? see: pim doctor")
    if response.status != 200:
        error = data.get("error")
        code = error if isinstance(error, str) else f"http {response.status}"
        if response.status >= 500 or response.status == 429:
            raise PimError(
                "server", f"the sign-in service answered {response.status}", "try again in a moment"
            )
        raise OAuthError(code, str(data.get("error_description") or ""), str(data.get("claims") or ""))
    return data


def _account(id_token: str, access: str) -> dict[str, str]:
    claims = decode_claims(id_token) or decode_claims(access)
    names = {
        "oid": claims.get("oid") or claims.get("sub"),
        "tid": claims.get("tid"),
        "upn": claims.get("preferred_username") or claims.get("upn") or claims.get("email"),
        "name": claims.get("name") or claims.get("app_displayname"),
    }
    return {key: str(value) for key, value in names.items() if value}


def _tokens(data: dict[str, Any], tenant: str, before: Tokens | None = None) -> Tokens:
    access = data.get("access_token")
    if not isinstance(access, str) or not access:
        raise PimError("server", "the sign-in service gave no access token", "see: pim doctor")
    try:
        lifetime = float(data.get("expires_in") or 0)
    except (TypeError, ValueError):
        lifetime = 0.0
    id_token = str(data.get("id_token") or "")
    account = _account(id_token, access) if id_token or before is None else before.account
    refresh_token = str(data.get("refresh_token") or (before.refresh if before else ""))
    scope = str(data.get("scope") or "")
    return Tokens(access, clock.now() + lifetime, refresh_token, account, tenant, scope)


def _check_id_token(data: dict[str, Any], client_id: str, nonce: str) -> None:
    """OpenID Connect Core 3.1.3.7: the token is for us and answers our request (its signature: TLS)."""
    claims = decode_claims(str(data.get("id_token") or ""))
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("nonce") != nonce or client_id not in audiences:
        raise PimError(
            "signin", "the sign-in answer is not the one that was asked for", "start again: pim login"
        )


def browser_flow(
    transport: Transport, profile: Profile, *, say: Callable[[str], None], browse: Callable[[str], bool],
    tenant: str = "", claims: str = "", login_hint: str = "", prompt: str = "", timeout: float = 300.0,
) -> Tokens:  # fmt: skip
    """Authorization code with PKCE (S256) and a loopback listener (RFC 8252)."""
    from base64 import urlsafe_b64encode
    from hashlib import sha256

    from openpim.client.loopback import Listener

    tenant = tenant or profile.tenant
    verifier, state, nonce = clock.new_secret(48), clock.new_secret(), clock.new_secret()
    digest = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    with Listener(state) as listener:
        fields = {
            "client_id": profile.client_id,
            "response_type": "code",
            "redirect_uri": listener.redirect_uri,
            "response_mode": "query",
            "scope": profile.scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": digest,
            "code_challenge_method": "S256",
            "claims": merged(claims),
            "login_hint": login_hint,
            "prompt": prompt,
            "max_age": "0" if prompt == "login" else "",
        }
        url = f"{profile.endpoint('authorize', tenant)}?{form(fields)}"
        say(f"Sign in with your browser. If none opens, go to:\n\n  {url}\n")
        if not browse(url):
            say(
                "No browser could be opened here. Open the address by hand, or stop (Ctrl-C): pim login --device"
            )
        answer = listener.wait(timeout)
        redirect_uri = listener.redirect_uri
    issuer = answer.get("iss", "")  # RFC 9207: the answer comes from where we asked
    if issuer and profile.kind == "openpim" and not issuer.startswith(profile.authority + "/"):
        raise PimError("signin", "the sign-in answer comes from another server", "start again: pim login")
    if answer.get("error"):
        raise OAuthError(answer["error"], answer.get("error_description", ""))
    data = _post(transport, profile.endpoint("token", tenant), {
        "client_id": profile.client_id,
        "grant_type": "authorization_code",
        "code": answer.get("code", ""),
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
        "scope": profile.scope,
        "claims": merged(claims),
    })  # fmt: skip
    _check_id_token(data, profile.client_id, nonce)
    return _tokens(data, tenant)


def device_flow(
    transport: Transport, profile: Profile, *, say: Callable[[str], None], tenant: str = "", claims: str = "",
) -> Tokens:  # fmt: skip
    """Device authorization grant (RFC 8628): a code to type on any other device."""
    tenant = tenant or profile.tenant
    asked = {"client_id": profile.client_id, "scope": profile.scope, "claims": merged(claims)}
    begun = _post(transport, profile.endpoint("devicecode", tenant), asked)
    where = str(begun.get("verification_uri") or begun.get("verification_url") or "")
    complete = str(begun.get("verification_uri_complete") or "")
    text = f"To sign in, open\n\n  {where}\n\non any device and enter the code\n\n  {begun.get('user_code', '')}\n"
    say(text + (f"\n(or open {complete})\n" if complete else ""))
    interval = _seconds(begun.get("interval"), 5.0, 60.0)
    until = clock.monotonic() + _seconds(begun.get("expires_in"), 900.0, 3600.0)
    code = str(begun.get("device_code") or "")
    redeem = {
        "client_id": profile.client_id,
        "grant_type": _DEVICE_GRANT,
        "device_code": code,
        "claims": asked["claims"],
    }
    while clock.monotonic() < until:
        clock.sleep(interval)
        try:
            return _tokens(_post(transport, profile.endpoint("token", tenant), redeem), tenant)
        except OAuthError as error:
            if error.code == "slow_down":
                interval += 5.0
            elif error.code != "authorization_pending":
                raise
        except PimError as error:  # one lost answer is no reason to give up a code that somebody is typing
            if error.kind != "server":
                raise
    raise OAuthError("expired_token", "the code was not used in time")


def _seconds(value: object, default: float, most: float) -> float:
    usable = isinstance(value, int | float) or (isinstance(value, str) and value.isdigit())
    return min(most, max(0.0, float(value))) if usable else default  # type: ignore[arg-type]


def refresh(
    transport: Transport, profile: Profile, before: Tokens, claims: str = "", resource: str = ""
) -> Tokens:
    """Redeem the refresh token, for Graph or another API; the caller holds the cache's lock and saves what comes back."""
    tenant = before.tenant or profile.tenant
    data = _post(transport, profile.endpoint("token", tenant), {
        "client_id": profile.client_id,
        "grant_type": "refresh_token",
        "refresh_token": before.refresh,
        "scope": f"{resource}/.default openid profile offline_access" if resource else profile.scope,
        "claims": merged(claims),
    })  # fmt: skip
    return _tokens(data, tenant, before)


def client_credentials(
    transport: Transport, profile: Profile, client_id: str, secret: str, *, tenant: str = "", claims: str = "",
    resource: str = "",
) -> Tokens:  # fmt: skip
    """An application signs in as itself (automation); it has to name its tenant."""
    tenant = tenant or profile.tenant
    if tenant in {"common", "organizations"}:
        text = "an application signs in to one tenant, and the profile names none"
        raise PimError("usage", text, "name it: PIM_TENANT=contoso.com")
    fields = {
        "client_id": client_id,
        "client_secret": secret,
        "grant_type": "client_credentials",
        "scope": f"{resource or profile.graph}/.default",
        "claims": merged(claims) if claims else "",
    }
    return _tokens(_post(transport, profile.endpoint("token", tenant), fields), tenant)


def exchange(
    transport: Transport, profile: Profile, access: str, activation: str, audience: str, *, tenant: str = ""
) -> tuple[str, float]:
    """Token exchange (RFC 8693): an access token for another API that carries one activation; (the token, when it ends)."""
    data = _post(transport, profile.endpoint("token", tenant or profile.tenant), {
        "client_id": profile.client_id,
        "grant_type": _EXCHANGE_GRANT,
        "subject_token": access,
        "subject_token_type": _ACCESS_TOKEN,
        "activation": activation,
        "audience": audience,
    })  # fmt: skip
    made = _tokens(data, tenant)
    return made.access, made.expires


def revoke(transport: Transport, profile: Profile, tokens: Tokens) -> bool:
    """Ask the server to forget the sign-in (RFC 7009); False where it has no such endpoint."""
    tenant = tokens.tenant or profile.tenant
    found = decode_json(
        transport.send("GET", f"{profile.authority}/{tenant}/v2.0/.well-known/openid-configuration")
    )
    endpoint = found.get("revocation_endpoint") if isinstance(found, dict) else None
    if not isinstance(endpoint, str) or not endpoint.startswith(profile.authority + "/"):
        return False
    fields = {"client_id": profile.client_id, "token": tokens.refresh, "token_type_hint": "refresh_token"}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return transport.send("POST", endpoint, headers, form(fields).encode()).status == 200
