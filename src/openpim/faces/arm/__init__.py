"""The Azure Resource Manager dialect, on an origin of its own: `application(deps, authenticate)` is the ASGI
application behind it.

A request goes entry -> dispatch -> the file of its resource -> an act of services -> back through the same file.
`endpoints.ENDPOINTS` lists all there is.
"""

from __future__ import annotations

from openpim.faces.arm.dispatch import Authenticate
from openpim.faces.arm.entry import application

__all__ = ["Authenticate", "application"]
