"""The settings the rules depend on. Read from the TOML file by app.py; documented in docs/reference/settings.md."""

from __future__ import annotations

from dataclasses import dataclass


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
    device_code_minutes: int = 15
    admin_decision_days: int = 30
    extend_window_days: int = 14
    renew_window_days: int = 30
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
