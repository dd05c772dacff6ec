"""Where everything is: GET /.well-known/authzen-configuration[/tenant] (AuthZEN 1.0, 9; access request profile, 5)."""

from __future__ import annotations

import re
from typing import Final

from openpim.faces.authzen.call import Answered, Call, HttpError

CAPABILITY: Final = "urn:openid:authzen:capability:access-request"
_WELL_KNOWN: Final = "/.well-known/authzen-configuration"
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}\Z")


async def metadata(call: Call) -> Answered:
    """The same for every tenant: the access token says which one is asked about."""
    rest = call.path[len(_WELL_KNOWN) :]
    if rest and not (rest.startswith("/") and _TENANT.match(rest[1:])):
        raise HttpError(404, "There is no such decision point.")
    access = f"{call.origin}/access/v1"
    return Answered(
        {
            "policy_decision_point": call.origin + rest,
            "access_evaluation_endpoint": f"{access}/evaluation",
            "access_evaluations_endpoint": f"{access}/evaluations",
            "search_subject_endpoint": f"{access}/search/subject",
            "search_resource_endpoint": f"{access}/search/resource",
            "search_action_endpoint": f"{access}/search/action",
            "access_request_endpoint": f"{access}/requests",
            "capabilities": [CAPABILITY],
        }
    )
