"""Where target systems come to us: hosts fetch what was revoked, and their agents ask what they should have."""

from __future__ import annotations

from starlette.routing import BaseRoute

from openpim.faces.targets import agent, published
from openpim.ports.deps import Deps


def routes(deps: Deps) -> list[BaseRoute]:
    return [*published.routes(deps), *agent.routes(deps)]
