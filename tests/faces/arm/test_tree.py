"""Where things are: addresses in every spelling, subscriptions, groups, resources, management groups."""

from __future__ import annotations

import pytest

from tests.faces.arm.client import AUTH, CONTRIBUTOR, OWNER, READER, UAA, Arm, error
from tests.world import World

# ---------------------------------------------------------------- the front


def test_the_metadata_come_in_three_shapes_and_without_a_token(arm):
    old = arm.ok("/metadata/endpoints?api-version=2015-01-01", None)
    assert set(old) == {"galleryEndpoint", "graphEndpoint", "portalEndpoint", "authentication"}
    listed = arm.get("/metadata/endpoints?api-version=2019-05-01", None).json()
    assert isinstance(listed, list)
    new = arm.ok("/metadata/endpoints?api-version=2022-09-01", None)
    assert new == listed[0]
    assert new["resourceManager"] == "https://localhost:8444"
    assert new["authentication"]["audiences"][0] == new["resourceManager"]
    assert new["authentication"]["loginEndpoint"] == "https://localhost:8443"
    assert (new["authentication"]["identityProvider"], new["authentication"]["tenant"]) == ("AAD", "common")
    assert new["suffixes"]
    error(arm.get("/metadata/endpoints", None, plain=True), 400, "MissingApiVersionParameter")


def test_nobody_gets_in_without_a_token(arm):
    answer = arm.get("/subscriptions", None)
    error(answer, 401, "AuthenticationFailed")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    answer = arm.get("/subscriptions", None, headers={"Authorization": "Bearer nonsense"})
    error(answer, 401, "InvalidAuthenticationToken")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_every_request_says_its_version(arm):
    error(arm.get("/subscriptions", arm.owner, plain=True), 400, "MissingApiVersionParameter")
    error(arm.get("/subscriptions?api-version=now", arm.owner), 400, "InvalidApiVersionParameter")
    for version in ("2022-12-01", "2020-10-01-preview", "2024-09-01-preview"):
        arm.ok(f"/subscriptions?api-version={version}", arm.owner)


def test_the_headers_clients_look_for(arm):
    answer = arm.get("/subscriptions", arm.owner, headers={"x-ms-client-request-id": "abc-1"})
    assert answer.headers["x-ms-request-id"] == answer.headers["x-ms-correlation-request-id"]
    assert answer.headers["x-ms-client-request-id"] == "abc-1"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert int(answer.headers["x-ms-ratelimit-remaining-subscription-reads"]) > 0


@pytest.mark.parametrize(
    "spelling",
    [
        "{prod}/resourcegroups/web/providers/microsoft.authorization/ROLEASSIGNMENTS",
        "//{prod}//resourceGroups/Web//providers/Microsoft.Authorization/roleAssignments/",
        "/providers/Microsoft.Subscription{prod}/resourceGroups/WEB/providers/Microsoft.Authorization/roleAssignments",
    ],
)
def test_addresses_in_any_spelling(arm, spelling):
    rows = arm.rows(spelling.format(prod=arm.prod), arm.owner)
    assert [row["properties"]["principalId"] for row in rows] == [arm.owner]


def test_what_does_not_exist(arm):
    error(arm.get("/nothing/here", arm.owner), 404, "InvalidResourceType")
    error(arm.get(f"{arm.prod}/{AUTH}/nonsense", arm.owner), 404, "InvalidResourceType")
    error(arm.get("/subscriptions/" + arm.world.new_id(), arm.owner), 403, "AuthorizationFailed")
    arm.assigned(arm.owner, READER, "/")
    error(arm.get("/subscriptions/" + arm.world.new_id(), arm.owner), 404, "SubscriptionNotFound")
    error(arm.get(f"{arm.prod}/resourceGroups/none", arm.owner), 404, "ResourceGroupNotFound")
    missing = f"{arm.web}/providers/Microsoft.Compute/virtualMachines/none"
    error(arm.get(missing, arm.owner), 404, "ResourceNotFound")
    answer = arm.send("TRACE", "/subscriptions", arm.owner)
    error(answer, 405, "MethodNotAllowed")
    assert "GET" in answer.headers["Allow"]


# ---------------------------------------------------------------- reading


