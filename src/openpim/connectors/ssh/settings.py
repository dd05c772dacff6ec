"""What an administrator says of a fleet of hosts: how long a certificate lasts, what it allows, what the hosts run."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from openpim.connectors.checks import is_number
from openpim.ports.connector import Setting

_YES_NO: Final = ("no", "yes")

SETTINGS: Final = (
    Setting("longest_hours", "the longest that a certificate is valid, in hours (1 to 168)", default="8"),
    Setting(
        "guard",
        "whether the hosts run the session guard (pim ssh guard), which ends open sessions",
        default="yes",
        choices=_YES_NO,
    ),
    Setting(
        "refresh_seconds",
        "how often the hosts fetch the revocation list, in seconds (10 to 86400)",
        default="60",
    ),
    Setting("port_forwarding", "whether ports may be forwarded", default="no", choices=_YES_NO),
    Setting("agent_forwarding", "whether the agent may be forwarded", default="no", choices=_YES_NO),
    Setting("force_command", "the only command that may be run; empty: any"),
    Setting("source_addresses", "networks that people may come from, with commas; empty: any"),
    Setting(
        "rotation_overlap_hours",
        "how long hosts have to learn a new key before it signs, in hours; 0: the old one counts no longer",
        default="24",
    ),
)
_NUMBERS: Final = {
    "longest_hours": (1, 168),
    "refresh_seconds": (10, 86_400),
    "rotation_overlap_hours": (0, 720),
}


@dataclass(frozen=True, slots=True)
class Rules:
    longest: timedelta
    guard: bool
    refresh: timedelta
    extensions: tuple[str, ...]
    critical: Mapping[str, str]


def check_settings(settings: Mapping[str, str]) -> Mapping[str, str]:
    """What is wrong, by name."""
    wrong: dict[str, str] = {}
    for name, (least, most) in _NUMBERS.items():
        given = settings.get(name, "")
        if given and not is_number(given, least, most):
            wrong[name] = f"write a number from {least} to {most}"
    command = settings.get("force_command", "")
    if not command.isprintable() or len(command) > 1000:
        wrong["force_command"] = "write one line of at most 1000 characters"
    try:
        _networks(settings.get("source_addresses", ""))
    except ValueError:
        wrong["source_addresses"] = "write networks such as 10.1.0.0/16,192.0.2.7"
    return wrong


def rules_of(settings: Mapping[str, str]) -> Rules:
    """Of settings that were checked."""
    filled = {one.name: settings.get(one.name) or one.default for one in SETTINGS}
    # OpenSSH wants them in order of their names, and so does the signature.
    extensions = ["permit-pty"]
    if filled["port_forwarding"] == "yes":
        extensions.insert(0, "permit-port-forwarding")
    if filled["agent_forwarding"] == "yes":
        extensions.insert(0, "permit-agent-forwarding")
    critical = {"force-command": filled["force_command"]} if filled["force_command"] else {}
    if filled["source_addresses"]:
        critical["source-address"] = _networks(filled["source_addresses"])
    return Rules(
        longest=timedelta(hours=int(filled["longest_hours"])),
        guard=filled["guard"] == "yes",
        refresh=timedelta(seconds=int(filled["refresh_seconds"])),
        extensions=tuple(extensions),
        critical=critical,
    )


def _networks(text: str) -> str:
    return ",".join(str(ipaddress.ip_network(one.strip())) for one in text.split(",")) if text else ""
