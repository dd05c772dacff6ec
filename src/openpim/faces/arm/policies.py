"""`roleManagementPolicies` and `roleManagementPolicyAssignments`: the settings of a role at one place. Every role has
them at every place, whether or not anybody has looked yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openpim.core.policy import Policy
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import ROOT
from openpim.faces.arm import filters, grants, policy_rules
from openpim.faces.arm.call import Answer, Call, Row
from openpim.faces.arm.faults import Fault, RefusedError, Style, no_place, settled
from openpim.faces.arm.grants import Names
from openpim.faces.arm.table import SCOPE, Endpoint
from openpim.faces.shared import policy_rules as shared
from openpim.services import policies
from openpim.services.providers import PROVIDERS
from openpim.services.resources import browse
from openpim.wire.ids import is_guid
from openpim.wire.odata import ODataError

POLICIES = "roleManagementPolicies"
ASSIGNMENTS = "roleManagementPolicyAssignments"
PAGE = 100


def _names(call: Call, found: Sequence[Policy]) -> Names:
    approvers = {key for one in found for key in shared.approver_ids(one)}
    facts = browse.facts(
        call.deps,
        call.caller,
        scopes={call.scope},
        roles={one.role_id for one in found},
        principals=approvers,
    )
    return Names(facts)


def _approvers(names: Names) -> dict[str, str]:
    return {key: one.display_name for key, one in names.facts.principals.items()}


def _modified(policy: Policy) -> Row:
    return {
        "lastModifiedBy": {"displayName": policy.modified_by_name or "", "id": policy.modified_by},
        "lastModifiedDateTime": grants.when(policy.modified_at),
    }


def row(names: Names, policy: Policy) -> Row:
    prefix = names.path(policy.scope)
    rules = policy_rules.rules(policy, _approvers(names))
    return grants.entity(
        prefix,
        POLICIES,
        policy.id,
        {
            "scope": prefix or ROOT,
            "isOrganizationDefault": False,
            **_modified(policy),
            "rules": rules,
            "effectiveRules": rules,
            "policyProperties": {"scope": names.scope_info(policy.scope)},
        },
    )


def assignment_row(names: Names, policy: Policy) -> Row:
    prefix = names.path(policy.scope)
    policy_id = grants.resource_id(prefix, POLICIES, policy.id)
    return grants.entity(
        prefix,
        ASSIGNMENTS,
        f"{policy.id}_{policy.role_id}",
        {
            "scope": prefix or ROOT,
            "roleDefinitionId": names.role_id(policy.role_id, policy.scope),
            "policyId": policy_id,
            "effectiveRules": policy_rules.rules(policy, _approvers(names)),
            "policyAssignmentProperties": {
                "scope": names.scope_info(policy.scope),
                "roleDefinition": names.role_info(policy.role_id, policy.scope),
                "policy": {"id": policy_id, **_modified(policy)},
            },
        },
    )


# ---------------------------------------------------------------- reading


def _listed(call: Call) -> tuple[list[Policy], str | None]:
    """Those of the roles that the filter names, or all, page by page."""
    _place(call)
    asked = filters.read(call, ("roleDefinitionId", "scope"), ("atscope", "atscopeandbelow"))
    wanted = None if asked.role_id is None else [asked.role_id]
    found = settled(policies.page(call.deps, call.caller, grants.PROVIDER, call.scope, wanted))
    start = _cursor(call)
    size = call.options.page_size(PAGE)
    following = str(start + size) if size and start + size < len(found) else None
    return found[start : start + size], following


def _cursor(call: Call) -> int:
    text = call.options.skiptoken
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise ODataError("$skiptoken", "is not one of ours")
    return int(text)


def _place(call: Call) -> None:
    if not browse.chain(call.deps, call.caller, call.scope):
        raise no_place(call.scope)


def index(call: Call) -> Answer:
    found, following = _listed(call)
    names = _names(call, found)
    return grants.listed(call, [row(names, one) for one in found], following)


def assignments(call: Call) -> Answer:
    found, following = _listed(call)
    names = _names(call, found)
    return grants.listed(call, [assignment_row(names, one) for one in found], following)


def _find(call: Call, key: str) -> Policy:
    _place(call)
    if not is_guid(key):
        raise Fault("InputPolicyNotFound", f"There is no policy {key[:100]!r} here.")
    found = settled(policies.by_id(call.deps, call.caller, key.lower(), grants.PROVIDER, call.scope))
    if found.scope != call.scope:
        raise Fault("InputPolicyNotFound", f"There is no policy {key[:100]!r} here.")
    return found


def _find_assignment(call: Call) -> Policy:
    policy_id, _, role_id = call.params["name"].partition("_")
    found = _find(call, policy_id)
    if found.role_id != role_id.lower():
        raise Fault("InputPolicyNotFound", "The policy is not the one of that role here.")
    return found


def show(call: Call) -> Answer:
    return _shown(call, _find(call, call.params["name"]))


def _shown(call: Call, policy: Policy) -> Answer:
    return Answer(200, row(_names(call, (policy,)), policy))


def show_assignment(call: Call) -> Answer:
    found = _find_assignment(call)
    return Answer(200, assignment_row(_names(call, (found,)), found))


# ---------------------------------------------------------------- changing


def update(call: Call) -> Answer:
    found = _find(call, call.params["name"])
    change = policy_rules.read(call.properties())
    changed = policies.update(
        call.deps,
        call.caller,
        found.id,
        lambda policy: policy_rules.apply(change, policy),
        grants.PROVIDER,
        call.scope,
    )
    return _shown(call, settled(changed))


def reset(call: Call) -> Answer:
    """Back to the settings that a role has when nobody has changed them."""
    return _reset(call, _find(call, call.params["name"]))


def reset_assignment(call: Call) -> Answer:
    return _reset(call, _find_assignment(call))


def _reset(call: Call, found: Policy) -> Answer:
    rules = PROVIDERS[grants.PROVIDER]
    default = rules.default_policy(call.caller.tenant_id, found.role_id, found.scope)

    def change(policy: Policy) -> Policy | Refusal:
        return replace(default, id=policy.id, version=policy.version)

    settled(policies.update(call.deps, call.caller, found.id, change, grants.PROVIDER, call.scope))
    return Answer(200)


def assign(call: Call) -> Answer:
    """A role's policy at a place is always the one of that role and place; it can be confirmed, not exchanged."""
    found = _find_assignment(call)
    body = call.properties()
    role = grants.guid_of(body.text("roleDefinitionId"))
    policy = grants.guid_of(body.text("policyId"))
    if role not in {None, found.role_id} or policy not in {None, found.id}:
        message = "A role keeps its own policy: change that one's rules instead of assigning another."
        raise RefusedError(Refusal(Code.INVALID, message, member="policyId"))
    unchanged = policies.update(
        call.deps, call.caller, found.id, lambda present: present, grants.PROVIDER, call.scope
    )
    settled(unchanged)
    return Answer(201, assignment_row(_names(call, (found,)), found))


_BASE = f"{SCOPE}/providers/Microsoft.Authorization"
_WRITE = "Microsoft.Authorization/roleManagementPolicies/write"
_READ = "Microsoft.Authorization/roleManagementPolicies/read"


def _endpoint(method: str, below: str, handler: object) -> Endpoint:
    action = _READ if method == "GET" else _WRITE
    return Endpoint(method, f"{_BASE}/{below}", handler, action, Style.POLICY)  # type: ignore[arg-type]


ENDPOINTS = (
    _endpoint("GET", POLICIES, index),
    _endpoint("GET", f"{POLICIES}/{{name}}", show),
    _endpoint("PATCH", f"{POLICIES}/{{name}}", update),
    _endpoint("DELETE", f"{POLICIES}/{{name}}", reset),
    _endpoint("GET", ASSIGNMENTS, assignments),
    _endpoint("GET", f"{ASSIGNMENTS}/{{name}}", show_assignment),
    _endpoint("PUT", f"{ASSIGNMENTS}/{{name}}", assign),
    _endpoint("DELETE", f"{ASSIGNMENTS}/{{name}}", reset_assignment),
)
