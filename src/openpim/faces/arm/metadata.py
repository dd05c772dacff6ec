"""`GET /metadata/endpoints`: where everything is, in the three shapes that the Azure tools ask for. Without a token."""

from __future__ import annotations

from openpim.faces.arm.call import Answer, Call, Row
from openpim.faces.arm.table import Endpoint
from openpim.faces.shared.origin import allowed_origin, host_beside

_OLD = "2015-01-01"


def endpoints(call: Call) -> Answer:
    settings = call.deps.settings
    arm = call.raw.origin
    host = host_beside(arm, settings.arm_origin, settings.origin)
    login = allowed_origin(settings.origin, settings.allowed_hosts, host)
    version = call.options.parameter("api-version") or ""
    audiences = [arm, f"{arm}/"]
    if version <= _OLD:
        return Answer(
            200,
            {
                "galleryEndpoint": login,
                "graphEndpoint": login,
                "portalEndpoint": login,
                "authentication": {"loginEndpoint": login, "audiences": audiences},
            },
        )
    cloud: Row = {
        "name": "OpenPIM",
        "portal": login,
        "gallery": login,
        "resourceManager": arm,
        "graph": login,
        "graphAudience": login,
        "microsoftGraphResourceId": login,
        "media": login,
        "batch": login,
        "sqlManagement": login,
        "activeDirectoryDataLake": login,
        "authentication": {
            "loginEndpoint": login,
            "audiences": audiences,
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "suffixes": {"storage": "core.openpim.invalid", "keyVaultDns": "vault.openpim.invalid"},
    }
    return Answer(200, [cloud] if version < "2020" else cloud)


ENDPOINTS = (Endpoint("GET", "metadata/endpoints", endpoints, public=True),)
