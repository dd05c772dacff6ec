"""POST /{tenant}/oauth2/v2.0/devicecode: a sign-in for a device that has no browser (RFC 8628)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from openpim.core.signin.oauth import OAuthError
from openpim.faces.oidc.answers import Endpoint, bad_form, ok, preflight, refused
from openpim.faces.oidc.cookies import origin_of
from openpim.faces.shared.body import BadBody, read_form
from openpim.faces.shared.threads import in_thread
from openpim.services.signin.context import SignIn
from openpim.services.signin.device import start_device


def endpoint(signin: SignIn) -> Endpoint:
    async def handle(request: Request) -> Response:
        answer = preflight(request)
        if answer is not None:
            return answer
        fields = await read_form(request)
        if isinstance(fields, BadBody):
            return bad_form(request, fields)
        origin = origin_of(signin, request)
        made = await in_thread(start_device, signin, request.path_params["tenant"], fields, origin)
        if isinstance(made, OAuthError):
            return refused(request, made)
        return ok(
            {
                "device_code": made.device_code,
                "user_code": made.user_code,
                "verification_uri": made.verification_uri,
                "verification_url": made.verification_uri,  # version-1 clients read this name
                "expires_in": made.expires_in,
                "interval": made.interval,
                "message": made.message,
            }
        )

    return handle
