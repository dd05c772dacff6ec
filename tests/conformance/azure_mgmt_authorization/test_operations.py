"""Every operation that the SDK has, of every api-version it comes with: built by the SDK's own functions and sent, to see
that there is something at its address. What is not served is named here with the reason.
"""

from __future__ import annotations

import inspect
import pkgutil
import uuid
from importlib import import_module

import azure.mgmt.authorization as sdk
import pytest

# What stands in the address.
NOT_SERVED = {
    "/accessReview": "access reviews are not served yet",
    "/roleManagementAlert": "alerts are not served yet",
    "/attributeNamespaces": "attributes of Microsoft's own resource providers",
    "/roleAssignmentsUsageMetrics": "how many assignments Azure allows; there is no such limit here",
}
ABSENT = {"InvalidResourceType", "MethodNotAllowed"}


def modules():
    for found in pkgutil.walk_packages(sdk.__path__, f"{sdk.__name__}."):
        if ".operations." in found.name and ".aio." not in found.name and not found.name.endswith("_patch"):
            yield found.name


def builders():
    """The functions that make a request: (version, module, name) and the function."""
    for name in modules():
        version, *_, place = name.removeprefix(f"{sdk.__name__}.").split(".")
        for each, found in inspect.getmembers(import_module(name), inspect.isfunction):
            if each.startswith("build_") and each.endswith("_request"):
                yield (version, place, each), found


BUILDERS = dict(builders())
WHOLE_IDS = {
    "role_id": "roleDefinitions",
    "role_definition_id": "roleDefinitions",
    "role_assignment_id": "roleAssignments",
    "deny_assignment_id": "denyAssignments",
}


def made(field, builder):
    """The request, about things that are not there, in places that are."""
    known = {
        "scope": field.rg_b.lstrip("/"),
        "subscription_id": field.subscription_id,
        "resource_group_name": "rg-b",
        "resource_provider_namespace": "Microsoft.Compute",
        "parent_resource_path": "virtualMachines/vm1",
        "resource_type": "extensions",
        "resource_name": "one",
    }
    if "by_id" in builder.__name__:
        base = f"{field.rg_b}/providers/Microsoft.Authorization".lstrip("/")
        known |= {name: f"{base}/{kind}/{uuid.uuid4()}" for name, kind in WHOLE_IDS.items()}
    needed = [
        name
        for name, one in inspect.signature(builder).parameters.items()
        if one.kind is not inspect.Parameter.VAR_KEYWORD and one.default is inspect.Parameter.empty
    ]
    return builder(**{name: known.get(name, str(uuid.uuid4())) for name in needed})


@pytest.mark.parametrize("version", sorted({version for version, _, _ in BUILDERS}))
def test_every_operation_is_at_its_address(field, version):
    absent, sent = [], 0
    for key, builder in BUILDERS.items():
        request = made(field, builder)
        if key[0] != version or any(part in request.url for part in NOT_SERVED):
            continue
        body = {} if request.method in {"PUT", "PATCH", "POST"} else None
        answer = field.boss.send(request.method, "/" + request.url.lstrip("/"), body)
        code = answer.json().get("error", {}).get("code") if answer.status_code >= 400 else None
        if code in ABSENT or answer.status_code >= 500:
            absent.append(f"{key}: {request.method} {request.url}: {answer.text}")
        sent += 1
    assert not absent, "\n".join(absent)
    assert sent or version in ALL_NOT_SERVED


# Versions that have nothing else.
ALL_NOT_SERVED = {
    "v2018_05_01_preview",
    "v2019_08_01_preview",
    "v2021_03_01_preview",
    "v2021_07_01_preview",
    "v2021_12_01_preview",
    "v2022_08_01_preview",
}
