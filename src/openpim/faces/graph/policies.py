"""`policies/roleManagementPolicies` and `policies/roleManagementPolicyAssignments`: settings of roles, and of groups.

A list needs a filter that pins scopeId and scopeType; without one Graph says that the provider is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from openpim.core.grants import Provider
from openpim.core.policy import Policy
from openpim.core.refusals import Refusal
from openpim.core.scopes import TENANT
from openpim.faces.graph import grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.dispatch import narrowed
from openpim.faces.graph.faults import Fault, Style, settled
from openpim.faces.graph.resource import Resource, Row, listed, plain_page
from openpim.faces.graph.table import Endpoint
from openpim.faces.shared import policy_changes, policy_rules
from openpim.services import browse, policies
from openpim.wire.enums import PolicyScopeType, Rule, lookup, rule
from openpim.wire.ids import IdError, is_guid, parse_policy_assignment_id, parse_policy_id, policy_id
from openpim.wire.odata import ODataError, QueryOptions, check_properties, matches, pinned

PATH = "policies/roleManagementPolicies"
ASSIGNMENTS_PATH = "policies/roleManagementPolicyAssignments"
PAGE = 999
MOST_GROUPS = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """A policy as the client calls it: `Directory` and `DirectoryRole` are two names of one thing."""

    policy: Policy
    scope_type: PolicyScopeType

    @property
    def provider(self) -> Provider:
        return Provider.GROUP if self.scope_type is PolicyScopeType.GROUP else Provider.DIRECTORY


# ---------------------------------------------------------------- rows


def wire_id(call: Call, shown: Shown) -> str:
    container = shown.policy.scope if shown.provider is Provider.GROUP else call.caller.tenant_id
    return policy_id(shown.scope_type, container, shown.policy.id)


def row(call: Call, shown: Shown) -> Row:
    policy = shown.policy
    return {
        "id": wire_id(call, shown),
        "displayName": shown.scope_type.value,
        "description": shown.scope_type.value,
        "isOrganizationDefault": False,
        "scopeId": policy.scope,
        "scopeType": shown.scope_type.value,
        "lastModifiedDateTime": grants.when(policy.modified_at),
        "lastModifiedBy": {"displayName": policy.modified_by_name, "id": policy.modified_by},
    }


def assignment_row(call: Call, shown: Shown) -> Row:
    return {
        "id": f"{wire_id(call, shown)}_{shown.policy.role_id}",
        "policyId": wire_id(call, shown),
        "scopeId": shown.policy.scope,
        "scopeType": shown.scope_type.value,
        "roleDefinitionId": shown.policy.role_id,
    }


def _names(call: Call, items: Sequence[Shown]) -> dict[str, str]:
    ids = {key for one in items for key in policy_rules.approver_ids(one.policy)}
    found = browse.objects_by_id(call.deps, call.caller, ids) if ids else {}
    return {key: one.display_name for key, one in found.items()}


def _expand_rules(call: Call, items: Sequence[Shown], options: QueryOptions) -> list[Any]:
    names = _names(call, items)
    return [
        [RULES.selected(found, options) for found in policy_rules.rules(one.policy, names)] for one in items
    ]


def _expand_policy(call: Call, items: Sequence[Shown], options: QueryOptions) -> list[Any]:
    return list(POLICIES.rows(call, items, options))


RULES: Resource[Any] = Resource(
    path="rules", type="unifiedRoleManagementPolicyRule", render=lambda _call, found: found, tolerant=True
)
POLICIES: Resource[Shown] = Resource(
    path=PATH,
    type="unifiedRoleManagementPolicy",
    render=row,
    expanders={"rules": _expand_rules, "effectiveRules": _expand_rules},
    page_size=PAGE,
)
ASSIGNMENTS: Resource[Shown] = Resource(
    path=ASSIGNMENTS_PATH,
    type="unifiedRoleManagementPolicyAssignment",
    render=assignment_row,
    expanders={"policy": _expand_policy},
    page_size=PAGE,
)


# ---------------------------------------------------------------- lists


def _listed(call: Call, resource: Resource[Shown]) -> Answer:
    expr = call.options.filter
    scopes, types = pinned(expr, "scopeId"), pinned(expr, "scopeType")
    if expr is None or scopes is None or types is None:
        raise Fault("MissingProvider")
    check_properties(expr, {name.lower() for name in (*_POLICY_NAMES, *_ASSIGNMENT_NAMES)})
    found: list[Shown] = []
    for text in sorted(str(one) for one in types):
        kind = lookup(PolicyScopeType, text)
        if kind is None:
            raise Fault("MissingProvider")
        if kind is PolicyScopeType.GROUP:
            narrowed(call, p.GROUP_POLICIES_READ)
            found += [Shown(one, kind) for one in _of_groups(call, scopes)]
        elif TENANT in scopes:
            narrowed(call, p.ROLE_POLICIES_READ)
            found += [Shown(one, kind) for one in _of_roles(call)]
    kept = [one for one in found if matches(expr, resource.render(call, one))]
    return resource.collection(call, plain_page(kept, call.options, default=PAGE))


_POLICY_NAMES = ("id", "displayName", "description", "isOrganizationDefault", "scopeId", "scopeType")
_ASSIGNMENT_NAMES = ("policyId", "roleDefinitionId", "lastModifiedDateTime")


def _of_roles(call: Call) -> list[Policy]:
    """Those that the filter can mean: all, or the ones of the roles it pins."""
    roles = pinned(call.options.filter, "roleDefinitionId")
    wanted = [str(one) for one in roles if one is not None] if roles is not None else None
    return settled(policies.page(call.deps, call.caller, Provider.DIRECTORY, TENANT, wanted))


def _of_groups(call: Call, scopes: Collection[str | None]) -> list[Policy]:
    """Two for each group that the filter names."""
    groups = sorted(one for one in scopes if one is not None and is_guid(one))
    if len(groups) > MOST_GROUPS:
        raise ODataError("$filter", f"names more than {MOST_GROUPS} groups")
    return [
        policy
        for group in groups
        for policy in settled(policies.page(call.deps, call.caller, Provider.GROUP, group, None))
    ]


def index(call: Call) -> Answer:
    return _listed(call, POLICIES)


def assignments(call: Call) -> Answer:
    return _listed(call, ASSIGNMENTS)


# ---------------------------------------------------------------- one


def find(call: Call, key: str) -> Shown:
    try:
        parsed = parse_policy_id(key)
    except IdError:
        raise grants.no_such("policy", key) from None
    kind = PolicyScopeType(parsed.scope_type)
    of_group = kind is PolicyScopeType.GROUP
    write = call.raw.method != "GET"
    if of_group:
        narrowed(call, p.GROUP_POLICIES_WRITE if write else p.GROUP_POLICIES_READ)
    else:
        narrowed(call, p.ROLE_POLICIES_WRITE if write else p.ROLE_POLICIES_READ)
    if not of_group and parsed.container_id != call.caller.tenant_id:
        raise grants.no_such("policy", key)
    scope = parsed.container_id if of_group else TENANT
    provider = Provider.GROUP if of_group else Provider.DIRECTORY
    policy = settled(policies.by_id(call.deps, call.caller, parsed.guid, provider, scope), key)
    if policy.scope != scope:
        raise grants.no_such("policy", key)
    return Shown(policy, kind)


def show(call: Call) -> Answer:
    return POLICIES.entity(call, find(call, call.params["id"]))


def show_assignment(call: Call) -> Answer:
    key = call.params["id"]
    try:
        parsed = parse_policy_assignment_id(key)
    except IdError:
        raise grants.no_such("policy assignment", key) from None
    found = find(call, policy_id(*parsed.policy))
    if found.policy.role_id != parsed.role:
        raise grants.no_such("policy assignment", key)
    return ASSIGNMENTS.entity(call, found)


def _rule(call: Call) -> Rule:
    known = rule(call.params["rule"])
    if known is None:
        raise Fault(
            "InvalidPolicyRule", f"The policy rule id {call.params['rule'][:100]} is invalid.", status=404
        )
    return known


def rules(call: Call, name: str = "rules") -> Answer:
    found = find(call, call.params["id"])
    rows = _expand_rules(call, (found,), call.options)[0]
    if call.options.filter is not None:
        rows = [one for one in rows if matches(call.options.filter, one)]
    page = plain_page(rows, call.options)
    return listed(call, f"{PATH}('{wire_id(call, found)}')/{name}", list(page.items), page.next, page.total)


def effective_rules(call: Call) -> Answer:
    return rules(call, "effectiveRules")


def show_rule(call: Call) -> Answer:
    found, known = find(call, call.params["id"]), _rule(call)
    full = policy_rules.rule_row(found.policy, known, _names(call, (found,)))
    body: Row = {"@odata.context": call.context(f"{PATH}('{wire_id(call, found)}')/rules/$entity")}
    return Answer(200, body | RULES.selected(full, call.options))


# ---------------------------------------------------------------- changing


def update(call: Call) -> Answer:
    found = find(call, call.params["id"])
    after = _change(call, found, policy_changes.read_policy(call.json()))
    return POLICIES.entity(call, Shown(after, found.scope_type))


def update_rule(call: Call) -> Answer:
    found, known = find(call, call.params["id"]), _rule(call)
    _change(call, found, policy_changes.read_rule(call.json(), known))
    return NO_CONTENT


def _change(call: Call, found: Shown, change: policy_changes.Change) -> Policy:
    def wanted(policy: Policy) -> Policy | Refusal:
        return change(policy)

    policy = found.policy
    changed = policies.update(call.deps, call.caller, policy.id, wanted, found.provider, policy.scope)
    return settled(changed)


def _endpoint(method: str, address: str, handler: Any, scopes: tuple[str, ...]) -> Endpoint:
    return Endpoint(method, address, handler, scopes, Style.POLICY)


ENDPOINTS = (
    _endpoint("GET", PATH, index, p.POLICIES_READ),
    _endpoint("GET", f"{PATH}/{{id}}", show, p.POLICIES_READ),
    _endpoint("PATCH", f"{PATH}/{{id}}", update, p.POLICIES_WRITE),
    _endpoint("GET", f"{PATH}/{{id}}/rules", rules, p.POLICIES_READ),
    _endpoint("GET", f"{PATH}/{{id}}/effectiveRules", effective_rules, p.POLICIES_READ),
    _endpoint("GET", f"{PATH}/{{id}}/rules/{{rule}}", show_rule, p.POLICIES_READ),
    _endpoint("GET", f"{PATH}/{{id}}/effectiveRules/{{rule}}", show_rule, p.POLICIES_READ),
    _endpoint("PATCH", f"{PATH}/{{id}}/rules/{{rule}}", update_rule, p.POLICIES_WRITE),
    _endpoint("GET", ASSIGNMENTS_PATH, assignments, p.POLICIES_READ),
    _endpoint("GET", f"{ASSIGNMENTS_PATH}/{{id}}", show_assignment, p.POLICIES_READ),
)
