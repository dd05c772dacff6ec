"""A target's connection, kept from one use to the next, and what its server says it can do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from openpim.connectors.ldap.client import Connection, Where, failure
from openpim.connectors.ldap.messages import ANY, ASSERTION, Scope, search
from openpim.ports.outbound import Outbound

_ABOUT = (
    "supportedControl",
    "supportedExtension",
    "supportedCapabilities",
    "vendorName",
    "vendorVersion",
    "namingContexts",
    "dynamicSubtrees",
    "structuralObjectClass",
    "domainControllerFunctionality",
)


@dataclass(frozen=True, slots=True)
class About:
    """What the server tells everybody of itself."""

    controls: frozenset[str]
    extensions: frozenset[str]
    contexts: Sequence[str]
    dynamic: Sequence[str]
    version: str

    @property
    def asserts(self) -> bool:
        return ASSERTION in self.controls


class Session:
    """Used by one thread at a time."""

    def __init__(self, outbound: Outbound, where: Where) -> None:
        self._outbound = outbound
        self.where = where
        self._connection: Connection | None = None
        self._about: About | None = None

    def connection(self) -> Connection:
        """Raises TargetError."""
        if self._connection is not None and not self._connection.usable:
            self.close()
        if self._connection is None:
            self._connection = Connection(self._outbound, self.where)
        return self._connection

    def another(self) -> Session:
        """To the same directory, for another thread."""
        return Session(self._outbound, self.where)

    def about(self) -> About:
        """Asked for once a connection."""
        connection = self.connection()
        if self._about is None:
            outcome = connection.ask(search("", Scope.BASE, ANY, _ABOUT))
            if not outcome.ok or not outcome.entries:
                raise failure(outcome, self.where.host, "read what it says of itself")
            one = outcome.entries[0]
            self._about = About(
                controls=frozenset(one.texts("supportedControl")),
                extensions=frozenset(one.texts("supportedExtension")),
                contexts=one.texts("namingContexts"),
                dynamic=one.texts("dynamicSubtrees"),
                version=_version(one.texts),
            )
        return self._about

    def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.close()
        self._connection = None
        self._about = None


_LEVELS = {
    "0": "2000", "2": "2003", "3": "2008", "4": "2008 R2", "5": "2012", "6": "2012 R2", "7": "2016", "10": "2025",
}  # fmt: skip


def _version(texts: Callable[[str], list[str]]) -> str:
    said = " ".join([*texts("vendorName")[:1], *texts("vendorVersion")[:1]])[:100]
    if texts("structuralObjectClass")[:1] == ["OpenLDAProotDSE"]:
        said = said or "OpenLDAP"
    if levels := texts("domainControllerFunctionality"):
        said = f"{said or 'Active Directory'}, functional level {_LEVELS.get(levels[0], levels[0][:4])}"
    return said or "a directory that does not say what it is"
