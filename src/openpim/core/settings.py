"""The settings the rules depend on. Read from the TOML file by app.py; documented in docs/reference/settings.md."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, time, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from openpim.core.risk import WorkingHours


@dataclass(frozen=True, slots=True)
class Settings:
    """origin: the public address of Graph, sign-in and portal, no trailing slash (never taken from a Host header
    unless it is in allowed_hosts). minimum_minutes: shortest activation, and how long before one may be ended
    (Entra: 5; 0 switches it off)."""

    origin: str = "https://localhost:8443"
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    minimum_minutes: int = 5
    access_token_minutes: int = 60
    refresh_token_days: int = 90
    session_idle_minutes: int = 12 * 60
    session_max_hours: int = 24 * 7
    # How long after the proof an authentication context counts; then it must be proven anew.
    authentication_context_minutes: int = 60
    device_code_minutes: int = 15
    admin_decision_days: int = 30
    extend_window_days: int = 14
    renew_window_days: int = 30
    # -- the audit log
    audit_checkpoint_minutes: int = 5
    audit_key_days: int = 365
    audit_witness_folder: str = ""
    # -- signing in
    # arm_origin: the public address of the management API, on another origin than Graph's (clients tell them apart
    # by it). mfa_at_sign_in: when the second factor is asked for besides where a policy demands it: "asked" (never),
    # "enrolled" (of everybody who has one), "always". totp_self_enrolment: a person without a second factor may
    # enrol one with the password alone when it is first demanded.
    arm_origin: str = "https://localhost:8444"
    mfa_at_sign_in: str = "enrolled"
    totp_self_enrolment: bool = True
    password_min_length: int = 12
    argon2_time_cost: int = 3
    argon2_memory_kib: int = 64 * 1024
    argon2_parallelism: int = 1
    password_checks_at_once: int = 4
    setup_link_hours: int = 24
    # Clients run twice at once (the Azure CLI under Terraform does) and lose answers: a refresh token may be used
    # again this long after its first use; later, its family is revoked.
    refresh_grace_seconds: int = 20
    signing_key_days: int = 90
    signing_key_lead_hours: int = 24
    # -- what approvers are told: when people work, as "HH:MM-HH:MM", "Mon-Fri" or "Mon,Wed", and an IANA time zone
    work_hours: str = "07:00-19:00"
    work_days: str = "Mon-Fri"
    work_zone: str = "UTC"
    # -- telling people: the mail server ("" : there is none) and the address its mail comes from
    mail_host: str = ""
    mail_from: str = ""
    # Where clients find Graph, sign-in and the rest while people reach the portal elsewhere (the demo's plain door).
    clients_elsewhere: str = ""

    @property
    def clients_origin(self) -> str:
        """The address that clients are told."""
        return self.clients_elsewhere or self.origin


def at_the_door(settings: Settings, origin: str) -> Settings:
    """Those of the demo's plain door. origin: its own."""
    return replace(
        settings, origin=origin, allowed_hosts=("127.0.0.1", "[::1]"), clients_elsewhere=settings.origin
    )


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def working_hours(settings: Settings) -> WorkingHours:
    """The three texts, read. Raises ValueError for what cannot be."""
    begins, _, ends = settings.work_hours.partition("-")
    latest = time.max if ends.strip() == "24:00" else time.fromisoformat(ends.strip())
    return WorkingHours(
        time.fromisoformat(begins.strip()), latest, _days(settings.work_days), _zone(settings.work_zone)
    )


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = (one.strip().capitalize() for one in part.partition("-"))
        begin = DAYS.index(first)
        end = DAYS.index(last) if dash else begin
        found |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
    return frozenset(found)


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(name) from error
