"""Groups' `assignmentApprovals`: the same approvals as those of roles, at another address."""

from __future__ import annotations

from openpim.faces.graph import permissions as p
from openpim.faces.graph import privileged_access_group as pag
from openpim.faces.graph.approvals import Place, endpoints

ENDPOINTS = endpoints(
    Place(f"{pag.PATH}/assignmentApprovals", pag.GROUP), p.GROUP_APPROVALS_READ, p.GROUP_APPROVALS_WRITE
)
