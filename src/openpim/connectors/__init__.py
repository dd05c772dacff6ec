"""Target systems in which privileges take effect, one per file or folder. This file knows them all by name, and loads each
when a target of its kind is there: what nobody uses costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Final

from openpim.ports.connector import ConnectorKind

# Under this name a package of somebody else says which kinds it has; the names of ours stay ours.
GROUP: Final = "openpim.connectors"
# By the kind's name: the module and the name in it.
_WHERE: Final[Mapping[str, str]] = {
    "activedirectory": "openpim.connectors.ldap.kinds:DOMAIN_KIND",
    "ldap": "openpim.connectors.ldap.kinds:KIND",
    "ldap-activations": "openpim.connectors.ldap.kinds:ACTIVATIONS_KIND",
    "mariadb": "openpim.connectors.mariadb:KIND",
    "postgresql": "openpim.connectors.postgresql:KIND",
    "scim": "openpim.connectors.scim:KIND",
    "linux": "openpim.connectors.linux:KIND",
    "ssh": "openpim.connectors.ssh:KIND",
    "webhook": "openpim.connectors.webhook:KIND",
}


class _Kinds:
    """See Kinds in ports/connector.py."""

    def names(self) -> tuple[str, ...]:
        return tuple(sorted({*_WHERE, *(point.name for point in entry_points(group=GROUP))}))

    def load(self, name: str) -> ConnectorKind | None:
        module, _, attribute = _WHERE.get(name, "").partition(":")
        if module:
            kind: ConnectorKind = getattr(import_module(module), attribute)
            return kind
        found = next((point for point in entry_points(group=GROUP) if point.name == name), None)
        theirs = found.load() if found is not None else None
        return theirs if isinstance(theirs, ConnectorKind) else None


KINDS: Final = _Kinds()


def load_kind(name: str) -> ConnectorKind | None:
    """None: there is no such kind."""
    return KINDS.load(name)
