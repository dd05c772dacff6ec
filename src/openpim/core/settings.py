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
