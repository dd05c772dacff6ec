"""Discovery documents. `issuer` equals what stands in the ID tokens of the same address: `{origin}/{tenant id}/v2.0`
for a tenant (by id or by domain), `{origin}/common/v2.0` for common, `{origin}/adfs` for the alias with v1 paths.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from openpim.core.directory import Tenant
from openpim.core.signin.claims import ACR_VALUES
from openpim.core.signin.oauth import OAuthError
from openpim.faces.oidc.answers import OPEN, Endpoint, preflight, refused
from openpim.faces.shared.origin import allowed_origin, host_beside, public_origin
from openpim.faces.shared.threads import in_thread
from openpim.services.signin.context import SignIn
from openpim.services.signin.flow import id_issuer
from openpim.services.signin.people import ANY_TENANT, find_tenant

_CLAIMS = [
    "iss",
    "aud",
    "sub",
    "exp",
    "iat",
    "nbf",
    "nonce",
    "auth_time",
    "tid",
    "oid",
    "preferred_username",
    "name",
    "given_name",
    "family_name",
    "email",
    "amr",
    "acr",
    "acrs",
    "sid",
    "groups",
    "group_names",
    "roles",
    "wids",
]


_CONFIDENTIAL = ["client_secret_post", "client_secret_basic", "private_key_jwt"]
_ASSERTIONS = ["RS256", "PS256", "ES256"]


def document(signin: SignIn) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        answer = preflight(request)
        if answer is not None:
            return answer
        name = request.path_params["tenant"].lower()
        tenant = await in_thread(_tenant, signin, name)
        if tenant is None and name not in ANY_TENANT:
            return refused(
                request, OAuthError("invalid_tenant", "There is no such tenant: check the address.")
            )
        base = public_origin(signin.settings, request.headers.get("host"))
        found = _document(base, name, tenant.id if tenant else "")
        return JSONResponse({**found, "openpim_resource_manager": _arm(signin, base)}, headers=OPEN)

    return endpoint


def _tenant(signin: SignIn, name: str) -> Tenant | None:
    return signin.deps.store.read("", lambda tx: find_tenant(tx, name))


def _arm(signin: SignIn, base: str) -> str:
    """Where the resource manager is for this client; `pim` finds it here."""
    settings = signin.deps.settings
    host = host_beside(base, settings.origin, settings.arm_origin)
    return allowed_origin(settings.arm_origin, settings.allowed_hosts, host)


def _document(base: str, name: str, tenant_id: str) -> dict[str, Any]:
    segment = tenant_id or name
    v1 = name == "adfs"
    oauth = f"{base}/{segment}/oauth2" + ("" if v1 else "/v2.0")
    return {
        "issuer": id_issuer(base, name, tenant_id),
        "authorization_endpoint": f"{oauth}/authorize",
        "token_endpoint": f"{oauth}/token",
        "device_authorization_endpoint": f"{oauth}/devicecode",
        "jwks_uri": f"{base}/{segment}/discovery/" + ("keys" if v1 else "v2.0/keys"),
        "userinfo_endpoint": f"{base}/oidc/userinfo",
        "end_session_endpoint": f"{oauth}/logout",
        "introspection_endpoint": f"{oauth}/introspect",
        "revocation_endpoint": f"{oauth}/revoke",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": [*_CONFIDENTIAL, "none"],
        "token_endpoint_auth_signing_alg_values_supported": _ASSERTIONS,
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "claims_supported": _CLAIMS,
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
        "prompt_values_supported": ["none", "login", "select_account", "consent"],
        "acr_values_supported": [*ACR_VALUES, *(f"c{number}" for number in range(1, 100))],
        "introspection_endpoint_auth_methods_supported": _CONFIDENTIAL,
        "revocation_endpoint_auth_methods_supported": [*_CONFIDENTIAL, "none"],
        "introspection_endpoint_auth_signing_alg_values_supported": _ASSERTIONS,
        "revocation_endpoint_auth_signing_alg_values_supported": _ASSERTIONS,
        "frontchannel_logout_supported": False,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "tenant_region_scope": None,
        "cloud_instance_name": urlsplit(base).hostname,
    }


def instance(signin: SignIn) -> Endpoint:
    """MSAL's instance discovery: yes, this host is an authority, and it has no other names."""

    async def endpoint(request: Request) -> Response:
        answer = preflight(request)
        if answer is not None:
            return answer
        base = public_origin(signin.settings, request.headers.get("host"))
        host = urlsplit(base).netloc
        try:
            asked = urlsplit(request.query_params.get("authorization_endpoint", ""))
        except ValueError:  # no address at all
            asked = urlsplit("")
        if asked.scheme != "https" or asked.netloc.lower() != host:
            problem = "authorization_endpoint names another host: use its own instance discovery."
            return refused(request, OAuthError("invalid_instance", problem))
        tenant = asked.path.strip("/").split("/")[0] or "common"
        version = "" if tenant.lower() == "adfs" else "/v2.0"
        body = {
            "api-version": request.query_params.get("api-version", "1.1")[:8],
            "tenant_discovery_endpoint": f"{base}/{tenant}{version}/.well-known/openid-configuration",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }
        return JSONResponse(body, headers=OPEN)

    return endpoint
