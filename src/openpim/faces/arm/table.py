"""The table of endpoints: method, address, what it does. The only list there is: dispatch and the authorization
table of the tests both read it, so an endpoint cannot exist without a row.

An address that begins with `{scope}` stands behind every place in the tree, the root included; `{resource}` is a
resource itself, whatever its type. Literal segments match in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from openpim.core.resources import ROOT, ResourceKind, canonical, read_path
from openpim.faces.arm.call import Answer, Call
from openpim.faces.arm.faults import Style

Handler: TypeAlias = Callable[[Call], Answer]
SCOPE = "{scope}"
RESOURCE = "{resource}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """action: what a caller needs at the scope, in the words of role definitions; "" where other rules hold.
    public: served without a token."""

    method: str
    address: str
    handler: Handler
    action: str = ""
    style: Style = Style.TREE
    public: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """scope: the place's id; written: as sent."""

    endpoint: Endpoint
    scope: str
    written: str
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Miss:
    """No endpoint. allowed: methods, where only the method is wrong."""

    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Pattern:
    segments: tuple[str, ...]
    methods: dict[str, Endpoint]

    def match(self, segments: tuple[str, ...], folded: tuple[str, ...]) -> dict[str, str] | None:
        params: dict[str, str] = {}
        for wanted, given, low in zip(self.segments, segments, folded, strict=True):
            if wanted.startswith("{"):
                params[wanted[1:-1]] = given
            elif wanted != low:
                return None
        return params


class Table:
    """Patterns by their number of segments; those behind a scope are matched against the path's end."""

    def __init__(self, endpoints: tuple[Endpoint, ...]) -> None:
        self.endpoints = endpoints
        self._fixed: dict[int, dict[tuple[str, ...], _Pattern]] = {}
        self._scoped: dict[int, dict[tuple[str, ...], _Pattern]] = {}
        self._resource: dict[str, Endpoint] = {}
        for endpoint in endpoints:
            self._add(endpoint)

    def _add(self, endpoint: Endpoint) -> None:
        if endpoint.address == RESOURCE:
            self._resource[endpoint.method] = endpoint
            return
        scoped = endpoint.address.startswith(SCOPE)
        text = endpoint.address.removeprefix(SCOPE).strip("/")
        segments = tuple(one if one.startswith("{") else one.lower() for one in text.split("/"))
        where = (self._scoped if scoped else self._fixed).setdefault(len(segments), {})
        pattern = where.setdefault(segments, _Pattern(segments, {}))
        if endpoint.method in pattern.methods:
            raise ValueError(f"{endpoint.method} {endpoint.address} is there twice")
        pattern.methods[endpoint.method] = endpoint

    def find(self, method: str, segments: tuple[str, ...]) -> Match | Miss:
        """segments: decoded. The long form of a subscription's path is the short one."""
        segments = _short(segments)
        folded = tuple(one.lower() for one in segments)
        allowed: set[str] = set()
        for place, pattern, params in self._candidates(segments, folded):
            endpoint = pattern.methods.get(method)
            if endpoint is not None:
                return Match(endpoint, canonical(place), place, params)
            allowed.update(pattern.methods)
        if not allowed:
            path = "/" + "/".join(segments)
            place_ = read_path(path)
            if place_ is not None and place_.kind is ResourceKind.RESOURCE and not _ours(place_.type):
                endpoint = self._resource.get(method)
                if endpoint is not None:
                    return Match(endpoint, place_.id, path, {})
                allowed.update(self._resource)
        return Miss(tuple(sorted(allowed)))

    def _candidates(
        self, segments: tuple[str, ...], folded: tuple[str, ...]
    ) -> list[tuple[str, _Pattern, dict[str, str]]]:
        found = []
        for pattern in self._fixed.get(len(segments), {}).values():
            params = pattern.match(segments, folded)
            if params is not None:
                found.append((ROOT, pattern, params))
        for count, patterns in self._scoped.items():
            before = len(segments) - count
            if before < 0:
                continue
            tail, low = segments[before:], folded[before:]
            for pattern in patterns.values():
                params = pattern.match(tail, low)
                if params is None:
                    continue
                place = "/" + "/".join(segments[:before])
                if place == ROOT or read_path(place) is not None:
                    found.append((place, pattern, params))
        return found


def _ours(type_: str) -> bool:
    return type_.lower().startswith(("microsoft.authorization/", "microsoft.management/"))


def _short(segments: tuple[str, ...]) -> tuple[str, ...]:
    if len(segments) > 2 and [one.lower() for one in segments[:3]] == [
        "providers",
        "microsoft.subscription",
        "subscriptions",
    ]:
        return segments[2:]
    return segments
