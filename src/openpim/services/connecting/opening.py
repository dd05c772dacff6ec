"""Connectors of targets: made from what administrators set, with the secrets that only this server opens."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from openpim.core.connecting import Target
from openpim.ports.connector import Capabilities, Connector, ConnectorKind, Fault, Opening, TargetError
from openpim.ports.deps import Deps
from openpim.services.connecting.memory import memory_of

PURPOSE = "target"


def kind_of(deps: Deps, target: Target) -> ConnectorKind:
    """Raises TargetError for a kind that this server does not have (any more)."""
    kind = deps.connectors.load(target.kind)
    if kind is None:
        raise TargetError(
            Fault.BROKEN, f"This server has no connector of kind {target.kind!r}: install what it needs."
        )
    return kind


def settings_of(kind: ConnectorKind, target: Target) -> dict[str, str]:
    """With the defaults of those that were not set."""
    return {one.name: target.settings.get(one.name) or one.default for one in kind.settings if not one.secret}


def capabilities_of(kind: ConnectorKind, target: Target) -> Capabilities:
    return kind.capabilities(settings_of(kind, target))


def opened(deps: Deps, tenant_id: str, target: Target) -> Connector:
    """To be closed by the caller. Raises TargetError."""
    kind = kind_of(deps, target)
    secrets = secrets_of(deps, kind, target)
    if secrets is None:
        raise TargetError(
            Fault.REFUSED, "Its secrets were given for another address, or another key file. Set them again."
        )
    return kind.open(
        Opening(
            tenant_id=tenant_id,
            target_id=target.id,
            settings=settings_of(kind, target),
            secrets=secrets,
            managed=target.managed,
            outbound=deps.outbound,
            clock=deps.clock,
            secret=deps.secret,
            memory=memory_of(deps, tenant_id, target.id),
        )
    )


def sealed(deps: Deps, kind: ConnectorKind, target: Target, secrets: Mapping[str, str]) -> str:
    """Bound to where they are sent: whoever writes another address into the database does not get them."""
    if not secrets:
        return ""
    return deps.sealer.seal_json(PURPOSE, {"secrets": dict(secrets), "place": _place(kind, target)})


def secrets_of(deps: Deps, kind: ConnectorKind, target: Target) -> dict[str, str] | None:
    """None when they were not given for this place, or not sealed with this key file."""
    if not target.sealed:
        return {}
    found = deps.sealer.unseal_json(PURPOSE, target.sealed)
    if found is None or found.get("place") != _place(kind, target):
        return None
    return {str(name): str(text) for name, text in found.get("secrets", {}).items()}


def _place(kind: ConnectorKind, target: Target) -> str:
    settings = settings_of(kind, target)
    where = {one.name: settings[one.name] for one in kind.settings if one.place and not one.secret}
    text = json.dumps([target.id, target.kind, where], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
