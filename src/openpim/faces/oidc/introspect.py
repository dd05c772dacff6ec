"""POST /{tenant}/oauth2/v2.0/introspect (RFC 7662)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from openpim.core.signin.oauth import OAuthError
from openpim.faces.oidc.answers import Endpoint, bad_form, basic_credentials, ok, preflight, refused
from openpim.faces.shared.body import BadBody, read_form
from openpim.faces.shared.threads import in_thread
from openpim.services.signin.clients import proof_of
from openpim.services.signin.context import SignIn
from openpim.services.signin.inspect import introspect


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
        token = fields.get("token", "")
        found = await in_thread(introspect, signin, request.path_params["tenant"], token, proof)
        return refused(request, found) if isinstance(found, OAuthError) else ok(found)

    return handle
