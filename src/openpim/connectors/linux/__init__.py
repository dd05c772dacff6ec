"""One Linux host, through the agent that runs on it (docs/how-to/linux-hosts.md)."""

from __future__ import annotations

from typing import Final

from openpim.connectors.linux.connector import (
    SETTINGS,
    LinuxHost,
    capabilities,
    check_entitlement,
    check_settings,
    check_subject,
)
from openpim.core import hosts
from openpim.ports.connector import ConnectorKind

KIND: Final = ConnectorKind(
    name=hosts.KIND,
    title="Linux host (sudo, groups)",
    settings=SETTINGS,
    capabilities=capabilities,
    open=LinuxHost,
    check_subject=check_subject,
    check_entitlement=check_entitlement,
    check_settings=check_settings,
    subject="{localPart}",
)
