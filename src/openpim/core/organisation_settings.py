"""What an organisation has settled about itself, besides its roles' settings: what it keeps, whom it tells, and which
accounts are its way back in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OrganisationSettings:
    """audit_retention_days: how long the history is kept, None = for ever. weekly_digest: whether administrators are
    told once a week what happened. audit_witness_url: where each signed checkpoint of the audit log is sent to, with a
    signature made of audit_witness_secret (sealed); audit_timestamp_url: the RFC 3161 authority that time-stamps them.
    break_glass: ids of the accounts that are kept for emergencies: their use is told
    to every administrator."""

    audit_retention_days: int | None = None
    weekly_digest: bool = True
    break_glass: tuple[str, ...] = ()
    audit_witness_url: str = ""
    audit_witness_secret: str = ""
    audit_timestamp_url: str = ""
