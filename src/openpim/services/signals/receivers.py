"""Who may do what with event streams: a receiver is an application of the tenant that an administrator gave `ssf.manage`
or `ssf.read`, and it knows no streams but its own."""

from __future__ import annotations

from openpim.core.audit import Target
from openpim.core.caller import Caller, CallerKind
from openpim.core.refusals import Code, Refusal
from openpim.core.signals import MANAGE, PERMISSIONS, READ, SignalStream
from openpim.ports.store import Transaction

_NEEDED = {MANAGE: frozenset({MANAGE}), READ: frozenset(PERMISSIONS)}


def may(caller: Caller, permission: str) -> Refusal | None:
    """permission: READ, which MANAGE includes, or MANAGE."""
    if caller.kind is not CallerKind.SERVICE_PRINCIPAL:
        return Refusal(
            Code.FORBIDDEN,
            "Streams belong to applications: sign in as one, with its own secret or certificate (client credentials).",
            detail=permission,
        )
    if caller.permissions & _NEEDED[permission]:
        return None
    message = f"The application needs the permission {permission}. Ask an administrator to give it."
    return Refusal(Code.FORBIDDEN, message, detail=permission)


def own(tx: Transaction, caller: Caller, stream_id: str) -> SignalStream | Refusal:
    """A stream of the caller's; of another's it learns no more than of one that never was."""
    found = tx.signal_streams.get(stream_id)
    if found is None or found.owner_id != caller.principal_id:
        return Refusal(Code.NOT_FOUND, "There is no such stream.", member="stream_id")
    return found


def entitled(tx: Transaction, stream: SignalStream) -> bool:
    """Whether its receiver may still be told anything."""
    found = tx.service_principals.get(stream.owner_id)
    return (
        found is not None
        and found.enabled
        and found.app_id == stream.app_id
        and not frozenset(PERMISSIONS).isdisjoint(found.permissions)
    )


def named(stream: SignalStream, changes: tuple[tuple[str, str | None, str | None], ...] = ()) -> Target:
    """The stream in the history."""
    return Target("SignalStream", stream.id, stream.description or "", changes)
