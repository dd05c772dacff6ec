"""The public clients that everyone has: known in every tenant, registered by nobody.

Their ids are the ones Microsoft's own tools send, so that those tools sign in here unmodified.
"""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType

from openpim.core.directory import Application

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
GRAPH_POWERSHELL = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
AZURE_POWERSHELL = "1950a258-227b-4e31-a9cf-717495945fc2"
AZURE_AD_POWERSHELL = "1b730954-1685-4b74-9bfd-dac224a7b894"
PIM = "8f0b7a52-3c1d-4e6f-9a27-5d2c1b8e4f10"
PORTAL = "3d0f6c1e-58a4-4b0e-9d53-7a41c2e9b6f8"  # what history calls the portal; no client signs in with it

_LOOPBACK = ("http://localhost", "http://127.0.0.1")
_SINCE = datetime(2020, 1, 1, tzinfo=UTC)


def _public(app_id: str, name: str) -> Application:
    return Application(
        id=app_id, app_id=app_id, display_name=name, created_at=_SINCE, public=True, redirect_uris=_LOOPBACK
    )


APPLICATIONS = MappingProxyType(
    {
        AZURE_CLI: _public(AZURE_CLI, "Azure CLI"),
        GRAPH_POWERSHELL: _public(GRAPH_POWERSHELL, "Graph PowerShell"),
        AZURE_POWERSHELL: _public(AZURE_POWERSHELL, "Azure PowerShell"),
        AZURE_AD_POWERSHELL: _public(AZURE_AD_POWERSHELL, "Azure AD PowerShell"),
        PIM: _public(PIM, "pim"),
    }
)
