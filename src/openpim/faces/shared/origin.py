"""Our public address as this client knows it: the Host header counts only if it is on the allow-list."""

from __future__ import annotations

from urllib.parse import urlsplit

from openpim.core.settings import Settings


def public_origin(settings: Settings, host: str | None) -> str:
    """ "https://host:port", without a trailing slash."""
    if not host:
        return settings.origin
    parts = urlsplit(settings.origin)
    allowed = {parts.netloc.lower()}
    port = f":{parts.port}" if parts.port is not None else ""
    allowed |= {f"{name.lower()}{port}" for name in settings.allowed_hosts}
    return f"{parts.scheme}://{host.lower()}" if host.lower() in allowed else settings.origin
