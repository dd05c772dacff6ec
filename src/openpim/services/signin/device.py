"""Device authorization (RFC 8628): a code for a device without a browser, and finding it again when typed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from openpim.core.refusals import Refusal
from openpim.core.signin import throttle as limits
from openpim.core.signin.claims import parse_claims
from openpim.core.signin.oauth import OAuthError
from openpim.core.signin.values import DeviceCode, digest
from openpim.ports.store import Transaction
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import Origin
from openpim.services.signin.flow import Ask, Browser, Failed, Turn, begin, open_flow
from openpim.services.signin.people import ANY_TENANT, find_client, find_tenant
from openpim.services.signin.steps import start
from openpim.services.signin.throttle import key, reserve, succeeded

_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, no look-alikes: 20^8 codes
_INTERVAL = 5
_MANY = limits.Limit(free=300, longest=timedelta(minutes=15), window=timedelta(minutes=15))


@dataclass(frozen=True, slots=True)
class DeviceAnswer:
    device_code: str
    user_code: str
    verification_uri: str
    expires_in: int
    interval: int

    @property
    def message(self) -> str:
        return (
            f"To sign in, open {self.verification_uri} in a web browser and enter the code {self.user_code}. "
            "Enter it only if you started this yourself."
        )


def start_device(
    signin: SignIn, authority: str, fields: Mapping[str, str], origin: Origin
) -> DeviceAnswer | OAuthError:
    """fields: client_id, scope (or resource), claims."""
    deps = signin.deps
    asked = signin.asked(fields.get("scope", ""), fields.get("resource", ""))
    if isinstance(asked, OAuthError):
        return asked
    claims = fields.get("claims", "")
    if parse_claims(claims) is None:
        return OAuthError("invalid_request", "claims is not a JSON object.")
    throttled = reserve(deps, [key(_MANY, "device codes", limits.network(origin.ip))])
    if throttled is not None:
        return OAuthError("slow_down", throttled.message, 429, retry_after=throttled.retry_after)
    scopes = asked.scopes
    if fields.get("resource") and not any("/" in one for one in scopes):
        scopes = (*scopes, fields["resource"].rstrip("/") + "/.default")
    secret = f"opimdc_{deps.secret(32)}"
    now = deps.clock()
    lifetime = timedelta(minutes=deps.settings.device_code_minutes)

    def work(tx: Transaction) -> str | OAuthError:
        if authority.lower() not in ANY_TENANT and find_tenant(tx, authority) is None:
            return OAuthError("invalid_request", "There is no such tenant: check the address.")
        client = find_client(tx, fields.get("client_id", ""))
        if client is None:
            return OAuthError("invalid_client", "The application is not registered here.", 401)
        if not client.public:
            return OAuthError("unauthorized_client", "The device flow is for public clients.")
        tx.device_codes.forget(now - timedelta(days=1))
        user_code = _user_code(deps.secret(16))
        tx.device_codes.add(
            DeviceCode(
                hash=digest(secret),
                user_code=user_code,
                client_id=client.app_id,
                authority=authority.lower(),
                scope=scopes,
                created_at=now,
                expires_at=now + lifetime,
                claims=claims,
                ip=origin.ip,
                interval=_INTERVAL,
            )
        )
        return user_code

    made = deps.store.write("", work)
    if isinstance(made, OAuthError):
        return made
    return DeviceAnswer(secret, made, f"{origin.base}/devicelogin", int(lifetime.total_seconds()), _INTERVAL)


def _user_code(chance: str) -> str:
    number = int.from_bytes(sha256(chance.encode()).digest(), "big")
    letters = []
    for _ in range(8):
        number, place = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[place])
    return "".join(letters)


def submit_code(signin: SignIn, sealed: str, typed: str, browser: Browser) -> Turn:
    """Somebody typed a code at /devicelogin: go on to the sign-in, or show the form again."""
    if open_flow(signin, sealed, browser) is None:
        return Turn(Failed("This page is too old, or belongs to another browser: open it again.", 400))
    plain = "".join(letter for letter in typed.upper() if letter.isalpha())[:16]
    keys = [key(limits.USER_CODE, "user code", limits.network(browser.origin.ip))]
    throttled = reserve(signin.deps, keys)
    if throttled is not None:
        return Turn(_form(signin, browser, throttled))

    def find(tx: Transaction) -> DeviceCode | None:
        device = tx.device_codes.by_user_code(plain)
        if device is None or device.status != "pending" or signin.deps.clock() >= device.expires_at:
            return None
        succeeded(tx, keys)
        return device

    device = signin.deps.store.write("", find)
    if device is None:
        return Turn(_form(signin, browser, "That code is not known or has expired: check it and try again."))
    return start(signin, "device", device.authority, {"code": device.hash}, browser)


def _form(signin: SignIn, browser: Browser, problem: Refusal | str = "") -> Ask:
    error = problem.message if isinstance(problem, Refusal) else problem
    retry_after = problem.retry_after if isinstance(problem, Refusal) else None
    return Ask("user_code", begin(signin, "device", "common", {}, browser), error, retry_after=retry_after)


def code_form(signin: SignIn, browser: Browser) -> Turn:
    """The empty form of /devicelogin."""
    return Turn(_form(signin, browser))