def test_tenants_and_subscriptions(arm):
    (tenant,) = arm.rows("/tenants", arm.world.bob)
    assert tenant["tenantId"] == arm.world.tenant_id
    assert tenant["defaultDomain"]
    assert arm.rows("/subscriptions", arm.world.bob) == []
    names = {row["displayName"] for row in arm.rows("/subscriptions", arm.owner)}
    assert names == {"Production", "Staff"}
    found = arm.ok(arm.prod, arm.owner)
    assert found["subscriptionId"] == arm.prod.rsplit("/", 1)[1]
    assert (found["state"], found["tenantId"]) == ("Enabled", arm.world.tenant_id)


def test_who_is_eligible_sees_the_subscription_and_nothing_in_it(arm):
    arm.eligible(arm.world.bob, READER, arm.web)
    assert [row["displayName"] for row in arm.rows("/subscriptions", arm.world.bob)] == ["Production"]
    arm.ok(arm.prod, arm.world.bob)
    error(arm.get(arm.web, arm.world.bob), 403, "AuthorizationFailed")
    error(arm.get(arm.staff, arm.world.bob), 403, "AuthorizationFailed")


def test_resource_groups_and_resources(arm):
    rows = arm.rows(f"{arm.prod}/resourcegroups", arm.owner)
    assert [(row["name"], row["location"]) for row in rows] == [("data", "westeurope"), ("Web", "westeurope")]
    assert rows[1]["id"].endswith("/resourceGroups/Web")
    assert arm.send("HEAD", arm.web, arm.owner).status_code == 204
    assert arm.send("HEAD", f"{arm.prod}/resourcegroups/none", arm.owner).status_code == 404
    (vm,) = arm.rows(f"{arm.prod}/resources?$filter=", arm.owner)
    assert (vm["name"], vm["type"]) == ("VM1", "Microsoft.Compute/virtualMachines")
    assert vm["id"].endswith("/resourceGroups/Web/providers/Microsoft.Compute/virtualMachines/VM1")
    assert arm.rows(f"{arm.prod}/resources?$filter=resourceType eq 'Microsoft.Web/sites'", arm.owner) == []
    assert len(arm.rows(f"{arm.web}/resources", arm.owner)) == 1
    assert arm.ok(arm.vm, arm.owner)["name"] == "VM1"
    arm.assigned(arm.world.bob, READER, arm.web)
    assert [row["name"] for row in arm.rows(f"{arm.prod}/resourcegroups", arm.world.bob)] == ["Web"]


def test_namespaces_are_registered(arm):
    assert arm.rows(f"{arm.prod}/providers", arm.owner)
    found = arm.ok(f"{arm.prod}/providers/Microsoft.Management", arm.owner)
    assert found["registrationState"] == "Registered"
    assert arm.post(f"{arm.prod}/providers/Microsoft.Management/register", arm.owner).status_code == 200


def test_management_groups(arm):
    base = "/providers/Microsoft.Management/managementGroups"
    names = {row["name"] for row in arm.rows(f"{base}?api-version=2021-04-01", arm.owner)}
    assert names == {arm.world.tenant_id, "IT", "HR"}
    found = arm.ok(f"{base}/it?$expand=children&api-version=2020-05-01", arm.owner)
    assert found["properties"]["details"]["parent"]["name"] == arm.world.tenant_id
    assert [one["displayName"] for one in found["properties"]["children"]] == ["Production"]
    whole = arm.ok(f"{base}/{arm.world.tenant_id}?$expand=children&$recurse=true", arm.owner)
    it = next(one for one in whole["properties"]["children"] if one["name"] == "IT")
    assert it["children"][0]["type"] == "/subscriptions"
    descendants = arm.rows(f"{base}/{arm.world.tenant_id}/descendants", arm.owner)
    assert {row["properties"]["displayName"] for row in descendants} == {
        "IT", "HR", "Production", "Staff",
    }  # fmt: skip
    assert [row["properties"]["displayName"] for row in arm.rows(f"{base}/IT/subscriptions", arm.owner)] == [
        "Production"
    ]
    entities = arm.post("/providers/Microsoft.Management/getEntities", arm.owner).json()
    prod = next(one for one in entities["value"] if one["properties"]["displayName"] == "Production")
    assert prod["properties"]["parentNameChain"][-1] == "IT"
    error(arm.get(f"{base}/IT", arm.world.bob), 403, "AuthorizationFailed")


