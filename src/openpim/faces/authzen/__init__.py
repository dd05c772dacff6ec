"""The decision API: AuthZEN Authorization API 1.0, its access request profile, and the check for reverse proxies.

Plain ASGI, because a decision takes a few microseconds and a framework's road to a handler takes longer than that.
"""

from __future__ import annotations

from openpim.faces.authzen.dispatch import application

__all__ = ["application"]
