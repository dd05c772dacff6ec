"""The table of endpoints: method, address, who may use it. The only list there is: dispatch and the authorization
table of the tests both read it, so an endpoint cannot exist without a row.

An address is written as Graph's documentation does: `users/{id}/memberOf`, `roleAssignmentSchedules/filterByCurrentUser()`.
Literal segments match in any case. `name('key')` is the same as `name/key`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import Style
from openpim.wire.odata import parse_function_segment

Handler: TypeAlias = Callable[[Call], Answer]

V1 = "v1.0"
BETA = "beta"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """scopes: any of these delegated permissions (scp) lets a person's token in. permissions: any of these application
    permissions (roles) lets an application in; empty means the same names as scopes. What the caller may then *do* is decided by the acts, from the roles he holds now. waits: for somebody else's server."""

    method: str
    address: str
    handler: Handler
    scopes: tuple[str, ...]
    style: Style = Style.DIRECTORY
    permissions: tuple[str, ...] = ()
    people_only: bool = False
    waits: bool = False

    @property
    def app_permissions(self) -> tuple[str, ...]:
        return self.permissions or self.scopes


@dataclass(frozen=True, slots=True)
class Match:
    endpoint: Endpoint
    params: Mapping[str, str]
    args: Mapping[str, object]
    cast: str | None = None
    counted: bool = False


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    functions: dict[str, _Node] = field(default_factory=dict)
    key: tuple[str, _Node] | None = None
    endpoints: dict[str, Endpoint] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Miss:
    """No endpoint. segment: the first one that leads nowhere. allowed: methods, where only the method is wrong."""

    segment: str = ""
    allowed: tuple[str, ...] = ()
    reads: Endpoint | None = None


class Table:
    """Endpoints as a tree of segments, so that a look-up costs the length of the path."""

    def __init__(self, endpoints: tuple[Endpoint, ...]) -> None:
        self.endpoints = endpoints
        self._root = _Node()
        for endpoint in endpoints:
            self._add(endpoint)

    def _add(self, endpoint: Endpoint) -> None:
        node = self._root
        for segment in endpoint.address.split("/"):
            if segment.startswith("{"):
                name = segment[1:-1]
                if node.key is None:
                    node.key = (name, _Node())
                if node.key[0] != name:
                    raise ValueError(f"{endpoint.address}: {{{name}}} was {{{node.key[0]}}} elsewhere")
                node = node.key[1]
            elif segment.endswith("()"):
                node = node.functions.setdefault(segment[:-2].lower(), _Node())
            else:
                node = node.literals.setdefault(segment.lower(), _Node())
        if endpoint.method in node.endpoints:
            raise ValueError(f"{endpoint.method} {endpoint.address} is there twice")
        node.endpoints[endpoint.method] = endpoint

    def find(self, method: str, segments: tuple[str, ...]) -> Match | Miss:
        """segments: decoded, below the version. Raises ODataError for a segment that cannot be read."""
        cast: str | None = None
        counted = False
        if segments and segments[-1].lower() == "$count":
            segments, counted = segments[:-1], True
        if segments and "(" not in segments[-1]:
            last = _QUALIFIED.sub("", segments[-1])
            if last != segments[-1] and last.lower() in _CASTS:
                segments, cast = segments[:-1], last.lower()
            else:
                segments = (*segments[:-1], last)
        found = self._walk(segments)
        if isinstance(found, Miss):
            return found
        node, params, args = found
        endpoint = node.endpoints.get(method)
        if endpoint is None:
            allowed = tuple(sorted(node.endpoints))
            return Miss(allowed=allowed) if allowed else Miss(segments[-1] if segments else "")
        if (counted or cast) and method != "GET":
            return Miss("$count" if counted else f"microsoft.graph.{cast}")
        return Match(endpoint, params, args, cast, counted)

    def _walk(self, segments: tuple[str, ...]) -> tuple[_Node, dict[str, str], dict[str, object]] | Miss:
        node = self._root
        params: dict[str, str] = {}
        args: dict[str, object] = {}
        for segment in segments:
            called = parse_function_segment(segment) if "(" in segment else None
            if called is None:
                following = node.literals.get(segment.lower())
                if following is None and node.key is not None:
                    params[node.key[0]] = segment
                    following = node.key[1]
                if following is None and segment.lower() in node.functions:
                    following = node.functions[segment.lower()]
            else:
                following = self._keyed(node, called.name, called.args, params)
                if following is None and called.name in node.functions:
                    args.update(called.args)
                    following = node.functions[called.name]
                if following is None and node.key is not None:
                    params[node.key[0]] = segment
                    following = node.key[1]
            if following is None:
                return Miss(segment)
            node = following
        return node, params, args

    @staticmethod
    def _keyed(node: _Node, name: str, given: Mapping[str, object], params: dict[str, str]) -> _Node | None:
        """`name('key')` or `name(id='key')`, as if it were `name/key`."""
        collection = node.literals.get(name)
        if collection is None or collection.key is None or len(given) != 1:
            return None
        argument, value = next(iter(given.items()))
        if argument not in {"", "id", collection.key[0].lower()} or not isinstance(value, str):
            return None
        params[collection.key[0]] = value
        return collection.key[1]


# The namespace and its alias: Graph's SDKs write casts as `graph.user`.
_QUALIFIED = re.compile(r"\A(microsoft\.)?graph\.", re.IGNORECASE)
_CASTS = frozenset(
    {
        "user",
        "group",
        "serviceprincipal",
        "directoryrole",
        "administrativeunit",
        "application",
        "device",
        "orgcontact",
    }
)
