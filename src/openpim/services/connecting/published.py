"""What hosts fetch of a target without a credential: public keys, revocation lists."""

from __future__ import annotations

from collections.abc import Mapping

from openpim.ports.connector import Published, Publishing, TargetError
from openpim.ports.deps import Deps
from openpim.services.connecting.opening import opened


def published(
    deps: Deps, tenant_id: str, target_id: str, name: str, given: Mapping[str, str]
) -> Published | TargetError | None:
    """None: there is no such thing, target or organisation. A disabled target tells on: hosts still need to know what was
    revoked. TargetError: it cannot be told now."""
    target = deps.store.read(tenant_id, lambda tx: tx.targets.get(target_id))
    if target is None:
        return None
    try:
        connector = opened(deps, tenant_id, target)
        try:
            return connector.publish(name, given) if isinstance(connector, Publishing) else None
        finally:
            connector.close()
    except TargetError as error:
        return error
