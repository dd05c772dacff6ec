"""Hosts that let people in by certificates of ours (docs/how-to/ssh-certificates.md)."""

from __future__ import annotations

from typing import Final

from openpim.connectors.ssh.authority import make_secrets
from openpim.connectors.ssh.connector import SshFleet, capabilities
from openpim.connectors.ssh.keys import check_principal, check_subject
from openpim.connectors.ssh.settings import SETTINGS, check_settings
from openpim.ports.connector import ConnectorKind

KIND: Final = ConnectorKind(
    name="ssh",
    title="Hosts that trust certificates (OpenSSH)",
    settings=SETTINGS,
    capabilities=capabilities,
    open=SshFleet,
    check_subject=check_subject,
    check_entitlement=check_principal,
    check_settings=check_settings,
    make_secrets=make_secrets,
)
