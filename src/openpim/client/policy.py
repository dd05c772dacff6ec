"""What a role's policy demands, read from the 17 rules Graph shows it as; those of the resource manager are the same
rules with other names for approvers and types.
"""

from __future__ import annotations

from openpim.client.graph import literal, query
from openpim.client.roles import length, named, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    from openpim.client.graph import Graph
    from openpim.client.pim import Pim

    Row = dict[str, Any]

    class Placed(Protocol):
        """A role at a scope, of one provider."""

        provider: str
        role_id: str
        scope: str

        @property
        def key(self) -> tuple[str, str]: ...


__all__ = [
    "Demand", "PolicyRow", "approver_name", "approvers", "demand_of", "group_policies", "notification_rules", "policies", "policies_of",
    "resource_policies", "rule_out", "stricter",
]  # fmt: skip

_CHUNK = 15  # ids in one filter: keeps the address short


class PolicyRow:
    """One policy: its id and its rules by id."""

    __slots__ = ("id", "role_id", "rules", "scope")

    def __init__(self, row: Row) -> None:
        policy = named(row, "policy")
        self.id = text(row.get("policyId")) or text(policy.get("id"))
        self.role_id = text(row.get("roleDefinitionId"))
        self.scope = text(row.get("scopeId")) or "/"
        rules = policy.get("rules")
        listed = rules if isinstance(rules, list) else []
        self.rules: dict[str, Row] = {text(rule.get("id")): rule for rule in listed if isinstance(rule, dict)}

    def rule(self, name: str) -> Row:
        """The rule with the id, {} if the policy lacks it."""
        return self.rules.get(name, {})

    def enabled(self, name: str) -> list[str]:
        """`enabledRules` of an enablement rule."""
        value = self.rule(name).get("enabledRules")
        return [str(item) for item in value] if isinstance(value, list) else []


def approver_name(entry: Row) -> str:
    """How to call one approver: what the policy says of him, else his id."""
    who = text(entry.get("description")) or text(entry.get("userId")) or text(entry.get("groupId"))
    return f"{who} (group)" if "group" in text(entry.get("@odata.type")).lower() else who


def approvers(policy: PolicyRow) -> list[str]:
    """Who the policy names as approvers; [] means the administrators of roles."""
    stages = named(policy.rule("Approval_EndUser_Assignment"), "setting").get("approvalStages")
    found: list[str] = []
    for stage in stages if isinstance(stages, list) else []:
        entries = stage.get("primaryApprovers") if isinstance(stage, dict) else None
        for entry in entries if isinstance(entries, list) else []:
            name = approver_name(entry) if isinstance(entry, dict) else ""
            if name and name not in found:
                found.append(name)
    return found


class Demand:
    """What an activation must bring.  `longest` is the longest duration in seconds, 0 if unknown."""

    __slots__ = ("approval", "approvers", "context", "justification", "longest", "mfa", "ticket")

    def __init__(self, policy: PolicyRow | None) -> None:
        self.longest = 0
        self.justification = self.ticket = self.mfa = self.approval = False
        self.context = ""
        self.approvers: list[str] = []
        if policy is None:
            return
        expiration = policy.rule("Expiration_EndUser_Assignment")
        self.longest = length(text(expiration.get("maximumDuration")))
        enabled = {name.lower() for name in policy.enabled("Enablement_EndUser_Assignment")}
        self.justification = "justification" in enabled
        self.ticket = "ticketing" in enabled
        self.mfa = "multifactorauthentication" in enabled
        context = policy.rule("AuthenticationContext_EndUser_Assignment")
        if context.get("isEnabled") is True:
            self.context = text(context.get("claimValue"))
        setting = named(policy.rule("Approval_EndUser_Assignment"), "setting")
        self.approval = setting.get("isApprovalRequired") is True
        if self.approval:
            self.approvers = approvers(policy)


def demand_of(told: Row) -> Demand:
    """What OpenPIM says beside an eligibility that its policy demands; who approves is not in it."""
    demand = Demand(None)
    demand.longest = length(text(told.get("maximumDuration")))
    demand.justification = told.get("isJustificationRequired") is True
    demand.ticket = told.get("isTicketRequired") is True
    demand.mfa = told.get("isMultiFactorAuthenticationRequired") is True
    demand.approval = told.get("isApprovalRequired") is True
    demand.context = text(told.get("authenticationContext"))
    return demand


def stricter(one: Demand, other: Demand) -> Demand:
    """What both demand together: an activation at a narrower place meets the policies of both."""
    both = Demand(None)
    both.longest = min((found.longest for found in (one, other) if found.longest), default=0)
    for name in ("justification", "ticket", "mfa", "approval"):
        setattr(both, name, getattr(one, name) or getattr(other, name))
    both.context = one.context or other.context
    both.approvers = list(dict.fromkeys([*one.approvers, *other.approvers]))
    return both


def policies(graph: Graph, role_ids: list[str], *, scope_type: str = "DirectoryRole") -> dict[str, PolicyRow]:
    """The policies of the roles by role id; a role whose policy cannot be read is left out."""
    paths = []
    for first in range(0, len(role_ids), _CHUNK):
        some = [f"roleDefinitionId eq {literal(role)}" for role in role_ids[first : first + _CHUNK]]
        which = some[0] if len(some) == 1 else f"({' or '.join(some)})"
        paths.append(
            query(
                "/policies/roleManagementPolicyAssignments",
                filter=f"scopeId eq '/' and scopeType eq {literal(scope_type)} and {which}",
                expand="policy($expand=rules)",
            )
        )
    found: dict[str, PolicyRow] = {}
    for answer in graph.lists(*paths) if paths else []:
        if isinstance(answer, list):
            for row in answer:
                policy = PolicyRow(row)
                found[policy.role_id] = policy
        elif answer.status != 403:
            raise answer
    return found


