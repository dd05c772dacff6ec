"""The Microsoft Graph dialect: `routes(deps, authenticate)` is what app.py mounts, behind `RequestIds`.

A request goes entry -> dispatch -> the file of its resource -> an act of services -> back through the same file.
`endpoints.ENDPOINTS` lists all there is.
"""

from __future__ import annotations

from openpim.faces.graph.dispatch import Authenticate
from openpim.faces.graph.entry import routes

__all__ = ["Authenticate", "routes"]
