"""Chat and push through apprise: one message to the place a chat address names.

Only services on the list below, each loaded by itself and when first used; none that could reach into this machine, and
no address may carry more than those services need (apprise would read templates from files). What apprise sends goes
through the guarded road (notify/outbound.py) like everything else: it is given a stand-in for its HTTP library.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from openpim.ports.channels import Message, Outcome
from openpim.ports.outbound import Outbound, OutboundError, OutboundFault

MISSING = "Chat and push need the package apprise. Install it with: pip install 'openpim[chat]'"
LONGEST = 1000
_SECONDS = 10.0
# scheme -> (module, class) of apprise.plugins
SERVICES: Mapping[str, tuple[str, str]] = {
    "discord": ("discord", "NotifyDiscord"),
    "gchat": ("google_chat", "NotifyGoogleChat"),
    "gotify": ("gotify", "NotifyGotify"),
    "gotifys": ("gotify", "NotifyGotify"),
    "matrix": ("matrix", "NotifyMatrix"),
    "matrixs": ("matrix", "NotifyMatrix"),
    "mmost": ("mattermost", "NotifyMattermost"),
    "mmosts": ("mattermost", "NotifyMattermost"),
    "ntfy": ("ntfy", "NotifyNtfy"),
    "ntfys": ("ntfy", "NotifyNtfy"),
    "opsgenie": ("opsgenie", "NotifyOpsgenie"),
    "pagerduty": ("pagerduty", "NotifyPagerDuty"),
    "rocket": ("rocketchat", "NotifyRocketChat"),
    "rockets": ("rocketchat", "NotifyRocketChat"),
    "slack": ("slack", "NotifySlack"),
    "tgram": ("telegram", "NotifyTelegram"),
    "workflow": ("workflows", "NotifyWorkflows"),
    "workflows": ("workflows", "NotifyWorkflows"),
    "wxteams": ("webexteams", "NotifyWebexTeams"),
    "zulip": ("zulip", "NotifyZulip"),
}
# Services that also know the address which their own site shows for copying.
_NATIVE = ("slack", "discord", "workflows", "gchat", "mmosts", "wxteams")
# What may stand behind the `?`. Everything else could mean files, headers, or no check of certificates.
_OPTIONS = frozenset(
    {
        "api-version", "auth", "blocks", "channel", "class", "component", "format", "group", "key", "mode",
        "priority", "region", "severity", "sig", "silent", "source", "sp", "sv", "tags", "thread", "threadkey", "to",
        "token", "topic",
    }
)  # fmt: skip

_guard: ContextVar[_Guard] = ContextVar("openpim-chat")


@dataclass
class _Guard:
    outbound: Outbound
    error: OutboundError | None = None


class AppriseChat:
    """See ports/channels.py `Chat`."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    def fault(self, url: str) -> str | None:
        try:
            plugin = _plugin(url)
        except ImportError:
            return MISSING
        if isinstance(plugin, str):
            return plugin
        host = getattr(plugin, "host", None)
        if _has_own_host(plugin) and host:
            scheme = "https" if plugin.secure else "http"
            shown = f"[{host}]" if ":" in host else host
            return self._outbound.fault(f"{scheme}://{shown}:{plugin.port or 443}/")
        return None

    def send(self, url: str, message: Message) -> Outcome:
        try:
            plugin = _plugin(url)
        except ImportError:
            return Outcome(sent=False, reason=MISSING)
        if isinstance(plugin, str):
            return Outcome(sent=False, reason=plugin, retry=False)
        guard = _Guard(self._outbound)
        token = _guard.set(guard)
        try:
            sent = bool(
                plugin.notify(
                    body=_quiet(message.text) + (f"\n{message.link}" if message.link else ""),
                    title=_quiet(message.title),
                    notify_type="warning" if message.critical else "info",
                )
            )
        except Exception as error:  # noqa: BLE001 - a library's bug is this channel's failure, not the sender's
            return Outcome(sent=False, reason=f"The chat library failed ({type(error).__name__}).")
        finally:
            _guard.reset(token)
        if guard.error is not None:
            final = guard.error.fault in {OutboundFault.FORBIDDEN_ADDRESS, OutboundFault.BAD_ADDRESS}
            return Outcome(sent=False, reason=guard.error.message, retry=not final)
        return Outcome(sent=True) if sent else Outcome(sent=False, reason="The service did not take it.")