# ---------------------------------------------------------------- changing


def test_a_tree_is_begun_by_a_global_administrator(arm):
    ga = arm.world.ga
    base = "/providers/Microsoft.Management/managementGroups"
    made = arm.put(f"{base}/Labs", ga, {"properties": {"displayName": "Labs"}})
    assert made.status_code == 200, made.text  # never 201: Azure CLI's SDK takes 200 and 202
    assert made.json()["properties"]["details"]["parent"]["name"] == arm.world.tenant_id
    body = {
        "properties": {
            "displayName": "Lab",
            "workload": "Production",
            "additionalProperties": {"managementGroupId": f"{base}/Labs"},
        }
    }
    made = arm.put("/providers/Microsoft.Subscription/aliases/lab", ga, body)
    assert made.status_code == 201, made.text
    again = arm.put("/providers/Microsoft.Subscription/aliases/lab", ga, body)
    assert again.status_code == 200
    assert again.json()["properties"]["subscriptionId"] == made.json()["properties"]["subscriptionId"]
    assert arm.ok("/providers/Microsoft.Subscription/aliases/lab", ga)["properties"]["displayName"] == "Lab"
    lab = "/subscriptions/" + made.json()["properties"]["subscriptionId"]
    assert arm.put(f"{lab}/resourcegroups/bench", ga, {"location": "north"}).status_code == 201
    # He had no right there before: who makes it owns it.
    owned = arm.rows(f"{lab}/{AUTH}/roleAssignments?$filter=principalId eq '{ga}'", ga)
    assert {row["properties"]["roleDefinitionId"].rsplit("/", 1)[1] for row in owned} == {OWNER}
    error(arm.put(f"{base}/More", arm.world.bob, {}), 403, "AuthorizationFailed")
    error(
        arm.put("/providers/Microsoft.Subscription/aliases/x", arm.world.bob, {"properties": {}}),
        403,
        "AuthorizationFailed",
    )


def test_elevation(arm):
    error(arm.post(f"/{AUTH}/elevateAccess", arm.world.pra), 403, "AuthorizationFailed")
    assert arm.post(f"/{AUTH}/elevateAccess", arm.world.ga).status_code == 200
    assert arm.post(f"/{AUTH}/elevateAccess", arm.world.ga).status_code == 200
    rows = arm.rows(f"/{AUTH}/roleAssignments?$filter=atScope()", arm.world.ga)
    assert [row["properties"]["roleDefinitionId"].rsplit("/", 1)[1] for row in rows] == [UAA]
    assert rows[0]["properties"]["scope"] == "/"
    assert arm.world.events("Assigns the caller to User Access Administrator role")


def test_groups_and_resources_are_made_changed_and_removed(arm):
    assert (
        arm.put(
            f"{arm.prod}/resourcegroups/New", arm.owner, {"location": "north", "tags": {"a": "b"}}
        ).status_code
        == 201
    )
    changed = arm.put(f"{arm.prod}/resourceGroups/new", arm.owner, {"location": "NORTH", "tags": {"c": "d"}})
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["tags"]) == ("New", {"c": "d"})
    error(arm.put(f"{arm.prod}/resourceGroups/new", arm.owner, {"location": "south"}), 409, "Conflict")
    store = f"{arm.prod}/resourceGroups/New/providers/Microsoft.Storage/storageAccounts/Acc"
    assert arm.put(store, arm.owner, {"location": "north"}).status_code == 201
    assert arm.put(f"{store}/blobServices/default", arm.owner).status_code == 201
    none = f"{arm.prod}/resourceGroups/None/providers/Microsoft.Storage/storageAccounts/Acc"
    error(arm.put(none, arm.owner, {}), 404, "ResourceGroupNotFound")
    error(
        arm.put(f"{arm.prod}/resourceGroups/x", arm.world.bob, {"location": "n"}), 403, "AuthorizationFailed"
    )
    error(arm.delete(f"{arm.prod}/resourceGroups/New", arm.world.bob), 403, "AuthorizationFailed")
    assert arm.delete(f"{arm.prod}/resourceGroups/New", arm.owner).status_code == 200
    error(arm.get(store, arm.owner), 404, "ResourceNotFound")
    error(arm.delete(f"{arm.prod}/resourceGroups/New", arm.owner), 404, "ResourceGroupNotFound")


