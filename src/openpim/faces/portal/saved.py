"""Favourites (a star on a role) and bundles (roles that are activated in one go, under a name)."""

from __future__ import annotations

from openpim.core.bundles import FAVOURITES
from openpim.core.refusals import Refusal
from openpim.faces.portal.call import Answer, Call, Go, Show
from openpim.faces.portal.table import Page
from openpim.services import bundles, eligibilities


def listing(call: Call) -> Answer:
    kept = [one for one in bundles.mine(call.deps, call.caller) if one.name != FAVOURITES]
    keys = frozenset(key for one in kept for key in one.roles)
    mine = eligibilities.chosen(
        call.deps, call.caller, lambda outlines: [one for one in outlines if one.key in keys]
    )
    values = {"bundles": [(one, bundles.inside(one, mine)) for one in kept]}
    return Show("bundles.html", values, nav="roles")


def star(call: Call) -> Answer:
    """`star` or `unstar`: the id of an eligibility."""
    wanted = "star" in call.form
    named = call.form.get("star" if wanted else "unstar", "")
    found = eligibilities.by_id(call.deps, call.caller, [named]).get(named)
    if found is None:
        return Go("/portal/roles", "You are not eligible for this role any more.", "note")
    refusal = bundles.favourite(call.deps, call.caller, bundles.key_of(found), wanted=wanted)
    return Go("/portal/roles", refusal.message, "bad") if refusal else Go("/portal/roles")


def save(call: Call) -> Answer:
    """Keep the roles of an activation (`pick-<id>`) under a name."""
    mine = eligibilities.by_id(call.deps, call.caller, call.picked("pick"))
    picked = [bundles.key_of(mine[one]) for one in call.picked("pick") if one in mine]
    name = call.form.get("bundle", "")[:200]
    refusal = bundles.save(call.deps, call.caller, name, picked)
    if isinstance(refusal, Refusal):
        back = "&".join(f"pick-{one}=on" for one in call.picked("pick") if one in mine)
        return Go(f"/portal/activate?{back}", refusal.message, "bad")
    return Go("/portal/roles", f"The bundle {' '.join(name.split())} is kept.")


def remove(call: Call) -> Answer:
    refusal = bundles.remove(call.deps, call.caller, call.form.get("bundle", "")[:200])
    if refusal is not None:
        return Go("/portal/bundles", refusal.message, "note")
    return Go("/portal/bundles", "The bundle is removed. Its roles stay as they are.")


PAGES = (
    Page("GET", "/portal/bundles", listing),
    Page("POST", "/portal/bundles", save),
    Page("POST", "/portal/bundles/remove", remove),
    Page("POST", "/portal/roles/star", star),
)
