"""Our public address as this client knows it: the Host header counts only if it is on the allow-list."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from openpim.core.settings import Settings

_HERE = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?\Z")


def public_origin(settings: Settings, host: str | None) -> str:
    """ "https://host:port", without a trailing slash."""
    return allowed_origin(settings.origin, settings.allowed_hosts, host)


def allowed_origin(origin: str, allowed_hosts: tuple[str, ...], host: str | None) -> str:
    """The same for any of our origins, which have the hosts in common and differ in port."""
    if not host:
        return origin
    scheme, allowed = _allowed(origin, allowed_hosts)
    return f"{scheme}://{host.lower()}" if host.lower() in allowed else origin


@lru_cache(maxsize=8)  # of the settings alone
def _allowed(origin: str, allowed_hosts: tuple[str, ...]) -> tuple[str, frozenset[str]]:
    parts = urlsplit(origin)
    port = f":{parts.port}" if parts.port is not None else ""
    return parts.scheme, frozenset({parts.netloc.lower(), *(f"{one.lower()}{port}" for one in allowed_hosts)})


def https_for_good(origin: str, more: str = "") -> dict[str, str]:
    """The header by which clients come back by HTTPS alone for a year. Not on this very machine, where it would force HTTPS on
    everything else that a developer runs. more: what the header says besides."""
    if _HERE.match(origin):
        return {}
    return {"Strict-Transport-Security": f"max-age=31536000{more}"}


def host_beside(here: str, own: str, other: str) -> str | None:
    """The host by which the same client would call our other origin: the name it used here, the port of there.

    here: our address as the client wrote it. own, other: the public addresses of this origin and of the other one.
    """
    if here == own:
        return None
    name = here.split("//", 1)[1]
    bare = name.rsplit(":", 1)[0] if ":" in name.rsplit("]", 1)[-1] else name
    netloc = other.split("//", 1)[1]
    port = netloc.rsplit(":", 1)[1] if ":" in netloc.rsplit("]", 1)[-1] else ""
    return f"{bare}:{port}" if port else bare
