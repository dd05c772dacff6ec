"""Where these addresses are: everything else is Graph's dispatcher."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.routing import BaseRoute, Route

from openpim.faces.graph.call import Raw
from openpim.faces.graph.dispatch import Authenticate, Dispatcher
from openpim.faces.graph.entry import Face
from openpim.faces.graph.faults import Fault
from openpim.faces.graph.table import Endpoint, Match, Miss, Table
from openpim.faces.legacy import requests, resources, role_assignments
from openpim.ports.deps import Deps
from openpim.wire.graph_errors import no_segment_message
from openpim.wire.paths import BadPath, split_path

BASE = ("api", "v2", "privilegedaccess")
_BELOW = re.compile(r"/+api/+v2/+privilegedAccess(?:/.*)?\Z", re.IGNORECASE | re.DOTALL)

ENDPOINTS: tuple[Endpoint, ...] = (
    *role_assignments.ENDPOINTS,
    *requests.ENDPOINTS,
    *resources.ENDPOINTS,
)


@dataclass(frozen=True, slots=True)
class LegacyDispatcher(Dispatcher):
    """The dispatcher of Graph, with another beginning of the path."""

    def find(self, raw: Raw) -> tuple[str, Match]:
        path = split_path(raw.path)
        if isinstance(path, BadPath):
            raise Fault("BadRequest", f"The address cannot be read: {path.reason}.")
        if path.folded[:3] != BASE:
            raise Fault("BadRequest", no_segment_message(path.segments[0] if path.segments else ""))
        found = self.table.find(raw.method, path.segments[3:])
        if isinstance(found, Miss):
            if found.allowed:
                raise Fault("MethodNotAllowed", headers={"Allow": ", ".join(found.allowed)})
            raise Fault("BadRequest", no_segment_message(found.segment[:200]))
        return "api/v2/privilegedAccess", found


def routes(deps: Deps, authenticate: Authenticate) -> list[BaseRoute]:
    """What app.py mounts."""
    face = Face(LegacyDispatcher(deps, authenticate, Table(ENDPOINTS)))
    route = Route("/api/v2/privilegedAccess/{path:path}", face, name="legacy")
    route.path_regex = _BELOW
    return [route]