def test_lists_are_narrowed_by_one_tag(arm):
    """`az group list --tag a=1`: the name and the value are of the same tag."""
    groups, vm = f"{arm.prod}/resourcegroups", f"{arm.web}/providers/Microsoft.Web/sites/s"
    tags = {"a": "1", "b": "2"}
    arm.put(f"{groups}/Tagged", arm.owner, {"location": "north", "tags": tags})
    arm.put(vm, arm.owner, {"location": "north", "tags": tags})
    for path, name in ((groups, "Tagged"), (f"{arm.prod}/resources", "s")):
        for text, found in (("a' and tagValue eq '1", [name]), ("a", [name]), ("a' and tagValue eq '2", [])):
            rows = arm.rows(f"{path}?$filter=tagName eq '{text}'", arm.owner)
            assert [one["name"] for one in rows] == found, text
    error(arm.get(f"{groups}?$filter=colour eq 'red'", arm.owner), 400, "InvalidFilter")


def test_a_contributor_makes_resources_but_gives_nothing(arm):
    bob = arm.world.bob
    arm.assigned(bob, CONTRIBUTOR, arm.web)
    assert arm.put(f"{arm.web}/providers/Microsoft.Web/sites/one", bob, {"location": "n"}).status_code == 201
    answer = arm.request("Eligibility", arm.world.cyd, arm.web, bob)
    found = error(answer, 403, "AuthorizationFailed")
    assert bob in found["message"]
    assert "Microsoft.Authorization/roleAssignments/write" in found["message"]


def test_moving_a_subscription_takes_away_what_was_inherited(arm):
    bob = arm.world.bob
    arm.eligible(bob, READER, arm.it)
    arm.assigned(arm.world.cyd, READER, arm.it)
    assert arm.activate(bob, arm.prod).status_code == 201
    arm.ok(arm.web, bob)
    arm.ok(arm.web, arm.world.cyd)
    moved = arm.put(
        f"/providers/Microsoft.Management/managementGroups/HR/subscriptions/{arm.prod.rsplit('/', 1)[1]}",
        arm.owner,
    )
    assert moved.status_code == 200, moved.text
    error(arm.get(arm.web, bob), 403, "AuthorizationFailed")
    error(arm.get(arm.web, arm.world.cyd), 403, "AuthorizationFailed")
    assert arm.rows(f"/{AUTH}/roleAssignmentScheduleInstances?$filter=asTarget()", bob) == []
    assert len(arm.rows(f"/{AUTH}/roleEligibilityScheduleInstances?$filter=asTarget()", bob)) == 1


def test_what_hangs_on_a_group_goes_with_it(arm):
    bob = arm.world.bob
    arm.eligible(bob, READER, arm.vm)
    arm.eligible(bob, READER, arm.prod)
    assert arm.activate(bob, arm.vm).status_code == 201
    arm.approval(CONTRIBUTOR, arm.web, arm.owner)
    arm.eligible(bob, CONTRIBUTOR, arm.web)
    waiting = arm.activate(bob, arm.web, CONTRIBUTOR).json()
    assert waiting["properties"]["status"] == "PendingApproval"
    assert arm.delete(arm.web, arm.owner).status_code == 200
    scopes = {
        row["properties"]["scope"]
        for row in arm.rows(f"/{AUTH}/roleEligibilitySchedules?$filter=asTarget()", bob)
    }
    assert scopes == {arm.prod}
    assert arm.rows(f"/{AUTH}/roleAssignmentSchedules?$filter=asTarget()", bob) == []
    request = arm.ok(f"/{AUTH}/roleAssignmentScheduleRequests/{waiting['name']}", bob)
    assert request["properties"]["status"] == "Canceled"
    assert arm.rows(f"/{AUTH}/roleAssignmentApprovals", arm.owner) == []
    # Made anew, it starts with the settings of an untouched role.
    arm.put(arm.web, arm.owner, {"location": "n"})
    (policy,) = arm.rows(
        f"{arm.web}/{AUTH}/roleManagementPolicies?$filter=roleDefinitionId eq '{CONTRIBUTOR}'", arm.owner
    )
    rule = next(one for one in policy["properties"]["rules"] if one["id"] == "Approval_EndUser_Assignment")
    assert not rule["setting"]["isApprovalRequired"]


