"""Overview: what is in use, what waits, how often roles were activated, and how much privilege still stands."""

from __future__ import annotations

from datetime import timedelta

from openpim.core.refusals import Refusal
from openpim.faces.portal.call import Answer, Call, RefusedError, Show
from openpim.faces.portal.finding import holder_address
from openpim.faces.portal.table import Page
from openpim.services import overview

NAV = "overview"


def show(call: Call) -> Answer:
    found = overview.summary(call.deps, call.caller)
    if isinstance(found, Refusal):
        raise RefusedError(found)
    counted = found.counts.days
    most = max(1, *counted)
    days = [(found.since + timedelta(days=number), count) for number, count in enumerate(counted)]
    values = {
        "overview": found,
        "counts": found.counts,
        "days": days,
        "most": most,
        "activations": sum(counted),
        "most_used": max([1, *(one.count for one in found.roles)]),
        "address": holder_address,
    }
    return Show("overview.html", values, nav=NAV)


PAGES = (Page("GET", "/portal/overview", show),)
