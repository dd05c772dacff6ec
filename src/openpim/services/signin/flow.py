"""A sign-in on its way: what the pages carry from one step to the next, and what a step can end in.

A flow is not stored: it travels in the page, sealed, and counts only in the browser it began in (its cookie's digest
stands in it), so that nobody can slip a half-done sign-in, or a ready-made form, into another person's browser.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Literal

from openpim.core.signin.values import Account, digest
from openpim.services.signin.context import SignIn, issuer
from openpim.services.signin.events import Origin
from openpim.services.signin.people import ANY_TENANT

_PURPOSE = "flow"
_LIFETIME = timedelta(hours=1)
Kind = Literal["authorize", "device", "portal"]
Step = Literal[
    "password",
    "code",
    "enrol",
    "recovery_codes",
    "account",
    "tenant",
    "consent",
    "confirm_device",
    "user_code",
]


@dataclass(frozen=True, slots=True)
class Browser:
    """What a browser sent along: its cookies ("" if none) and where it is. browser: the random pre-session id."""

    browser: str
    origin: Origin
    session: str = ""
    known: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """authority: the tenant segment. params: of the authorize request (kind authorize), {"code": digest} (device),
    {"path": ...} and what services.signin.portal puts there (portal). account: who gave the password in this flow, not yet in a session; amr: with what.
    proven: when, in seconds. tenant: chosen. chosen: the account was confirmed. again: the password must be given anew.
    seed: being enrolled, by the user seed_for. offered: the (resource, permission) pairs on the consent page, shown to
    the user offered_to; allowed: he said yes ("me", or "all" for everybody;
    "done": it is written down). challenge: for a passkey; challenge_for: "tenant/user" whose it must be, "" anybody's.
    """

    kind: Kind
    authority: str
    params: dict[str, str]
    browser: str
    started: int
    account: Account | None = None
    amr: tuple[str, ...] = ()
    tenant: str | None = None
    chosen: bool = False
    again: bool = False
    confirmed: bool = False
    seed: str = ""
    name: str = ""
    proven: float = 0.0
    seed_for: str = ""
    offered: tuple[tuple[str, str], ...] = ()
    offered_to: str = ""
    allowed: str = ""
    challenge: str = ""
    challenge_for: str = ""


def begin(signin: SignIn, kind: Kind, authority: str, params: dict[str, str], browser: Browser) -> Flow:
    now = int(signin.deps.clock().timestamp())
    return Flow(kind, authority.lower(), params, digest(browser.browser), now)


def seal_flow(signin: SignIn, flow: Flow) -> str:
    return signin.sealer.seal_json(_PURPOSE, asdict(flow))


def open_flow(signin: SignIn, text: str, browser: Browser) -> Flow | None:
    """None if it is not ours, too old, or began in another browser."""
    body: dict[str, Any] | None = signin.sealer.unseal_json(_PURPOSE, text) if text else None
    if body is None:
        return None
    account = body.pop("account")
    offered = tuple((resource, name) for resource, name in body.pop("offered"))
    flow = Flow(
        **{
            **body,
            "amr": tuple(body["amr"]),
            "offered": offered,
            "account": Account(**account) if account else None,
        }
    )
    age = signin.deps.clock().timestamp() - flow.started
    if age > _LIFETIME.total_seconds() or not browser.browser or flow.browser != digest(browser.browser):
        return None
    return flow


def id_issuer(base: str, authority: str, tenant_id: str) -> str:
    """The issuer of ID tokens, equal to the one in the discovery document of the address the client used: strict
    clients demand it. base: our public address as the client wrote it."""
    folded = authority.lower()
    if folded == "adfs":
        return f"{base}/adfs"
    return issuer(base, folded if folded in ANY_TENANT else tenant_id)


def local_path(text: str, default: str = "/") -> str:
    """A path (and query) on our own origin, or the default: nothing a browser would take for another host."""
    plain = len(text) <= 4000 and all("\x20" < character != "\x7f" for character in text)
    return text if plain and text.startswith("/") and text[1:2] != "/" and "\\" not in text else default


# ---------------------------------------------------------------------------------------------- outcomes


@dataclass(frozen=True, slots=True)
class Ask:
    """Show a page and wait for its form. target: where the whole may end, for the page's form-action."""

    step: Step
    flow: Flow
    error: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Send the browser back to the client with `params`. mode: query, fragment or form_post."""

    redirect_uri: str
    mode: str
    params: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """A page that says no: nothing is sent to any client."""

    message: str
    status: int = 400
    title: str = "Sign-in is not possible"


@dataclass(frozen=True, slots=True)
class Done:
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class GoTo:
    """A path on our own origin. form: fields to send there by POST, as the person once typed them."""

    path: str
    form: tuple[tuple[str, str], ...] = ()


Outcome = Ask | Answer | Failed | Done | GoTo


@dataclass(frozen=True, slots=True)
class Turn:
    """An outcome, and the cookies to set with it (None: leave)."""

    outcome: Outcome
    session: str | None = None
    known: str | None = None
