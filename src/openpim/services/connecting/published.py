"""What hosts fetch of a target without a credential: public keys, revocation lists; and what their agents bring them of that."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from openpim.ports.connector import Published, Publishing, TargetError
from openpim.ports.deps import Deps
from openpim.services.connecting.opening import opened


@dataclass(frozen=True, slots=True)
class Lists:
    """Of a target whose hosts take certificates. mark: what stands for them until they change. keys: that they trust; krl:
    what they do not any more; both empty where they are as they were."""

    mark: str
    keys: bytes = b""
    krl: bytes = b""


def lists(deps: Deps, tenant_id: str, target_id: str, mark: str) -> Lists | None:
    """mark: of what the host has. None: there are none, or they cannot be told now."""
    with contextlib.suppress(TargetError), _publishing(deps, tenant_id, target_id) as target:
        # The mark first: what changes while the rest is read makes another one.
        new = target.publish("mark", {}) if target is not None else None
        if target is None or new is None:
            return None
        if new.body.decode() == mark:
            return Lists(mark)
        krl, keys = target.publish("krl", {}), target.publish("ca.pub", {})
        if krl is not None and keys is not None:
            return Lists(new.body.decode(), keys.body, krl.body)
    return None


def published(
    deps: Deps, tenant_id: str, target_id: str, name: str, given: Mapping[str, str]
) -> Published | TargetError | None:
    """None: there is no such thing, target or organisation. A disabled target tells on: hosts still need to know what was
    revoked. TargetError: it cannot be told now."""
    try:
        with _publishing(deps, tenant_id, target_id) as target:
            return target.publish(name, given) if target is not None else None
    except TargetError as error:
        return error


@contextlib.contextmanager
def _publishing(deps: Deps, tenant_id: str, target_id: str) -> Iterator[Publishing | None]:
    target = deps.store.read(tenant_id, lambda tx: tx.targets.get(target_id))
    if target is None:
        yield None
        return
    connector = opened(deps, tenant_id, target)
    try:
        yield connector if isinstance(connector, Publishing) else None
    finally:
        connector.close()
