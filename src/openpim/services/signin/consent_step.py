"""The step of a sign-in that asks whether an application may do something for the person."""

from __future__ import annotations

from dataclasses import replace

from openpim.core.caller import Caller, CallerKind
from openpim.core.signin.consent import missing, person_may_allow
from openpim.core.signin.oauth import OAuthError
from openpim.core.signin.scopes import Asked
from openpim.core.signin.values import Client
from openpim.ports.store import Transaction
from openpim.services.signin.consent import allow, find_audience, may_allow_all, unconsented
from openpim.services.signin.context import SignIn
from openpim.services.signin.flow import Ask, Browser, Flow
from openpim.services.signin.people import Person


def consented(
    signin: SignIn,
    tx: Transaction,
    flow: Flow,
    browser: Browser,
    client: Client,
    asked: Asked,
    person: Person,
    *,
    again: bool,
) -> Flow | Ask | OAuthError:
    """The flow, to go on with; or the page that asks. again: the client wants the person asked even so.

    Whoever may give such permissions can give them for everybody; what is beyond a person's own say takes somebody who
    may. Only what was shown, to whom it was shown, is ever written down.
    """
    there = tx.in_tenant(person.tenant_id)
    audience = find_audience(there, asked)
    if isinstance(audience, OAuthError):
        return audience
    wanted = unconsented(there, client, person.user.id, asked, audience)
    if not wanted and (client.first_party or not again or flow.allowed == "done"):
        return flow
    if not wanted:
        wanted = missing(asked, audience.resource_id, ())
    powerful = may_allow_all(there, person.tenant_id, person.user.id, signin.deps.clock())
    able = powerful or person_may_allow(wanted)
    shown = flow.offered_to == person.user.id and set(wanted) <= set(flow.offered)
    if flow.allowed in {"me", "all"} and shown and able:
        everybody = flow.allowed == "all" and powerful
        allow(there, signin.deps, _caller(person, client, browser), client, wanted, everybody=everybody)
        return replace(flow, offered=(), offered_to="", allowed="done")
    details = {
        "name": person.user.user_principal_name,
        "api": audience.name,
        "permissions": [name for _, name in wanted],
        "able": able,
        "powerful": powerful,
    }
    return Ask("consent", replace(flow, offered=wanted, offered_to=person.user.id, allowed=""), "", details)


def _caller(person: Person, client: Client, browser: Browser) -> Caller:
    return Caller(
        person.tenant_id,
        person.user.id,
        CallerKind.USER,
        display_name=person.user.display_name,
        user_principal_name=person.user.user_principal_name,
        app_id=client.app_id,
        ip=browser.origin.ip,
        client=browser.origin.user_agent,
        request_id=browser.origin.request_id,
    )
