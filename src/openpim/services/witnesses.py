"""Gives each signed checkpoint to those who witness it: a folder, a webhook, an RFC 3161 authority.

Each has a cursor of its own over the numbers of the checkpoints, which moves when it was taken: at least once, in order. A
time-stamp is asked for the newest one alone, which speaks for all before it. One that cannot be reached is tried again
later, and the history says so once, and once when it is reached again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from openpim.core import webhooks
from openpim.core.audit import Target, moment
from openpim.core.caller import system
from openpim.core.checkpoints import SignedCheckpoint, origin_of
from openpim.core.organisation_settings import OrganisationSettings
from openpim.core.pauses import doubled
from openpim.ports.deps import Deps
from openpim.ports.outbound import OutboundError
from openpim.ports.store import Transaction
from openpim.ports.witness import TimeStamper, Witness, WitnessError
from openpim.services.audit_settings import PURPOSE
from openpim.services.recording import record

UNREACHED: Final = "Audit witness not reached"
REACHED: Final = "Audit witness reached again"
_AT_ONCE: Final = 50
_LONGEST_PAUSE: Final = timedelta(minutes=10)
_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class _Trouble:
    tries: int
    again_at: datetime


class Witnesses:
    """folder: None where the configuration names none. Remembers who cannot be reached, until the next start."""

    def __init__(self, deps: Deps, stamper: TimeStamper, folder: Witness | None) -> None:
        self._deps = deps
        self._stamper = stamper
        self._folder = folder
        self._trouble: dict[tuple[str, str], _Trouble] = {}

    def tell(self, tenant_id: str) -> int:
        """One look at one tenant. Returns how many checkpoints were taken."""
        settings = self._deps.store.read(tenant_id, lambda tx: tx.organisation_settings.get())
        kinds: Mapping[
            str, tuple[bool, Callable[[OrganisationSettings, str, SignedCheckpoint], None], bool]
        ] = {
            "folder": (self._folder is not None, self._to_folder, False),
            "webhook": (bool(settings.audit_witness_url), self._to_webhook, False),
            "time-stamp": (bool(settings.audit_timestamp_url), self._to_authority, True),
        }
        return sum(
            self._one(settings, tenant_id, kind, give, newest=newest)
            for kind, (wanted, give, newest) in kinds.items()
            if wanted and self._may(tenant_id, kind)
        )

    def _may(self, tenant_id: str, kind: str) -> bool:
        trouble = self._trouble.get((tenant_id, kind))
        return trouble is None or self._deps.clock() >= trouble.again_at

    def _one(
        self,
        settings: OrganisationSettings,
        tenant_id: str,
        kind: str,
        give: Callable[[OrganisationSettings, str, SignedCheckpoint], None],
        *,
        newest: bool,
    ) -> int:
        name = f"witness:{kind}"

        def waiting(tx: Transaction) -> tuple[int, list[SignedCheckpoint]]:
            at = tx.cursors.position(name)
            found = tx.checkpoints.since(at, _AT_ONCE)
            last = tx.checkpoints.last() if newest and found else None
            return at, [last] if last is not None else found

        at, found = self._deps.store.read(tenant_id, waiting)
        for count, checkpoint in enumerate(found):
            try:
                give(settings, tenant_id, checkpoint)
            except (OutboundError, WitnessError) as error:
                self._failed(tenant_id, kind, str(error))
                return count
            now, before, after = self._deps.clock(), at, checkpoint.number + 1
            self._deps.store.write(
                tenant_id,
                lambda tx, b=before, a=after, now=now: tx.cursors.move(name, b, a, now),  # type: ignore[misc]
            )
            at = after
            self._succeeded(tenant_id, kind)
        return len(found)

    def _failed(self, tenant_id: str, kind: str, why: str) -> None:
        trouble = self._trouble.get((tenant_id, kind))
        tries = 1 if trouble is None else trouble.tries + 1
        pause = doubled(tries, _LONGEST_PAUSE, timedelta(seconds=2))
        self._trouble[tenant_id, kind] = _Trouble(tries, self._deps.clock() + pause)
        if tries == 1:
            _witnessed(self._deps, tenant_id, kind, UNREACHED, why)

    def _succeeded(self, tenant_id: str, kind: str) -> None:
        if self._trouble.pop((tenant_id, kind), None) is not None:
            _witnessed(self._deps, tenant_id, kind, REACHED, "")

    # ---------------------------------------------------------------- the three

    def _to_folder(self, _: OrganisationSettings, tenant_id: str, checkpoint: SignedCheckpoint) -> None:
        if self._folder is not None:
            self._folder.keep(tenant_id, checkpoint)

    def _to_webhook(
        self, settings: OrganisationSettings, tenant_id: str, checkpoint: SignedCheckpoint
    ) -> None:
        secret = self._deps.sealer.unseal(PURPOSE, settings.audit_witness_secret)
        if secret is None:
            raise WitnessError("its secret was sealed with another key file: set the witness anew")
        said = {
            "type": "audit.checkpoint",
            "timestamp": moment(checkpoint.at),
            "data": {
                "origin": origin_of(tenant_id),
                "number": checkpoint.number,
                "size": checkpoint.size,
                "note": checkpoint.note,
            },
        }
        body = json.dumps(said, ensure_ascii=False).encode()
        name = f"checkpoint-{tenant_id}-{checkpoint.number}"
        headers = webhooks.headers([secret], name, self._deps.clock(), body)
        headers = {**headers, "Content-Type": "application/json"}
        answer = self._deps.outbound.request(
            "POST", settings.audit_witness_url, headers=headers, body=body, seconds=_SECONDS
        )
        if not answer.ok:
            raise WitnessError(f"it answered {answer.status}")

    def _to_authority(
        self, settings: OrganisationSettings, tenant_id: str, checkpoint: SignedCheckpoint
    ) -> None:
        request = self._stamper.request(checkpoint.note.encode())
        answer = self._deps.outbound.request(
            "POST",
            settings.audit_timestamp_url,
            headers={"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"},
            body=request,
            seconds=_SECONDS,
        )
        if not answer.ok:
            raise WitnessError(f"it answered {answer.status}")
        stamp = self._stamper.opened(request, answer.body)
        self._deps.store.write(tenant_id, lambda tx: tx.checkpoints.stamp(checkpoint.number, stamp))


def _witnessed(deps: Deps, tenant_id: str, kind: str, activity: str, why: str) -> None:
    now = deps.clock()
    target = Target("AuditLog", tenant_id, origin_of(tenant_id))

    def work(tx: Transaction) -> None:
        record(
            tx, deps, system(tenant_id), now, activity=activity, category="DirectoryManagement",
            targets=(target,), result="failure" if why else "success", reason=why, details=(("Witness", kind),),
        )  # fmt: skip

    deps.store.write(tenant_id, work)
