"""Applications that ask for permissions by name, as receivers of shared signals do (`scope=ssf.manage ssf.read`; CAEP
interoperability profile 1.0, 2.7.2), and not for all they have. Such a token says which in `scope`, and is good for nothing
else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from openpim.core.directory import ServicePrincipal
from openpim.core.signals import PERMISSIONS
from openpim.core.signin.oauth import OAuthError
from openpim.core.signin.scopes import Asked
from openpim.services.signin.issue import Draft

SIGNALS: Final = frozenset(PERMISSIONS)


def named_alone(draft: Draft, asked: Asked) -> Draft | OAuthError:
    """The token, with what was asked for by name and was given."""
    given = tuple(name for name in asked.names if name in draft.access["roles"])
    if not given:
        return OAuthError(
            "invalid_scope",
            "The application has none of these permissions: ask an administrator to give them.",
        )
    access = {**draft.access, "roles": list(given), "scope": " ".join(given)}
    return replace(draft, access=access, scope=given)


def of_application(principal: ServicePrincipal, claims: Mapping[str, Any]) -> frozenset[str]:
    """What the application may do now, no more than its token names."""
    live = frozenset(principal.permissions)
    return live.intersection(str(claims["scope"]).split()) if "scope" in claims else live
