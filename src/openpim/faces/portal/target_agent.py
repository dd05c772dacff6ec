"""The agent of a Linux host: whether it is there, letting a host in, and shutting it out. The token that lets one in is shown on
the page that answers and never again."""

from __future__ import annotations

from typing import Final

from openpim.faces.portal.call import Answer, Call, Go, Show, settled
from openpim.faces.portal.table import Page
from openpim.faces.portal.targets import HERE, NAV, may, of_path
from openpim.faces.portal.words import t
from openpim.services.connecting import agents


def one(call: Call) -> Answer:
    target = of_path(call).target
    values = {
        "target": target,
        "agent": settled(agents.show(call.deps, call.caller, target.id)),
        "may": may(call),
        "here": f"{HERE}/{target.id}",
    }
    return Show("target_agent.html", values, nav=NAV)


def allowed(call: Call) -> Answer:
    """The one page that shows the token."""
    target = of_path(call).target
    made = settled(agents.allow(call.deps, call.caller, target.id))
    values = {"target": target, "token": made.token, "until": made.until, "here": f"{HERE}/{target.id}"}
    return Show("target_agent_token.html", values, nav=NAV)


def withdrawn(call: Call) -> Answer:
    target = of_path(call).target
    settled(agents.withdraw(call.deps, call.caller, target.id))
    return Go(f"{HERE}/{target.id}/agent", t("The agent of {name} is heard no longer.", name=target.name))


PAGES: Final = (
    Page("GET", f"{HERE}/{{id}}/agent", one),
    Page("POST", f"{HERE}/{{id}}/agent", allowed),
    Page("POST", f"{HERE}/{{id}}/agent/withdraw", withdrawn),
)