def test_management_groups_are_moved_and_removed(arm):
    base = "/providers/Microsoft.Management/managementGroups"
    error(arm.delete(f"{base}/IT", arm.owner), 409, "Conflict")
    inside = {"properties": {"details": {"parent": {"id": f"{base}/HR"}}}}
    assert arm.patch(f"{base}/IT", arm.owner, inside).status_code == 200
    error(arm.patch(f"{base}/HR", arm.owner, {"parentId": f"{base}/IT"}), 400, "InvalidRequestContent")
    error(arm.delete(f"{base}/{arm.world.tenant_id}", arm.owner), 409, "Conflict")
    sub = arm.prod.rsplit("/", 1)[1]
    assert arm.delete(f"{base}/IT/subscriptions/{sub}", arm.owner).status_code == 204
    assert arm.delete(f"{base}/IT", arm.owner).status_code == 204
    assert arm.post(f"{arm.staff}/providers/Microsoft.Subscription/cancel", arm.owner).status_code == 200
    assert {row["displayName"] for row in arm.rows("/subscriptions", arm.owner)} == {"Production"}


def test_a_tree_from_a_file(arm):
    base = "/providers/Microsoft.Management/managementGroups"
    sub = f"/subscriptions/{arm.world.new_id()}"
    resources = [
        {"id": f"{sub}/resourceGroups/rg", "location": "north"},
        {"id": sub, "displayName": "Imported", "parentId": f"{base}/inner"},
        {"id": f"{base}/inner", "parentId": f"{base}/outer"},
        {"id": f"{base}/outer", "displayName": "Outer"},
        {"id": f"{sub}/resourceGroups/rg/providers/Microsoft.Web/sites/s", "tags": {"team": "a"}},
    ]
    answer = arm.post("/providers/OpenPIM/importResources", arm.owner, {"resources": resources})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["value"]) == 5
    assert arm.ok(f"{base}/inner", arm.owner)["properties"]["details"]["parent"]["name"] == "outer"
    again = arm.post("/providers/OpenPIM/importResources", arm.owner, {"resources": resources})
    assert again.status_code == 200, again.text
    bad = [{"id": f"{base}/third"}, {"id": f"/subscriptions/{arm.world.new_id()}/resourceGroups/rg"}]
    refused = arm.post("/providers/OpenPIM/importResources", arm.owner, {"resources": bad})
    error(refused, 403, "AuthorizationFailed")  # what is there and what is not is not said to everybody
    bad[1] = {"id": sub, "parentId": "/providers/Microsoft.Management/managementGroups/inner"}
    refused = arm.post("/providers/OpenPIM/importResources", arm.owner, {"resources": [*bad, bad[1]]})
    message = error(refused, 400, "InvalidRequestContent")["message"]
    assert f"resources[2]: {sub} is on line 2 already" in message
    assert "third" not in {row["name"] for row in arm.rows(base, arm.owner)}
    error(
        arm.post("/providers/OpenPIM/importResources", arm.world.bob, {"resources": resources}),
        403,
        "AuthorizationFailed",
    )


def test_two_tenants_do_not_see_each_other(arm):
    abroad = World(arm.world.database)
    other = Arm(abroad)
    other.plant()
    assert {row["id"] for row in other.rows("/subscriptions", other.owner)} == {other.prod, other.staff}
    error(other.get(arm.prod, other.owner), 403, "AuthorizationFailed")
    other.assigned(other.owner, OWNER, "/")
    error(other.get(arm.prod, other.owner), 404, "SubscriptionNotFound")
    error(
        other.put(f"{arm.prod}/resourcegroups/x", other.owner, {"location": "n"}), 404, "SubscriptionNotFound"
    )
    error(other.request("Eligibility", arm.world.bob, other.prod, other.owner), 400, "SubjectNotFound")
    assert other.rows(f"/{AUTH}/roleAssignments?$filter=principalId eq '{arm.owner}'", other.owner) == []
