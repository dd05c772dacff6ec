"""Where a receiver begins: the transmitter's configuration (SSF 7), and that of the management API as a protected resource
(RFC 9728). Public; there is one for each tenant, whose issuer is that of its ID tokens, so that one name and one set of keys
are enough.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from openpim.core.directory import Tenant
from openpim.core.signals import PERMISSIONS, DefaultSubjects, Method
from openpim.faces.shared.threads import in_thread
from openpim.services.signin.context import SignIn, issuer
from openpim.services.signin.people import find_tenant

CONFIGURATION = "/.well-known/ssf-configuration"
RESOURCE = "/.well-known/oauth-protected-resource"
_OPEN = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}
_KEPT = {**_OPEN, "Cache-Control": "public, max-age=300"}
Handler = Callable[[Request], Awaitable[Response]]


def configuration(signin: SignIn) -> Handler:
    async def handle(request: Request) -> Response:
        tenant = await in_thread(_tenant, signin, request.path_params["tenant"])
        if tenant is None or tenant.id != request.path_params["tenant"]:
            return _elsewhere(signin, tenant)
        return JSONResponse(document(signin.settings.origin, tenant.id), headers=_KEPT)

    return handle


def without_path(signin: SignIn) -> Handler:
    """The issuer has the tenant in its path, so its configuration is below that; who looks elsewhere is told where."""

    async def handle(request: Request) -> Response:
        name = request.path_params.get("tenant", "")
        return _elsewhere(signin, await in_thread(_tenant, signin, name) if name else None)

    return handle


def resource(signin: SignIn) -> Handler:
    async def handle(request: Request) -> Response:
        tenant = await in_thread(_tenant, signin, request.path_params["tenant"])
        if tenant is None or tenant.id != request.path_params["tenant"]:
            return _elsewhere(signin, tenant)
        origin = signin.settings.origin
        body = {
            "resource": f"{origin}/ssf/{tenant.id}",
            "authorization_servers": [issuer(origin, tenant.id)],
            "scopes_supported": list(PERMISSIONS),
            "bearer_methods_supported": ["header"],
        }
        return JSONResponse(body, headers=_KEPT)

    return handle


def document(origin: str, tenant_id: str) -> dict[str, Any]:
    here = f"{origin}/ssf/{tenant_id}"
    return {
        "spec_version": "1_0",
        "issuer": issuer(origin, tenant_id),
        "jwks_uri": f"{origin}/{tenant_id}/discovery/v2.0/keys",
        "delivery_methods_supported": [one.value for one in Method],
        "configuration_endpoint": f"{here}/streams",
        "status_endpoint": f"{here}/status",
        "add_subject_endpoint": f"{here}/subjects/add",
        "remove_subject_endpoint": f"{here}/subjects/remove",
        "verification_endpoint": f"{here}/verify",
        "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6749"}, {"spec_urn": "urn:ietf:rfc:6750"}],
        "default_subjects": DefaultSubjects.ALL.value,
    }


def _tenant(signin: SignIn, name: str) -> Tenant | None:
    return signin.deps.store.read("", lambda tx: find_tenant(tx, name))


def _elsewhere(signin: SignIn, tenant: Tenant | None) -> Response:
    address = f"{signin.settings.origin}{CONFIGURATION}/{tenant.id if tenant else '{tenant id}'}/v2.0"
    body = {"err": "not_found", "description": f"The configuration of an organisation is at {address}."}
    return JSONResponse(body, 404, headers=_OPEN)
