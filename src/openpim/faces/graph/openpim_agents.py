"""`openPim/targets/{id}/agent`, an addition of ours: the agent of a Linux host. A token that works once lets one in; it is in the
answer that made it and in no other."""

from __future__ import annotations

from typing import Final

from openpim.faces.graph import grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.faults import settled
from openpim.faces.graph.table import Endpoint
from openpim.services.connecting import agents

_PATH: Final = "openPim/targets/{id}/agent"


def show(call: Call) -> Answer:
    key = call.params["id"].lower()
    found = settled(agents.show(call.deps, call.caller, key), key)
    report = found.report
    body = {
        "@odata.context": call.context("openPim/targets/agent"),
        "host": found.host or None,
        "enrolledDateTime": grants.when(found.enrolled_at),
        "isReporting": found.fresh,
        "reportedDateTime": grants.when(report.at if report is not None else None),
        "version": report.agent if report is not None else None,
        "entitlements": list(report.entitlements) if report is not None else [],
        "errors": [
            {"subject": user or None, "entitlement": entitlement, "message": text}
            for user, entitlement, text in (report.errors if report is not None else ())
        ],
    }
    return Answer(200, body)


def allow(call: Call) -> Answer:
    """A token for `pim agent enroll`; the one before it works no longer."""
    key = call.params["id"].lower()
    made = settled(agents.allow(call.deps, call.caller, key), key)
    body = {
        "@odata.context": call.context("openPim/targets/agentEnrolment"),
        "token": made.token,
        "expiresDateTime": grants.when(made.until),
    }
    return Answer(200, body, {"Cache-Control": "no-store"})


def withdraw(call: Call) -> Answer:
    key = call.params["id"].lower()
    settled(agents.withdraw(call.deps, call.caller, key), key)
    return NO_CONTENT


ENDPOINTS = (
    Endpoint("GET", _PATH, show, p.TARGETS_READ, people_only=True),
    Endpoint("DELETE", _PATH, withdraw, p.TARGETS_WRITE, people_only=True),
    Endpoint("POST", f"{_PATH}/enrolment", allow, p.TARGETS_WRITE, people_only=True),
)
