"""The resources of the demo organisation: management groups, subscriptions and what is in them; a role of its own;
what nobody may do. The ids of subscriptions are fixed, so that examples can name them."""

from __future__ import annotations

from openpim.core.permissions import DenyAssignment, Permission, ResourceRole
from openpim.core.resources import MANAGEMENT_GROUPS, canonical
from openpim.demo.seeding import Seeding, SeedingError, must
from openpim.services.resources.custom_roles import put as put_role
from openpim.services.resources.denials import put as put_denial
from openpim.services.resources.importing import Faulty, Line, import_tree
from openpim.services.resources.shaping import Wanted, root_group

FLEET_OPERATOR = "Fleet Operator"

# name: the one it is in ("": the root)
MANAGEMENT = {"IT": "", "Platform": "IT", "Workplace": "IT", "Fleet": "", "Trials": ""}
# name: (id, management group, purpose)
SUBSCRIPTIONS = {
    "prod": ("10000000-0000-4000-8000-000000000001", "Fleet", "robots at customers"),
    "staging": ("10000000-0000-4000-8000-000000000002", "Fleet", "the next release"),
    "plant-lisbon": ("10000000-0000-4000-8000-000000000003", "Fleet", "the plant"),
    "identity": ("10000000-0000-4000-8000-000000000004", "Platform", "directories and secrets"),
    "connectivity": ("10000000-0000-4000-8000-000000000005", "Platform", "networks"),
    "workplace": ("10000000-0000-4000-8000-000000000006", "Workplace", "offices"),
    "sandbox": ("10000000-0000-4000-8000-000000000007", "Trials", "anybody's trials"),
    "research": ("10000000-0000-4000-8000-000000000008", "Trials", "perception and control"),
}
# subscription/resource group: (place, what is in it as namespace/type/name)
GROUPS = {
    "prod/rg-fleet": (
        "norwayeast",
        "Microsoft.Compute/virtualMachines/vm-dispatch-1",
        "Microsoft.Compute/virtualMachines/vm-dispatch-2",
        "Microsoft.ContainerService/managedClusters/aks-fleet",
        "Microsoft.Storage/storageAccounts/tidewaterfleet",
    ),
    "prod/rg-payments": (
        "norwayeast",
        "Microsoft.KeyVault/vaults/kv-payments",
        "Microsoft.Sql/servers/sql-payments",
        "Microsoft.Sql/servers/sql-payments/databases/ledger",
        "Microsoft.Web/sites/payments-api",
    ),
    "prod/rg-network": (
        "norwayeast",
        "Microsoft.Network/virtualNetworks/vnet-prod",
        "Microsoft.Network/virtualNetworks/vnet-prod/subnets/dispatch",
        "Microsoft.Network/networkSecurityGroups/nsg-dispatch",
    ),
    "staging/rg-fleet": (
        "norwayeast",
        "Microsoft.Compute/virtualMachines/vm-dispatch-test",
        "Microsoft.ContainerService/managedClusters/aks-fleet-test",
    ),
    "plant-lisbon/rg-line-a": ("westeurope", "Microsoft.Devices/IotHubs/hub-line-a"),
    "identity/rg-secrets": ("norwayeast", "Microsoft.KeyVault/vaults/kv-identity"),
    "connectivity/rg-hub": ("norwayeast", "Microsoft.Network/virtualNetworks/vnet-hub"),
    "workplace/rg-rooms": ("norwayeast", "Microsoft.Storage/storageAccounts/tidewaterrooms"),
    "sandbox/rg-trials": ("westeurope",),
    "research/rg-perception": ("westeurope", "Microsoft.MachineLearningServices/workspaces/mlw-perception"),
}
UNDELETABLE = ("Microsoft.KeyVault/vaults/delete", "Microsoft.Sql/servers/databases/delete")


def at(name: str) -> str:
    """The scope of a place by its name in the story: "mg:IT", "prod", "prod/rg-fleet", "prod/rg-payments/kv-payments"."""
    if name.startswith("mg:"):
        return canonical(MANAGEMENT_GROUPS + name.removeprefix("mg:"))
    subscription, _, rest = name.partition("/")
    scope = f"/subscriptions/{SUBSCRIPTIONS[subscription][0]}"
    group, _, resource = rest.partition("/")
    if not group:
        return scope
    scope = f"{scope}/resourceGroups/{group}"
    if resource:
        found = next(one for one in GROUPS[f"{subscription}/{group}"][1:] if one.endswith("/" + resource))
        scope = f"{scope}/providers/{found}"
    return canonical(scope)


def make_tree(seeding: Seeding) -> None:
    """In one import, as a file would bring it."""
    made = must(import_tree(seeding.deps, seeding.system, _lines(seeding.tenant_id)))
    if isinstance(made, Faulty):
        raise SeedingError(f"the tree: {made.faults}")


def make_rules(seeding: Seeding) -> None:
    """A role that only runs machines, and what not even an owner may do."""
    run_machines = (
        "Microsoft.Compute/virtualMachines/read",
        "Microsoft.Compute/virtualMachines/start/action",
        "Microsoft.Compute/virtualMachines/restart/action",
    )
    role = ResourceRole(
        id=seeding.deps.new_id(),
        name=FLEET_OPERATOR,
        permissions=(Permission(run_machines),),
        built_in=False,
        description="Starts and restarts the machines of the fleet, and changes nothing",
        assignable_scopes=(at("prod"), at("staging")),
    )
    must(put_role(seeding.deps, seeding.system, role))
    denial = DenyAssignment(
        id=seeding.deps.new_id(),
        name="Payments data stays",
        scope=at("prod/rg-payments"),
        permissions=(Permission(UNDELETABLE),),
        principals=("*",),
        excluded=(seeding.ids["emergency1"], seeding.ids["emergency2"]),
        description="Nobody deletes vaults and databases of payments, but in an emergency",
    )
    must(put_denial(seeding.deps, seeding.system, denial))


def _lines(tenant_id: str) -> list[Line]:
    lines = []
    for name, inside in MANAGEMENT.items():
        parent = at(f"mg:{inside}") if inside else root_group(tenant_id)
        path = f"/providers/Microsoft.Management/managementGroups/{name}"
        lines.append(Line(path, Wanted(display_name=name, parent_id=parent)))
    for name, (guid, inside, purpose) in SUBSCRIPTIONS.items():
        wanted = Wanted(display_name=name, parent_id=at(f"mg:{inside}"), tags=(("purpose", purpose),))
        lines.append(Line(f"/subscriptions/{guid}", wanted))
    for name, (location, *resources) in GROUPS.items():
        subscription, _, group = name.partition("/")
        path = f"/subscriptions/{SUBSCRIPTIONS[subscription][0]}/resourceGroups/{group}"
        lines.append(Line(path, Wanted(location=location)))
        lines += [Line(f"{path}/providers/{one}", Wanted(location=location)) for one in resources]
    return lines
