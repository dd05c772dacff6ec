"""`/organization`, and finding out which tenant an id or a domain belongs to."""

from __future__ import annotations

from openpim.core.directory import Tenant
from openpim.core.query import Page
from openpim.faces.graph import grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import missing, settled
from openpim.faces.graph.resource import Resource, Row
from openpim.faces.graph.table import Endpoint
from openpim.services import browse
from openpim.wire.odata import ODataError


def row(_call: Call, tenant: Tenant) -> Row:
    return {
        "id": tenant.id,
        "deletedDateTime": None,
        "businessPhones": [],
        "countryLetterCode": None,
        "createdDateTime": grants.when(tenant.created_at),
        "displayName": tenant.name,
        "onPremisesSyncEnabled": None,
        "technicalNotificationMails": [],
        "tenantType": "AAD",
        "assignedPlans": [],
        "provisionedPlans": [],
        "verifiedDomains": [
            {"capabilities": "", "isDefault": one == tenant.domain, "isInitial": one == tenant.domain, "name": one, "type": "Managed"}
            for one in (tenant.domains or (tenant.domain,))
        ],
    }  # fmt: skip


ORGANIZATION: Resource[Tenant] = Resource(path="organization", type="organization", render=row, tolerant=True)


def index(call: Call) -> Answer:
    tenant = settled(browse.tenant(call.deps, call.caller))
    return ORGANIZATION.collection(call, Page((tenant,), None, 1 if call.options.count else None))


def show(call: Call) -> Answer:
    if call.params["id"].lower() != call.caller.tenant_id:
        raise missing(call.params["id"])
    return ORGANIZATION.entity(call, settled(browse.tenant(call.deps, call.caller)))


def find(call: Call) -> Answer:
    """Any tenant here: its name and domain are what its sign-in page shows to everybody."""
    key = call.args.get("tenantid", call.args.get("domainname"))
    if not isinstance(key, str) or not key or "\x00" in key:
        raise ODataError("path", "name the tenant: tenantId='{id}' or domainName='{domain}'")
    tenant = settled(browse.any_tenant(call.deps, call.caller, key), key)
    return Answer(
        200,
        {
            "@odata.context": call.context("microsoft.graph.tenantInformation"),
            "tenantId": tenant.id,
            "federationBrandName": None,
            "displayName": tenant.name,
            "defaultDomainName": tenant.domain,
        },
    )


ENDPOINTS = (
    Endpoint("GET", "organization", index, p.ORGANIZATION_READ),
    Endpoint("GET", "organization/{id}", show, p.ORGANIZATION_READ),
    Endpoint("GET", "tenantRelationships/findTenantInformationByTenantId()", find, p.TENANTS_READ),
    Endpoint("GET", "tenantRelationships/findTenantInformationByDomainName()", find, p.TENANTS_READ),
)
