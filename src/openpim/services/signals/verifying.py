"""Verification (SSF 8.1.4): an event by which a receiver sees that its stream works. It takes its turn behind what waits."""

from __future__ import annotations

from datetime import timedelta

from openpim.core.caller import Caller
from openpim.core.refusals import Code, Refusal
from openpim.core.signals import LONGEST_TEXT, MANAGE, VERIFICATION, VERIFY_MOST, Status
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.recording import storable
from openpim.services.signals.planning import of_stream
from openpim.services.signals.receivers import may, own

_MINUTE = timedelta(minutes=1)


def verify(deps: Deps, caller: Caller, stream_id: str, state: str | None) -> Refusal | None:
    """state: goes into the event as it is."""
    now = deps.clock()

    def work(tx: Transaction) -> Refusal | None:
        tx.lock_tenant()
        stream = own(tx, caller, stream_id)
        if isinstance(stream, Refusal):
            return stream
        if state is not None and (len(state) > LONGEST_TEXT or not storable(state)):
            return Refusal(Code.INVALID, f"A state has at most {LONGEST_TEXT} characters.", member="state")
        if stream.status is Status.DISABLED:
            return Refusal(Code.INVALID, "The stream is disabled: enable it first.", member="stream_id")
        since = stream.verified_at
        if since is None or now >= since + _MINUTE:
            since, count = now, 0
        else:
            count = stream.verifications
        if count >= VERIFY_MOST:
            left = int((since + _MINUTE - now).total_seconds()) + 1
            return Refusal(Code.THROTTLED, f"Ask for it again in {left} seconds.", retry_after=left)
        tx.signal_streams.verifying(stream_id, since, count + 1)
        event = {} if state is None else {"state": state}
        tx.signal_streams.queue(stream_id, [of_stream(deps, stream_id, VERIFICATION, event, now)])
        return None

    return may(caller, MANAGE) or deps.store.write(caller.tenant_id, work)