def group_policies(graph: Graph, groups: list[str]) -> dict[tuple[str, str], PolicyRow]:
    """The two policies of each group, by (member or owner, group); those that cannot be read are left out."""
    paths = []
    for first in range(0, len(groups), _CHUNK):
        which = " or ".join(f"scopeId eq {literal(group)}" for group in groups[first : first + _CHUNK])
        paths.append(
            query(
                "/policies/roleManagementPolicyAssignments",
                filter=f"({which}) and scopeType eq 'Group'",
                expand="policy($expand=rules)",
            )
        )
    found: dict[tuple[str, str], PolicyRow] = {}
    for answer in graph.lists(*paths) if paths else []:
        if isinstance(answer, list):
            for policy in map(PolicyRow, answer):
                found[policy.role_id, policy.scope.lower()] = policy
        elif answer.status != 403:
            raise answer
    return found


def notification_rules() -> dict[str, str]:
    """The nine rules about mail, by what `pim` calls them: `activation:admin`."""
    levels = {
        "eligible": "Admin_Eligibility",
        "active": "Admin_Assignment",
        "activation": "EndUser_Assignment",
    }
    return {
        f"{when}:{whom.lower()}": f"Notification_{whom}_{level}"
        for when, level in levels.items()
        for whom in ("Admin", "Requestor", "Approver")
    }


def rule_in(rule: Row) -> Row:
    """A rule of the resource manager as Graph has it: approvers told apart by type."""
    return _approvers_as(rule, _approver_in)


def rule_out(rule: Row) -> Row:
    """The way back."""
    return _approvers_as(rule, _approver_out)


def _approvers_as(rule: Row, change: Callable[[Row], Row]) -> Row:
    setting = named(rule, "setting")
    stages = setting.get("approvalStages")
    if not isinstance(stages, list):
        return rule
    changed = []
    for stage in stages:
        one = dict(stage) if isinstance(stage, dict) else {}
        for name in ("primaryApprovers", "escalationApprovers"):
            if isinstance(one.get(name), list):
                one[name] = [change(entry) for entry in one[name] if isinstance(entry, dict)]
        changed.append(one)
    return {**rule, "setting": {**setting, "approvalStages": changed}}


def _approver_in(entry: Row) -> Row:
    group = text(entry.get("userType")).lower() == "group"
    kind, member = ("groupMembers", "groupId") if group else ("singleUser", "userId")
    return {
        "@odata.type": f"#microsoft.graph.{kind}",
        member: text(entry.get("id")),
        "description": entry.get("description"),
        "isBackup": entry.get("isBackup") is True,
    }


def _approver_out(entry: Row) -> Row:
    group = "group" in text(entry.get("@odata.type")).lower()
    found = {
        "id": entry.get("groupId" if group else "userId"),
        "userType": "Group" if group else "User",
        "isBackup": entry.get("isBackup") is True,
    }
    return found | ({"description": entry["description"]} if entry.get("description") else {})


def resource_policies(pim: Pim, held: Sequence[tuple[str, str]]) -> dict[tuple[str, str], PolicyRow]:
    """The policies of roles at places, by (role, place); those that cannot be read are left out."""
    from openpim.client.arm import at
    from openpim.client.resources import role_path

    wanted = list(dict.fromkeys((role, scope) for role, scope in held))
    if not wanted:
        return {}
    paths = [
        at(scope, "roleManagementPolicyAssignments", f"roleDefinitionId eq '{role_path(role, scope)}'")
        for role, scope in wanted
    ]
    found: dict[tuple[str, str], PolicyRow] = {}
    for (role, scope), answer in zip(wanted, pim.need_arm().lists(*paths), strict=True):
        if isinstance(answer, list):
            for entity in answer[:1]:
                given = named(entity, "properties")
                rules = given.get("effectiveRules")
                listed = (
                    [rule_in(rule) for rule in rules if isinstance(rule, dict)]
                    if isinstance(rules, list)
                    else []
                )
                row = {
                    "policyId": given.get("policyId"), "roleDefinitionId": role, "scopeId": scope, "policy": {"rules": listed},
                }  # fmt: skip
                found[role, scope.lower()] = PolicyRow(row)
        elif answer.status != 403:
            raise answer
    return found


def policies_of(pim: Pim, held: Sequence[Placed]) -> dict[tuple[str, str], PolicyRow]:
    """The policies of what is held, by (role, scope)."""
    roles = [one.role_id for one in held if one.provider == "directory"]
    groups = [one.scope for one in held if one.provider == "group"]
    of_roles = policies(pim.graph, list(dict.fromkeys(roles)))
    found = group_policies(pim.graph, list(dict.fromkeys(groups)))
    found |= resource_policies(pim, [(one.role_id, one.scope) for one in held if one.provider == "resource"])
    for one in held:
        if one.provider == "directory" and one.role_id in of_roles:
            found[one.key] = of_roles[one.role_id]
    return found
