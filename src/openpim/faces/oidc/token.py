"""POST /{tenant}/oauth2/v2.0/token: tokens for a code, a refresh token, a device code, or an application itself."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from openpim.core.signin.oauth import OAuthError
from openpim.faces.oidc.answers import Endpoint, bad_form, basic_credentials, ok, preflight, refused
from openpim.faces.oidc.cookies import origin_of
from openpim.faces.shared.body import BadBody, read_form
from openpim.faces.shared.threads import in_thread
from openpim.services.signin.clients import proof_of
from openpim.services.signin.context import SignIn
from openpim.services.signin.redeem import redeem


def endpoint(signin: SignIn) -> Endpoint:
    async def handle(request: Request) -> Response:
        answer = preflight(request)
        if answer is not None:
            return answer
        fields = await read_form(request)
        if isinstance(fields, BadBody):
            return bad_form(request, fields)
        basic = basic_credentials(request)
        if isinstance(basic, OAuthError):
            return refused(request, basic)
        proof = proof_of(fields, basic)
        origin = origin_of(signin, request)
        made = await in_thread(redeem, signin, request.path_params["tenant"], fields, proof, origin)
        return refused(request, made) if isinstance(made, OAuthError) else ok(made)

    return handle
