"""The seventeen rules in this dialect: the same rules as everywhere, with other names for types and approvers, without
what is null; and the way back."""

from __future__ import annotations

from typing import Any

from openpim.core.policy import Policy
from openpim.core.refusals import Refusal
from openpim.faces.arm.call import Row
from openpim.faces.arm.grants import bare
from openpim.faces.shared import policy_changes, policy_rules
from openpim.faces.shared.policy_changes import Change
from openpim.wire.enums import RULE_TYPE_PREFIX, RULES, Rule, rule
from openpim.wire.jsonbody import Body

_PREFIX = "RoleManagementPolicy"
_USERS, _GROUPS = "#microsoft.graph.singleUser", "#microsoft.graph.groupMembers"


def type_of(known: Rule) -> str:
    return _PREFIX + known.suffix


def rules(policy: Policy, names: policy_rules.Names) -> list[Row]:
    return [_out(policy_rules.rule_row(policy, known, names), known) for known in RULES]


def _out(row: Row, known: Rule) -> Row:
    found = {name: value for name, value in row.items() if name not in {"@odata.type", "target"}}
    if known.suffix == "ApprovalRule":
        setting = dict(found["setting"])
        setting["approvalStages"] = [_stage_out(stage) for stage in setting["approvalStages"]]
        found["setting"] = setting
    if found.get("notificationRecipients") == []:
        del found["notificationRecipients"]
    found["ruleType"] = type_of(known)
    found["target"] = {"caller": known.caller, "operations": ["All"], "level": known.level}
    return bare(found)


def _stage_out(stage: Row) -> Row:
    found = dict(stage)
    for name in ("primaryApprovers", "escalationApprovers"):
        people = [_approver_out(one) for one in found.pop(name)]
        if people:
            found[name] = people
    return found


def _approver_out(one: Row) -> Row:
    kind, key = ("User", "userId") if one["@odata.type"] == _USERS else ("Group", "groupId")
    return bare(
        {"id": one[key], "description": one["description"], "isBackup": one["isBackup"], "userType": kind}
    )


# ---------------------------------------------------------------- in


def read(properties: Body) -> Change:
    """The change that the rules of a PATCH ask for; a rule that we do not have is refused."""
    given = properties.objects("rules", most=50)
    if given is None:
        raise properties.fail("rules", "is required, and has at least one rule")
    kept = [one for one in given if not _only_mode(one)]
    if not kept:
        return lambda policy: policy
    return policy_changes.read_policy(Body({"rules": [_in(one) for one in kept]}, properties.where))


def apply(change: Change, policy: Policy) -> Policy | Refusal:
    return change(policy)


def _only_mode(one: Body) -> bool:
    """The rule of the newest version that says whether role assignments outside PIM are allowed: it can be sent back
    as it is by default, switched off."""
    if "pimonlymode" not in (one.text("ruleType", max_length=200) or "").lower():
        return False
    settings = one.object("pimOnlyModeSettings")
    mode = settings.text("mode") if settings is not None else None
    if mode is not None and mode.lower() != "disabled":
        raise one.fail("pimOnlyModeSettings.mode", "is not supported: only Disabled is")
    return True


def _in(one: Body) -> Row:
    """A rule as the shared reader takes it: types as Graph names them, approvers told apart by type, texts that stand
    for true and false taken as such."""
    found: Row = {name: _value(value) for name, value in one.members.items() if name.lower() != "ruletype"}
    kind = one.text("ruleType", max_length=200)
    if kind is not None:
        found["@odata.type"] = RULE_TYPE_PREFIX + kind.removeprefix(_PREFIX)
    known = rule(one.text("id", max_length=200) or "")
    if known is not None and known.suffix == "NotificationRule":
        _lists(found, "notificationRecipients")
    return {name: (_setting(value) if name.lower() == "setting" else value) for name, value in found.items()}


def _value(value: Any) -> Any:
    """EasyPIM writes booleans as texts."""
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if isinstance(value, dict):
        return {name: _value(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_value(inner) for inner in value]
    return value


def _lists(found: Row, name: str) -> None:
    """A single text where a list belongs."""
    for key, value in found.items():
        if key.lower() == name.lower() and isinstance(value, str):
            found[key] = [value] if value else []


def _setting(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        name: [_stage_in(one) for one in inner]
        if name.lower() == "approvalstages" and isinstance(inner, list)
        else inner
        for name, inner in value.items()
    }


def _stage_in(stage: Any) -> Any:
    if not isinstance(stage, dict):
        return stage
    return {
        name: [_approver_in(one) for one in inner]
        if name.lower() in {"primaryapprovers", "escalationapprovers"} and isinstance(inner, list)
        else inner
        for name, inner in stage.items()
    }


def _approver_in(one: Any) -> Any:
    if not isinstance(one, dict):
        return one
    low = {name.lower(): value for name, value in one.items()}
    kind = str(low.get("usertype") or "").lower()
    if kind == "group":
        return {"@odata.type": _GROUPS, "groupId": low.get("id")}
    if kind in {"", "user"}:
        return {"@odata.type": _USERS, "userId": low.get("id")}
    return {"@odata.type": kind, "id": low.get("id")}
