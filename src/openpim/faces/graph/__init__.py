"""The Microsoft Graph dialect: `routes(signin)` is what app.py mounts, behind `faces.shared.request_ids.RequestIds`.

A request goes entry -> dispatch -> the file of its resource -> an act of services -> back through the same file.
`endpoints.ENDPOINTS` lists all there is.
"""

from __future__ import annotations

from functools import partial

from starlette.routing import BaseRoute

from openpim.faces.graph import entry
from openpim.faces.graph.dispatch import Authenticate
from openpim.services.signin.bearer import authenticate as bearer
from openpim.services.signin.context import SignIn

__all__ = ["routes"]


def routes(signin: SignIn, authenticate: Authenticate | None = None) -> list[BaseRoute]:
    """authenticate: another way to tell who is calling, for tests."""
    return entry.routes(signin.deps, authenticate or partial(bearer, signin.deps, signin.tokens))
