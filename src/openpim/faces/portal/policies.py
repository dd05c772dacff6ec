"""Role settings: the list of roles with who changed what when, and one role's settings in Entra's three tabs, in words,
beside their defaults."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from openpim.core.directory import Group
from openpim.core.grants import Provider
from openpim.core.query import Compare, Order, Query
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import canonical
from openpim.core.scopes import TENANT
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show, settled
from openpim.faces.portal.paging import page_number
from openpim.faces.portal.policy_words import TABS, brief, facts, sentence
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import t
from openpim.services import browse, policies, role_settings
from openpim.services.resources import browse as places
from openpim.services.role_settings import RoleOutline, RoleSetting

NAV = "policies"
A_PAGE = 25
GROUPS = 100
MOST_COPIES = 50


def directory(call: Call) -> Answer:
    return _list(call, Provider.DIRECTORY, TENANT)


def groups(call: Call) -> Answer:
    """Which group; then its two roles."""
    wanted = call.query.get("group", "")[:36].lower()
    if wanted:
        return _list(call, Provider.GROUP, wanted)
    return Show("policy_groups.html", {"groups": _groups(call), "q": _q(call)}, nav=NAV)


def resources(call: Call) -> Answer:
    """Which place; then its roles."""
    wanted = call.query.get("scope", "")[:2000].strip()
    if wanted:
        return _list(call, Provider.RESOURCE, canonical(wanted))
    seen = (
        *places.management_groups(call.deps, call.caller),
        *places.subscriptions(call.deps, call.caller),
    )
    return Show("policy_places.html", {"places": seen[:500]}, nav=NAV)


def show(call: Call) -> Answer:
    setting = asked(call)
    tab = tab_of(call.query.get("tab", ""))
    values = {
        "setting": setting,
        "tab": tab,
        "tabs": TABS,
        "facts": facts(setting, tab),
        "sentence": sentence(setting),
        "here": address(setting),
        "where": query_of(setting),
    }
    return Show("policy.html", values, nav=NAV)


def copy(call: Call) -> Answer:
    """To which roles at the same place."""
    setting = asked(call)
    others = settled(role_settings.outlines(call.deps, call.caller, setting.provider, setting.policy.scope))
    values = {
        "setting": setting,
        "others": [one for one in others if one.role_id != setting.policy.role_id],
        "here": address(setting),
        "where": query_of(setting),
        "sentence": sentence(setting),
        "most": MOST_COPIES,
    }
    return Show("policy_copy.html", values, nav=NAV)


def copied(call: Call) -> Answer:
    setting = asked(call)
    back = f"{address(setting)}?{query_of(setting)}"
    picked = call.picked("pick")
    if not picked or len(picked) > MOST_COPIES:
        message = t("Choose between 1 and {count} roles.", count=MOST_COPIES)
        return Go(f"{address(setting)}/copy?{query_of(setting)}", message, "bad")
    for number, role in enumerate(picked):
        other = settled(
            role_settings.get(call.deps, call.caller, setting.provider, role[:100], setting.policy.scope)
        )
        done = policies.update(
            call.deps,
            call.caller,
            other.policy.id,
            lambda _present: setting.policy,
            setting.provider,
            setting.policy.scope,
        )
        if isinstance(done, Refusal):
            told = t("{role}: {why} {count} were changed before.", role=other.role_name, why=done.message, count=number)  # fmt: skip
            return Go(back, told, "bad")
    return Go(back, t("The settings are copied to {count} roles.", count=len(picked)))


# ---------------------------------------------------------------- what the editing shares


def asked(call: Call) -> RoleSetting:
    """The setting that the address names."""
    provider = next((one for one in Provider if one.value == call.params["provider"]), None)
    if provider is None:
        raise RefusedError(Refusal(Code.NOT_FOUND, "There are settings for directory, group and resource."))
    given = (call.form.get("scope") or call.query.get("scope") or TENANT)[:2000]
    scope = canonical(given) if provider is Provider.RESOURCE else given
    role = call.params["role"][:100].lower()
    return settled(role_settings.get(call.deps, call.caller, provider, role, scope))


def address(setting: RoleSetting) -> str:
    return f"/portal/policies/{setting.provider.value}/{setting.policy.role_id}"


def query_of(setting: RoleSetting) -> str:
    return urlencode({"scope": setting.policy.scope})


def tab_of(text: str) -> str:
    return text if text in dict(TABS) else TABS[0][0]


# ---------------------------------------------------------------- lists


def _list(call: Call, provider: Provider, scope: str) -> Answer:
    words = _q(call).casefold().split()
    changed = bool(call.query.get("changed"))
    page = pages = 1

    def choose(roles: Sequence[RoleOutline]) -> Sequence[RoleOutline]:
        nonlocal page, pages
        rows = [one for one in roles if all(word in one.role_name.casefold() for word in words)]
        if changed:
            rows = [one for one in rows if not one.untouched]
        pages = max(1, -(-len(rows) // A_PAGE))
        page = page_number(call.query.get("page", ""), pages)
        return rows[(page - 1) * A_PAGE : page * A_PAGE]

    found = settled(role_settings.listed(call.deps, call.caller, provider, scope, choose))
    values = {
        "provider": provider,
        "scope": scope,
        "scope_name": found.scope_name,
        "rows": found.settings,
        "where": urlencode({"scope": scope}),
        "q": _q(call),
        "changed": changed,
        "page": page,
        "pages": pages,
        "address": address,
        "brief": brief,
    }
    return Show("policies.html", values, nav=NAV)


def _groups(call: Call) -> Sequence[Group]:
    text = _q(call)
    where = Compare("display_name", "contains", text) if text else None
    found = browse.groups(call.deps, call.caller, Query(where, order=(Order("display_name"),), limit=GROUPS))
    return [one for one in found.items if not one.dynamic and not one.synced]


def _q(call: Call) -> str:
    return call.query.get("q", "")[:200]


PAGES = (
    Page("GET", "/portal/policies", directory),
    Page("GET", "/portal/policies/groups", groups),
    Page("GET", "/portal/policies/resources", resources),
    Page("GET", "/portal/policies/{provider}/{role}", show),
    Page("GET", "/portal/policies/{provider}/{role}/copy", copy),
    Page("POST", "/portal/policies/{provider}/{role}/copy", copied),
)
