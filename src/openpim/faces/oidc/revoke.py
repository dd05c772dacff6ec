"""POST /{tenant}/oauth2/v2.0/revoke (RFC 7009). 200 for every token of the client's own, known or not."""

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
from openpim.services.signin.inspect import revoke


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
        if not fields.get("token"):
            return refused(request, OAuthError("invalid_request", "token is missing."))
        tenant, proof, origin = (
            request.path_params["tenant"],
            proof_of(fields, basic),
            origin_of(signin, request),
        )
        problem = await in_thread(revoke, signin, tenant, fields["token"], proof, origin)
        return refused(request, problem) if problem is not None else ok({})

    return handle
