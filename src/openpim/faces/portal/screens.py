"""Every page and form there is: each screen's file has its own rows, and this puts them together."""

from __future__ import annotations

from openpim.faces.portal import (
    activate,
    approvals,
    assignment_add,
    assignment_change,
    assignment_import,
    assignments,
    audit,
    groups,
    me,
    methods,
    overview,
    people,
    policies,
    policy_form,
    prolong,
    requests,
    resources,
    roles,
    saved,
    shell,
    timeline,
    units,
)
from openpim.faces.portal.table import Page

PAGES: tuple[Page, ...] = (
    *shell.PAGES,
    *roles.PAGES,
    *activate.PAGES,
    *prolong.PAGES,
    *requests.PAGES,
    *approvals.PAGES,
    *saved.PAGES,
    *assignments.PAGES,
    *assignment_add.PAGES,
    *assignment_import.PAGES,
    *assignment_change.PAGES,
    *audit.PAGES,
    *me.PAGES,
    *methods.PAGES,
    *policies.PAGES,
    *policy_form.PAGES,
    *overview.PAGES,
    *people.PAGES,
    *groups.PAGES,
    *units.PAGES,
    *resources.PAGES,
    *timeline.PAGES,
)
