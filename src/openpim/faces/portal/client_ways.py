"""How clients find this server: its addresses, command lines to copy, and the claims that tokens carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from openpim.core.directory import Application, Tenant
from openpim.core.relying import Claim, Place, placed
from openpim.core.settings import Settings
from openpim.services.signin.context import issuer

# Every claim there can be; tests/faces/portal/test_applications.py holds them to the tokens that are made.
CLAIMS: Final = (
    (
        "ID token",
        (
            "iss", "aud", "sub", "oid", "tid", "iat", "nbf", "exp", "auth_time", "preferred_username", "upn", "unique_name",
            "name", "given_name", "family_name", "email", "amr", "acr", "acrs", "sid", "nonce", "ver",
        ),
    ),
    (
        "Access token for a person",
        (
            "iss", "aud", "rid", "sub", "oid", "tid", "iat", "nbf", "exp", "jti", "appid", "azp", "scp", "wids", "upn",
            "unique_name", "preferred_username", "name", "amr", "acr", "acrs", "acrs_until", "auth_time", "idtyp", "idp",
            "sid", "gid", "xms_cc", "activation", "act", "ver",
        ),
    ),
    (
        "Access token as itself",
        (
            "iss", "aud", "rid", "sub", "oid", "tid", "iat", "nbf", "exp", "jti", "appid", "azp", "roles", "idtyp",
            "app_displayname", "appidacr", "ver",
        ),
    ),
)  # fmt: skip

# The claims that follow what a person holds, and where each may stand.
PLACES: Final = (
    (Place.USERINFO, "Userinfo"),
    (Place.ID_TOKEN, "ID token"),
    (Place.ACCESS_TOKEN, "Access token"),
)
FOLLOWING: Final = (
    (Claim.ROLES, "Its own roles; names of directory roles where it has none"),
    (Claim.WIDS, "Directory roles by their template IDs"),
    (Claim.GROUPS, "Groups by their IDs"),
    (Claim.GROUP_NAMES, "Groups by their names"),
)


@dataclass(frozen=True, slots=True)
class Ways:
    """lines: for a shell."""

    authority: str
    configuration: str
    graph_scope: str
    arm_scope: str
    lines: tuple[str, ...]
    claims: tuple[tuple[str, tuple[str, ...]], ...] = CLAIMS


def of_application(settings: Settings, tenant: Tenant, application: Application) -> Ways:
    """How this application signs in to this organisation."""
    authority = f"{settings.clients_origin}/{tenant.id}"
    if application.public:
        lines: tuple[str, ...] = (
            f"pim login --server {settings.clients_origin} --tenant {tenant.domain} --client-id {application.app_id}",
        )
    else:
        form = f"-d grant_type=client_credentials -d client_id={application.app_id} -d client_secret=SECRET"
        lines = (
            f"curl {authority}/oauth2/v2.0/token {form} -d scope={settings.clients_origin}/.default",
            f"az login --service-principal --username {application.app_id} --password SECRET --tenant {tenant.id}",
        )
    return Ways(
        authority,
        f"{issuer(settings.clients_origin, tenant.id)}/.well-known/openid-configuration",
        f"{settings.clients_origin}/.default",
        f"{settings.arm_origin}/.default",
        lines,
    )


def addresses(settings: Settings, tenant: Tenant) -> tuple[tuple[str, str], ...]:
    """What clients of this organisation are told: (what it is, address)."""
    origin = settings.clients_origin
    return (
        ("Sign-in (authority)", f"{origin}/{tenant.id}"),
        ("OpenID configuration", f"{issuer(origin, tenant.id)}/.well-known/openid-configuration"),
        ("Signing keys (JWKS)", f"{origin}/{tenant.id}/discovery/v2.0/keys"),
        ("Device sign-in", f"{origin}/devicelogin"),
        ("Microsoft Graph", f"{origin}/v1.0"),
        ("Resource manager", settings.arm_origin),
        ("Portal", f"{origin}/portal?tenant={tenant.domain}"),
    )


def sign_in_lines(settings: Settings, tenant: Tenant) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(the program, its lines)."""
    return (
        ("pim", (f"pim login --server {settings.clients_origin} --tenant {tenant.domain}",)),
        (
            "Azure CLI",
            (
                f"az cloud register --name OpenPIM --endpoint-resource-manager {settings.arm_origin}",
                "az cloud set --name OpenPIM",
                "az config set core.instance_discovery=false",
                f"az login --tenant {tenant.id}",
            ),
        ),
    )


def told(application: Application) -> list[tuple[str, list[str]]]:
    """(place, claims) as a person reads it."""
    found = []
    for place, words in PLACES:
        here = placed(application.claims, place, has_roles=bool(application.app_roles))
        found.append((words, [claim.value for claim, _ in FOLLOWING if claim in here.claims]))
    return found
