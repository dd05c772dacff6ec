"""What belongs to every page: where the portal begins, the tenant one is in, and the way out."""

from __future__ import annotations

from openpim.core.refusals import Code, Refusal
from openpim.faces.portal.call import Answer, Call, Go, RefusedError
from openpim.faces.portal.table import Page
from openpim.services.signin.flow import local_path
from openpim.services.signin.portal import leave


def start(_call: Call) -> Answer:
    return Go("/portal/roles")


def switch_tenant(call: Call) -> Answer:
    """Be in another of one's tenants."""
    wanted = call.form.get("tenant", "")
    found = next((one for one in call.presence.tenants if one.id == wanted), None)
    if found is None:
        raise RefusedError(Refusal(Code.NOT_FOUND, "You have no access to that tenant: choose one of yours."))
    return Go("/portal/roles", f"You are in {found.name} now.", tenant=found.id)


def sign_out(call: Call) -> Answer:
    leave(call.signin, call.presence, call.origin)
    return Go("/portal", signed_out=True)


def nothing_here(call: Call) -> Answer:
    path = local_path(call.path).partition("?")[0]
    raise RefusedError(Refusal(Code.NOT_FOUND, f"There is no page {path:.100}. Use the menu."))


PAGES = (
    Page("GET", "/portal", start),
    Page("POST", "/portal/tenant", switch_tenant),
    Page("POST", "/portal/sign-out", sign_out),
)
