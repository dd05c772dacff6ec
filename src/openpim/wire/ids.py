"""The ids Graph builds out of other ids: clients take them apart, so their layout is part of the wire.

* Assignment and eligibility instances: base64url, without padding, of the role, the principal and
  (below the tenant) the scope object, each as the 16 bytes of a GUID in little-endian field order;
  then `-1` (tenant or one object) or `-2` (administrative unit), then `-e` for an eligibility.
* Group schedules and instances: `{groupId}_{member|owner}_{guid}`.
* Policies `{scopeType}_{tenantId|groupId}_{guid}`; their assignments
  `{policyId}_{roleDefinitionId|member|owner}`.  Clients split these on `_`: always 3 and 4 parts.
* Alerts `{scopeType}_{tenantId}_{name}Alert`.

GUIDs are lower-case in everything returned.  Errors: `IdError`.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from typing import NamedTuple

from openpim.wire.errors import WireError, shown

__all__ = [
    "AU_PREFIX",
    "GroupScheduleId",
    "IdError",
    "InstanceId",
    "PolicyAssignmentId",
    "PolicyId",
    "alert_id",
    "decode_instance_id",
    "encode_instance_id",
    "group_schedule_id",
    "is_guid",
    "parse_alert_id",
    "parse_group_schedule_id",
    "parse_policy_assignment_id",
    "parse_policy_id",
    "policy_assignment_id",
    "policy_id",
]

AU_PREFIX = "/administrativeUnits/"
ACCESS_IDS = ("member", "owner")
POLICY_SCOPE_TYPES = ("DirectoryRole", "Directory", "Group")

_GUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_INSTANCE = re.compile(r"([A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{64})-([12])(-e)?")
_MAX_TEXT = 256


class IdError(WireError):
    """The text is not an id of the kind asked for."""


class InstanceId(NamedTuple):
    """What an encoded instance id says."""

    role_id: str
    principal_id: str
    directory_scope_id: str
    eligible: bool


class GroupScheduleId(NamedTuple):
    """What the id of a group schedule or instance says; `access` is "member" or "owner"."""

    group_id: str
    access: str
    guid: str


class PolicyId(NamedTuple):
    """What a policy id says; `container_id` is the tenant (roles) or the group."""

    scope_type: str
    container_id: str
    guid: str


class PolicyAssignmentId(NamedTuple):
    """What the id of a policy assignment says; `role` is a role definition id, "member" or "owner"."""

    policy: PolicyId
    role: str


def is_guid(text: str) -> bool:
    """Whether `text` is a GUID in its plain 36-character form, in any case."""
    return len(text) == 36 and _GUID.fullmatch(text) is not None


def _guid(text: str, what: str) -> str:
    if not is_guid(text):
        raise IdError(f"{what} {shown(text)} is not a GUID")
    return text.lower()


def _le_bytes(guid: str) -> bytes:
    raw = bytes.fromhex(guid.replace("-", ""))
    return raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]


def _from_le_bytes(raw: bytes) -> str:
    text = (raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def encode_instance_id(
    role_id: str, principal_id: str, directory_scope_id: str = "/", *, eligible: bool = False
) -> str:
    """The id of an assignment (or, `eligible`, eligibility) instance: `5wuT_…-1`, `UafX_…-2-e`."""
    raw = _le_bytes(_guid(role_id, "role definition id")) + _le_bytes(_guid(principal_id, "principal id"))
    kind = "1"
    if directory_scope_id != "/":
        in_unit = directory_scope_id.lower().startswith(AU_PREFIX.lower())
        scope_object = directory_scope_id[len(AU_PREFIX if in_unit else "/") :]
        if not directory_scope_id.startswith("/"):
            raise IdError(f"scope {shown(directory_scope_id)} does not start with /")
        raw += _le_bytes(_guid(scope_object, "scope object id"))
        kind = "2" if in_unit else "1"
    text = urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
    return f"{text}-{kind}-e" if eligible else f"{text}-{kind}"


def decode_instance_id(text: str) -> InstanceId:
    """Take an instance id apart; only the exact text `encode_instance_id` gives is accepted."""
    match = _INSTANCE.fullmatch(text)
    if match is None:
        raise IdError(f"id {shown(text)} is not the id of an assignment or eligibility instance")
    body, kind, suffix = match.groups()
    raw = a2b_base64(body.replace("-", "+").replace("_", "/") + "=" * (-len(body) % 4))
    scope = "/"
    if len(raw) == 48:
        scope = (AU_PREFIX if kind == "2" else "/") + _from_le_bytes(raw[32:])
    decoded = InstanceId(_from_le_bytes(raw[:16]), _from_le_bytes(raw[16:32]), scope, suffix is not None)
    if encode_instance_id(*decoded[:3], eligible=decoded.eligible) != text:
        raise IdError(f"id {shown(text)} is not the id of an assignment or eligibility instance")
    return decoded


def _parts(text: str, count: int, what: str) -> list[str]:
    parts = text.split("_") if len(text) <= _MAX_TEXT else []
    if len(parts) != count:
        raise IdError(f"id {shown(text)} is not the id of a {what}")
    return parts


def _access(text: str) -> str:
    access = text.lower()
    if access not in ACCESS_IDS:
        raise IdError(f"access {shown(text)} is neither member nor owner")
    return access


def group_schedule_id(group_id: str, access: str, guid: str) -> str:
    """`{groupId}_{member|owner}_{guid}`."""
    return f"{_guid(group_id, 'group id')}_{_access(access)}_{_guid(guid, 'schedule id')}"


def parse_group_schedule_id(text: str) -> GroupScheduleId:
    """Take `{groupId}_{member|owner}_{guid}` apart."""
    group, access, guid = _parts(text, 3, "group schedule")
    return GroupScheduleId(_guid(group, "group id"), _access(access), _guid(guid, "schedule id"))


def _scope_type(text: str) -> str:
    for name in POLICY_SCOPE_TYPES:
        if name.lower() == text.lower():
            return name
    raise IdError(f"scope type {shown(text)} is none of {', '.join(POLICY_SCOPE_TYPES)}")


def policy_id(scope_type: str, container_id: str, guid: str) -> str:
    """`{DirectoryRole|Directory|Group}_{tenantId|groupId}_{guid}`."""
    return f"{_scope_type(scope_type)}_{_guid(container_id, 'tenant or group id')}_{_guid(guid, 'policy id')}"


def parse_policy_id(text: str) -> PolicyId:
    """Take a policy id apart."""
    scope_type, container, guid = _parts(text, 3, "policy")
    return PolicyId(_scope_type(scope_type), _guid(container, "tenant or group id"), _guid(guid, "policy id"))


def _role(text: str) -> str:
    return text.lower() if text.lower() in ACCESS_IDS else _guid(text, "role definition id")


def policy_assignment_id(policy: str, role: str) -> str:
    """`{policyId}_{roleDefinitionId|member|owner}`."""
    return f"{policy_id(*parse_policy_id(policy))}_{_role(role)}"


def parse_policy_assignment_id(text: str) -> PolicyAssignmentId:
    """Take the id of a policy assignment apart."""
    *policy, role = _parts(text, 4, "policy assignment")
    return PolicyAssignmentId(parse_policy_id("_".join(policy)), _role(role))


def alert_id(scope_type: str, container_id: str, name: str) -> str:
    """`DirectoryRole_{tenantId}_{name}`, where the name ends in `Alert`."""
    return f"{_scope_type(scope_type)}_{_guid(container_id, 'tenant id')}_{name}"


def parse_alert_id(text: str) -> tuple[str, str, str]:
    """Take an alert id apart: scope type, tenant, name of the alert."""
    scope_type, container, name = _parts(text, 3, "alert")
    if not (name.isascii() and name.isalnum() and name.endswith("Alert")):
        raise IdError(f"id {shown(text)} is not the id of a alert")
    return _scope_type(scope_type), _guid(container, "tenant id"), name
