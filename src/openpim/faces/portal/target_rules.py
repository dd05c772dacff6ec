"""The mappings of a real system, and what people are called there. Before a mapping is added or removed, the page shows what it
would change in the system."""

from __future__ import annotations

from typing import Final

from openpim.core.refusals import Refusal
from openpim.faces.portal.assignment_add import provider_of, role_and_place
from openpim.faces.portal.call import Answer, Call, Go, Show, settled
from openpim.faces.portal.pick import meant
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.targets import HERE, NAV, may, of_path, plan_values, show
from openpim.faces.portal.typed import Typed
from openpim.faces.portal.words import t
from openpim.services.connecting import acting, manage
from openpim.services.connecting.acting import Tried
from openpim.services.connecting.checking import LONGEST_ENTITLEMENT
from openpim.services.connecting.manage import View

_FIELDS: Final = {
    "roleDefinitionId": "role",
    "accessId": "role",
    "directoryScopeId": "scope",
    "groupId": "scope",
}


def form(call: Call) -> Answer:
    asked = {name: call.query.get(name, "")[:2000] for name in ("provider", "role", "scope", "entitlement")}
    return _form(call, of_path(call), Typed(asked))


def step(call: Call) -> Answer:
    """One press of a button: `go` says which. What it would change is shown first."""
    view = of_path(call)
    typed = Typed(dict(call.form))
    pressed = typed.text("go", 10)
    if pressed == "back":
        return _form(call, view, typed)
    provider, entitlement = provider_of(typed), typed.text("entitlement", LONGEST_ENTITLEMENT + 1)
    role, scope = typed.text("role"), typed.text("scope", 2000)
    key = view.target.id
    if pressed != "add":
        tried = acting.plan_adding(call.deps, call.caller, key, provider, role, scope, entitlement)
        if isinstance(tried, Refusal):
            return _refused(call, view, typed, tried)
        return _preview(call, tried)
    made = manage.add_rule(call.deps, call.caller, key, provider, role.lower(), scope, entitlement)
    if isinstance(made, Refusal):
        return _refused(call, view, typed, made)
    said = t("The mapping to {entitlement} is added.", entitlement=made.entitlement)
    return Go(f"{HERE}/{key}/check", f"{said} {t('This is what is left to do.')}")


def removal(call: Call) -> Answer:
    view = of_path(call)
    tried = settled(acting.plan_removing(call.deps, call.caller, view.target.id, _rule(call)))
    return Show("target_rule_remove.html", _values(call, tried), nav=NAV)


def removed(call: Call) -> Answer:
    view = of_path(call)
    key = _rule(call)
    rule = next((one for one in view.rules if one.id == key), None)
    refusal = manage.remove_rule(call.deps, call.caller, view.target.id, key)
    settled(refusal)
    said = t("The mapping to {entitlement} is removed.", entitlement=rule.entitlement if rule else "")
    return Go(f"{HERE}/{view.target.id}/check", f"{said} {t('This is what is left to do.')}")


def named(call: Call) -> Answer:
    """What somebody is called in this system; nothing typed: as its pattern says."""
    view = of_path(call)
    typed = Typed(dict(call.form))
    who, said = typed.text("who"), typed.text("subject", LONGEST_ENTITLEMENT + 1)
    found = meant(call, who)
    if found is None:
        typed.wrong("who", t("Nobody, or more than one person, is called so. Write the sign-in name."))
        return show(call, view, typed)
    done = manage.set_subject(call.deps, call.caller, view.target.id, found, said)
    if isinstance(done, Refusal):
        typed.wrong("subject" if done.member == "subject" else "who", done.message)
        return show(call, view, typed, status_of(done))
    name = view.target.name
    if said:
        return Go(
            f"{HERE}/{view.target.id}", t("{who} is called {said} in {name}.", who=who, said=said, name=name)
        )
    return Go(f"{HERE}/{view.target.id}", t("The name is the one of the pattern again."))


# ---------------------------------------------------------------- inside


def _rule(call: Call) -> str:
    return call.params["rule"].lower()[:36]


def _refused(call: Call, view: View, typed: Typed, refusal: Refusal) -> Answer:
    member = refusal.member or ""
    field = _FIELDS.get(member, member if member in {"role", "scope", "entitlement"} else "")
    typed.wrong(field, refusal.message)
    return _form(call, view, typed, status_of(refusal))


def _form(call: Call, view: View, typed: Typed, status: int = 200) -> Show:
    values = {
        "target": view.target,
        "typed": typed,
        "entitlement": typed.text("entitlement", LONGEST_ENTITLEMENT),
        "may": may(call),
        "here": f"{HERE}/{view.target.id}",
        **role_and_place(call, typed),
    }
    return Show("target_rule.html", values, status, nav=NAV)


def _preview(call: Call, tried: Tried) -> Show:
    return Show("target_rule_preview.html", _values(call, tried), nav=NAV)


def _values(call: Call, tried: Tried) -> dict[str, object]:
    return {
        "target": tried.target,
        "rule": tried.rule,
        "role": tried.role,
        "scope": tried.scope,
        "may": may(call),
        "here": f"{HERE}/{tried.target.id}",
        **plan_values(tried.planned),
    }


PAGES: Final = (
    Page("GET", f"{HERE}/{{id}}/rules/new", form),
    Page("POST", f"{HERE}/{{id}}/rules/new", step, waits=True),
    Page("GET", f"{HERE}/{{id}}/rules/{{rule}}/remove", removal, waits=True),
    Page("POST", f"{HERE}/{{id}}/rules/{{rule}}/remove", removed),
    Page("POST", f"{HERE}/{{id}}/names", named),
)
