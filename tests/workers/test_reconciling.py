"""What wakes those who look after targets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from openpim.core.audit import AuditEvent
from openpim.services.connecting import telling
from openpim.workers.reconciling import Reconciling

AT = datetime(2026, 11, 2, tzinfo=UTC)
GIVEN = AuditEvent("1", AT, "Add member to role completed (PIM activation)", "RoleManagement", "success")
SIGN_IN = replace(GIVEN, activity="Sign in", category="Authentication")
OURS = replace(GIVEN, activity=telling.EFFECTIVE, category="ApplicationManagement")


class Keeping:
    """In place of a thread."""

    def __init__(self, tenant_id: str) -> None:
        self.tenant_id = tenant_id
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


@pytest.mark.parametrize(
    ("tenant", "events", "woken"),
    [
        ("here", [GIVEN], 1),
        ("", [GIVEN], 1),  # of several tenants
        ("elsewhere", [GIVEN], 0),
        ("here", [SIGN_IN], 0),
        ("here", [OURS, OURS], 0),
        ("here", [SIGN_IN, OURS, GIVEN], 1),
    ],
)
def test_a_commit_wakes_those_whom_it_may_concern(tenant: str, events: list[AuditEvent], woken: int) -> None:
    deps: Any = None
    reconciling, keeping = Reconciling(deps), Keeping("here")
    reconciling._running["target"] = keeping  # type: ignore[assignment]
    reconciling.happened(tenant, events)
    assert keeping.woken == woken