def _plugin(url: str) -> Any | str:
    """The service's object; or what is wrong with the address, in a sentence that repeats none of it."""
    scheme = url.partition("://")[0].lower()
    if len(url) > LONGEST or not url.isprintable() or "://" not in url:
        return f"Write an address such as ntfys://host/topic, of at most {LONGEST} characters."
    if scheme == "https":
        results = next((found for name in _NATIVE if (found := _native(name, url))), None)
    elif scheme in SERVICES:
        results = _class(scheme).parse_url(url)
    else:
        return f"The address must begin with one of: {', '.join(f'{name}://' for name in SERVICES)}."
    if not results:
        return "The address is not one that this service gives out."
    extra = sorted(set(results.get("qsd", ())) - _OPTIONS)
    if extra or any(results.get(f"qsd{mark}") for mark in "+-:"):
        return f"Leave {extra[0] if extra else 'the additional headers'} out of the address."
    results["verify"] = True
    import apprise  # noqa: PLC0415 - loaded when first used

    asset = apprise.AppriseAsset(
        app_id="OpenPIM",
        app_desc="OpenPIM",
        app_url="",
        image_url_mask="",
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        secure_logging=True,
    )
    try:
        return _class(results["schema"])(**results, asset=asset)
    except (TypeError, ValueError):
        return "The address is not one that this service gives out."


def _native(name: str, url: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = _class(name).parse_native_url(url)
    return found


def _class(scheme: str) -> Any:
    """The class that speaks to a service, its HTTP calls on the guarded road. Raises ImportError without apprise."""
    module_name, class_name = SERVICES[scheme]
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would log parts of addresses
    found = getattr(importlib.import_module(f"apprise.plugins.{module_name}"), class_name)
    module = importlib.import_module(found.__module__)
    if not isinstance(vars(module).get("requests"), _Requests):
        if "requests" not in vars(module):
            raise ImportError(f"apprise.plugins.{module_name} does not call through requests")
        module.requests = _Requests()  # type: ignore[attr-defined]
    return found


def _has_own_host(plugin: Any) -> bool:
    """Whether the address says which server it is, or only whose account on the service's one server."""
    if type(plugin).__name__ == "NotifyWorkflows" or getattr(plugin, "mode", None) == "cloud":
        return False
    return "{host}" in " ".join(getattr(plugin, "templates", ()))


def _quiet(text: str) -> str:
    """Texts of requestors wake nobody and are no markup: no @everyone, no <!channel>, and no link that reads as another
    place than it leads to ("[Approve](https://…)")."""
    return (
        text.replace("@", "@\u200b")
        .replace("<", "‹")
        .replace(">", "›")
        .replace("[", "\u2045")
        .replace("]", "\u2046")
    )


class _Requests:
    """Stands in for the module `requests` inside one plugin."""

    def __getattr__(self, name: str) -> Any:
        import requests  # noqa: PLC0415 - loaded when first used

        if name in {"get", "post", "put", "patch", "delete", "head", "options"}:
            return _verb(name.upper())
        if name == "request":
            return _send
        if name in {"Session", "session"}:
            raise AttributeError(name)  # a session would go its own way
        return getattr(requests, name)


def _verb(method: str) -> Callable[..., Any]:
    return lambda url, **more: _send(method, url, **more)


def _send(method: str, url: str, **more: Any) -> Any:
    """requests.request, on the guarded road: no proxies, no redirects, certificates checked whatever is asked for."""
    import requests  # noqa: PLC0415 - loaded when first used
    from requests.structures import CaseInsensitiveDict  # noqa: PLC0415 - loaded when first used

    guard = _guard.get()
    kept = {
        name: more[name]
        for name in ("params", "data", "json", "headers", "files", "auth", "cookies")
        if name in more
    }
    prepared = requests.Request(method.upper(), url, **kept).prepare()
    headers = {
        str(name): value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in prepared.headers.items()
        if name.lower()
        not in {"host", "content-length", "connection", "accept-encoding", "transfer-encoding"}
    }
    body = prepared.body or b""
    if not isinstance(body, str | bytes):
        raise requests.exceptions.InvalidSchema("only texts are sent")
    try:
        answer = guard.outbound.request(
            method.upper(),
            prepared.url or "",
            headers=headers,
            body=body.encode() if isinstance(body, str) else body,
            seconds=_SECONDS,
        )
    except OutboundError as error:
        guard.error = error
        raise requests.exceptions.ConnectionError(error.message) from None
    response = requests.Response()
    response.status_code = answer.status
    response._content = answer.body  # noqa: SLF001 - how its own adapters' tests fill it
    response.headers = CaseInsensitiveDict(answer.headers)
    response.url = prepared.url or ""
    response.request = prepared
    response.encoding = "utf-8"
    return response
