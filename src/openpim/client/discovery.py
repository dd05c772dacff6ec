"""Where the resource manager of an OpenPIM server is: its sign-in service says so, and the profile remembers it."""

from __future__ import annotations

from openpim.client.errors import PimError
from openpim.client.http11 import split_url
from openpim.client.profiles import NO_ARM
from openpim.client.transport import decode_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openpim.client.profiles import Profile
    from openpim.client.transport import Transport

__all__ = ["MEMBER", "arm_in", "find_arm"]

MEMBER = "openpim_resource_manager"


def find_arm(transport: Transport, profile: Profile) -> str:
    """Its address, or `NO_ARM`; raises `PimError` where the server does not answer."""
    url = f"{profile.authority}/{profile.tenant}/v2.0/.well-known/openid-configuration"
    return arm_in(decode_json(transport.send("GET", url)))


def arm_in(document: Any) -> str:
    """The address in a sign-in service's description of itself, or `NO_ARM`."""
    address = document.get(MEMBER) if isinstance(document, dict) else None
    if not isinstance(address, str):
        return NO_ARM
    try:
        split_url(address)
    except PimError:
        return NO_ARM
    return address.rstrip("/")
