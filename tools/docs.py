"""Writes the parts of the documentation that come from the code: `python -m tools.docs`; `--check` only compares.

A page holds a generated part between `<!-- made: NAME -->` and `<!-- end -->`; the rest of the page is written by hand. The
reference of the commands is made as a whole.
tests/docs/ runs the check.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from openpim.cli import reference
from openpim.config import SETTINGS, Setting
from openpim.core import lifecycle
from openpim.core.grants import Duration
from openpim.core.metrics import METRICS
from openpim.core.notices import ACTIVITIES, KINDS, Event, Kind, Topic
from openpim.core.policy import (
    NOTIFICATION_KEYS,
    Policy,
    default_directory_policy,
    default_group_policy,
    default_resource_policy,
)
from openpim.core.refusals import Code, Refusal
from openpim.core.signin import throttle
from openpim.faces.arm import faults as arm_faults
from openpim.faces.graph.faults import Style, worded
from openpim.notify import ocsf
from openpim.resource_file import MEMBERS
from tools.activities import activities

ROOT = Path(__file__).parent.parent
PART = re.compile(r"(<!-- made: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    names = list(head)
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


# ---------------------------------------------------------------- settings

SECTIONS = {
    "server": "Where it listens, where the data is, what else this process does.",
    "tls": "The server's certificate. Without these two OpenPIM makes its own authority.",
    "mail": "The mail server that notices go out by; without a host no mail is sent. See [set up mail](../how-to/set-up-mail.md).",
    "organisation": "Only read at the first start, when the organisation is made.",
    "activation": "Limits that hold for all roles, beside each role's own policy.",
    "sign_in": "Passwords, second factors, tokens, sessions and keys.",
    "outbound": "Calls to servers of others: webhooks, chat, streams of events. Only addresses on the internet, unless they are named here.",
    "monitoring": "Who reads the figures for monitoring. See [monitor OpenPIM](../how-to/monitor.md).",
    "logging": "What the server writes to standard error.",
    "audit": "The log under the audit history. See [the audit log](../explanation/audit-log.md).",
    "working_time": "When people usually work. Approvers are told of what is asked at another time.",
}


def toml(value: object) -> str:
    """The value as it stands in the file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{item}"' for item in value) + "]"
    return str(value) if isinstance(value, int) else f'"{"" if value is None else value}"'


def _allowed(setting: Setting) -> str:
    if setting.limits is not None:
        return f"{setting.limits[0]} to {setting.limits[1]}"
    if setting.choices:
        return ", ".join(f'`"{choice}"`' for choice in setting.choices)
    default = setting.default
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "true or false"),
        (tuple, "a list of texts"),
        (Path, "a path"),
    )
    for kind, words in kinds:
        if isinstance(default, kind):
            return words
    return "a path" if default is None else "a text"


def settings() -> str:
    parts = []
    for section in dict.fromkeys(setting.section for setting in SETTINGS):
        rows = [
            (
                f"`{setting.key}`",
                setting.meaning,
                "none" if setting.default is None or setting.default == "" else f"`{toml(setting.default)}`",
                _allowed(setting),
            )
            for setting in SETTINGS
            if setting.section == section
        ]
        heading = f"## [{section}]\n\n{SECTIONS[section]}\n\n"
        parts.append(heading + table(("setting", "meaning", "default", "may be"), rows))
    return "\n\n".join(parts)


# ---------------------------------------------------------------- lifecycle


def diagram(moves: Mapping[Any, frozenset[Any]], starts: Iterable[Enum]) -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {state.value}" for state in starts]
    for old, following in moves.items():
        lines += [f"    {old.value} --> {new.value}" for new in moves if new in following]
        if not following:
            lines.append(f"    {old.value} --> [*]")
    return "\n".join([*lines, "```"])


def moves_table(moves: Mapping[Any, frozenset[Any]], meanings: Mapping[str, str]) -> str:
    return table(
        ("status", "meaning", "can become"),
        (
            (
                f"`{old.value}`",
                meanings[old.value],
                ", ".join(f"`{new.value}`" for new in moves if new in to) or "final",
            )
            for old, to in moves.items()
        ),
    )


REQUEST = {
    "PendingApproval": "Waits for approvers.",
    "PendingApprovalProvisioning": "Waits for approvers, and starts in the future.",
    "PendingAdminDecision": "An extension or renewal, asked for by the holder; waits for an administrator.",
    "Granted": "Decided, and starts in the future.",
    "Provisioned": "Carried out.",
    "Revoked": "A removal or deactivation that was carried out.",
    "Denied": "An approver said no.",
    "Canceled": "Taken back by the requestor or an administrator, or made moot by a removal.",
    "TimedOut": "Nobody decided in time.",
    "Failed": "The facts, read again, no longer allowed it.",
}
SCHEDULE = {
    "Granted": "Waits for its start; the facts are read again then.",
    "Provisioned": "In force from `starts_at` until `ends_at`.",
    "Revoked": "Ended before its time.",
    "Expired": "Ended by time; recorded afterwards.",
    "Canceled": "Called off before it started.",
    "Failed": "The facts no longer allowed it when it came due.",
}
APPROVAL = {
    "InProgress": "A stage waits for a decision.",
    "Approved": "Every stage reached its quorum.",
    "Denied": "One approver denied.",
    "Canceled": "The request was taken back.",
    "TimedOut": "A stage passed its deadline.",
}


def requests_diagram() -> str:
    starts = [
        state
        for state in lifecycle.RequestStatus
        if state.value not in {"Denied", "Canceled", "TimedOut", "Failed"}
    ]
    return diagram(lifecycle.REQUEST_MOVES, starts)


def schedules_diagram() -> str:
    return diagram(
        lifecycle.SCHEDULE_MOVES, (lifecycle.ScheduleStatus.GRANTED, lifecycle.ScheduleStatus.PROVISIONED)
    )


def approvals_diagram() -> str:
    return diagram(lifecycle.APPROVAL_MOVES, (lifecycle.ApprovalStatus.IN_PROGRESS,))


# ---------------------------------------------------------------- refusals

REFUSALS = {
    Code.INVALID: "The request makes no sense as written. The member at fault is named.",
    Code.NOT_FOUND: "There is no such thing, or the caller may not know of it.",
    Code.FORBIDDEN: "The caller may not do this now. Activating the named role first may help.",
    Code.CONFLICT: "The name is taken, or somebody else changed it meanwhile.",
    Code.POLICY: "One or more rules of the role's policy are not met. All of them are named.",
    Code.STEP_UP: "The sign-in lacks an authentication context that the policy demands.",
    Code.ASSIGNMENT_EXISTS: "The same grant is there already, or overlaps the asked time.",
    Code.ASSIGNMENT_MISSING: "Not eligible, or there is no such assignment to change or end.",
    Code.REQUEST_PENDING: "A request for the same thing waits already.",
    Code.REQUEST_MISSING: "There is no such request or approval.",
    Code.NOT_CANCELLABLE: "The request is decided or has begun, so it cannot be taken back.",
    Code.TOO_SHORT: "It would last less than the minimum, or is to be ended within it.",
    Code.ROLE_MISSING: "There is no such role definition.",
    Code.SUBJECT_MISSING: "There is no such user, group or service principal.",
    Code.SCOPE_MISSING: "There is no such scope.",
    Code.SUBJECT_NOT_ALLOWED: "This principal cannot hold it: a service principal as eligible, a group that is not role-assignable.",
    Code.LAST_ADMINISTRATOR: "It would take the last lasting administrator away.",
    Code.ALREADY_DECIDED: "The request or the stage was decided before, or has timed out.",
    Code.NOT_APPROVER: "The caller is no approver of this request, or it is his own.",
    Code.SIGN_IN: "The credentials are wrong, expired or missing.",
    Code.THROTTLED: "Too many tries. `Retry-After` says how long to wait.",
}


def refusals() -> str:
    def cell(code: Code, style: Style) -> str:
        fault = worded(Refusal(code, "…", rules=("MfaRule",) if code is Code.POLICY else ()), style)
        return f"{fault.status} `{fault.code}`"

    def on_resources(code: Code) -> str:
        refusal = Refusal(code, "…", rules=("MfaRule",) if code is Code.POLICY else ())
        fault = arm_faults.worded(refusal, arm_faults.Style.PIM, None, "", "/")
        return f"{fault.status} `{fault.code}`"

    return table(
        (
            "refusal",
            "meaning",
            "on PIM addresses",
            "on policy addresses",
            "on directory addresses",
            "for resources",
        ),
        (
            (
                f"`{code.value}`",
                REFUSALS[code],
                *(cell(code, style) for style in (Style.PIM, Style.POLICY, Style.DIRECTORY)),
                on_resources(code),
            )
            for code in Code
        ),
    )


# ---------------------------------------------------------------- audit, policy, limits


def audit() -> str:
    merged: dict[tuple[str, str], set[str]] = {}
    for one in activities():
        merged.setdefault((one.name, one.category or "RoleManagement"), set()).add(one.file)
    rows = sorted(merged.items(), key=lambda item: (item[0][1], item[0][0]))
    parts = []
    for category in dict.fromkeys(key[1] for key, _ in rows):
        chosen = [
            (key[0], ", ".join(f"`{file}`" for file in sorted(files)))
            for key, files in rows
            if key[1] == category
        ]
        parts.append(f"### {category}\n\n" + table(("activity", "written by"), chosen))
    return "\n\n".join(parts)


def _said(value: Any) -> str:
    if isinstance(value, Duration):
        return f"`{value.iso}`"
    if isinstance(value, frozenset):
        return ", ".join(sorted(f"`{item}`" for item in value)) or "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_dataclass(value):
        return "; ".join(
            f"{field.name.replace('_', ' ')}: {_said(getattr(value, field.name))}" for field in fields(value)
        )
    if isinstance(value, tuple):
        return "; ".join(_said(item) for item in value) or "none"
    return "none" if value is None else str(value)


# Setting of the model: (ids of the rules that show it, what it says).
RULES: dict[str, tuple[tuple[str, ...], str]] = {
    "activation": (("Expiration_EndUser_Assignment",), "The longest activation."),
    "activation_requires": (("Enablement_EndUser_Assignment",), "What an activation demands."),
    "context": (
        ("AuthenticationContext_EndUser_Assignment",),
        "The authentication context an activation demands.",
    ),
    "approval": (("Approval_EndUser_Assignment",), "Whether and how an activation is approved."),
    "eligibility": (("Expiration_Admin_Eligibility",), "How long somebody may be made eligible for."),
    "assignment": (("Expiration_Admin_Assignment",), "How long the role may be assigned actively for."),
    "assignment_requires": (
        ("Enablement_Admin_Assignment",),
        "What an active assignment demands of the administrator.",
    ),
    "eligibility_requires": (
        ("Enablement_Admin_Eligibility",),
        "What an eligible assignment demands of the administrator.",
    ),
    "notifications": (tuple(f"Notification_{key}" for key in NOTIFICATION_KEYS), "Who is told of what."),
}


def notices() -> str:
    def settings(topic: Topic, kind: Kind) -> str:
        if kind.event is Event.NONE:
            return "none: always" if kind.told else "none"
        if kind.event is not None:
            return f"`{kind.event}`"
        if topic in {Topic.ENDING_SOON, Topic.ENDED, Topic.EXTENDED, Topic.RENEWED}:
            return f"`{Event.ELIGIBLE}` or `{Event.ACTIVE}`"
        return f"`{Event.ACTIVATION}`; of an extension or renewal `{Event.ELIGIBLE}` or `{Event.ACTIVE}`"

    return table(
        ("notice", "when", "told to", "settings", "critical", "group"),
        (
            (
                f"`{topic}`",
                kind.meaning,
                ", ".join(kind.told) or "who asked",
                settings(topic, kind),
                "yes" if kind.critical else "",
                kind.group,
            )
            for topic, kind in KINDS.items()
        ),
    )


def notice_activities() -> str:
    rows = [(name, f"`{topic}`") for name, topic in ACTIVITIES.items()]
    return table(("activity", "notice"), [*rows, ("every other", "none")])


def policy_rules() -> str:
    made = (
        ("", default_directory_policy("", "")),
        ("groups", default_group_policy("", "", "")),
        ("resources", default_resource_policy("", "", "")),
    )
    rows = []
    number = 1
    for setting, (ids, meaning) in RULES.items():
        said = [(what, _default(policy, setting)) for what, policy in made]
        default = said[0][1]
        others = "; ".join(f"{what}: {other}" for what, other in said[1:] if other != default)
        if others:
            default = f"{default} ({others})"
        for rule in ids:
            rows.append((number, f"`{rule}`", meaning, default))
            number += 1
    return table(("", "rule", "meaning", "default"), rows)


def _default(policy: Policy, setting: str) -> str:
    value = getattr(policy, setting)
    if setting == "context":
        return f"{_said(value)}; enabled: {_said(policy.context_enabled)}"
    if setting == "notifications":
        return _said(next(iter(value.values())))
    if setting == "approval":
        return f"required: {_said(value.required)}; one stage"
    return _said(value)


def throttling() -> str:
    rows = (
        ("passwords of one account from one network, or from one known browser", throttle.ACCOUNT),
        ("passwords from one network, over all accounts", throttle.NETWORK),
        ("second factors of one account, by somebody who knows the password", throttle.SECOND_FACTOR),
        ("device codes typed in from one network", throttle.USER_CODE),
    )
    return table(
        ("tries counted", "free", "longest wait", "forgotten after"),
        (
            (
                what,
                limit.free,
                f"{limit.longest.seconds // 60} minutes",
                f"{int(limit.window.total_seconds() // 60)} minutes",
            )
            for what, limit in rows
        ),
    )


# ---------------------------------------------------------------- lists of pages


def decisions() -> str:
    rows = []
    for path in sorted((ROOT / "docs/decisions").glob("0*.md")):
        text = path.read_text(encoding="utf-8")
        title = text.splitlines()[0].removeprefix("# ")
        said = re.search(r"^> (.+)$", text, re.MULTILINE)
        rows.append((f"[{title}]({path.name})", said[1] if said else ""))
    return table(("decision", "in one line"), rows)


def endpoints() -> str:
    from openpim.faces.graph.endpoints import ENDPOINTS  # noqa: PLC0415 - only this part needs the whole face

    rows = [
        (
            f"`{one.method}`",
            f"`/{one.address}`",
            ", ".join(f"`{scope}`" for scope in one.scopes) or "any",
            "people only" if one.people_only else "",
        )
        for one in sorted(ENDPOINTS, key=lambda one: (one.address.lower(), one.method))
    ]
    return table(("method", "address", "any one of these permissions lets in", ""), rows)


def arm_endpoints() -> str:
    from openpim.faces.arm.endpoints import ENDPOINTS  # noqa: PLC0415 - only this part needs the whole face

    def needs(one: Any) -> str:
        if one.public:
            return "no token"
        return f"`{one.action}`" if one.action else ""

    rows = [
        (f"`{one.method}`", f"`/{one.address}`", needs(one))
        for one in sorted(ENDPOINTS, key=lambda one: (one.address.lower(), one.method))
    ]
    return table(("method", "address", "action needed there"), rows)


def resource_file() -> str:
    return table(("member", "what it is"), ((f"`{name}`", said) for name, said in MEMBERS.items()))


def metrics() -> str:
    rows = [
        (f"`{one.name}`", one.kind, ", ".join(f"`{name}`" for name in one.labels) or "–", one.meaning)
        for one in METRICS
    ]
    return table(("metric", "kind", "labels", "meaning"), rows)


def ocsf_classes() -> str:
    return table(("class_uid", "class"), [(uid, name) for uid, name in sorted(ocsf.CLASSES.items())])


PARTS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "requests-diagram": requests_diagram,
    "schedules-diagram": schedules_diagram,
    "approvals-diagram": approvals_diagram,
    "requests-moves": lambda: moves_table(lifecycle.REQUEST_MOVES, REQUEST),
    "schedules-moves": lambda: moves_table(lifecycle.SCHEDULE_MOVES, SCHEDULE),
    "approvals-moves": lambda: moves_table(lifecycle.APPROVAL_MOVES, APPROVAL),
    "refusals": refusals,
    "audit": audit,
    "notices": notices,
    "notice-activities": notice_activities,
    "policy-rules": policy_rules,
    "throttling": throttling,
    "decisions": decisions,
    "endpoints": endpoints,
    "arm-endpoints": arm_endpoints,
    "resource-file": resource_file,
    "metrics": metrics,
    "ocsf-classes": ocsf_classes,
}


def pages() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


WHOLE: dict[Path, Callable[[], str]] = {ROOT / "docs/reference/cli.md": reference.render}


def fresh(page: Path) -> str:
    """The page with every generated part made anew."""
    if page in WHOLE:
        return WHOLE[page]()
    text = page.read_text(encoding="utf-8")
    return PART.sub(lambda found: f"{found[1]}{PARTS[found['name']]()}\n{found[3]}", text)


def stale() -> list[Path]:
    return [page for page in pages() if page.read_text(encoding="utf-8") != fresh(page)]


def main(arguments: list[str]) -> int:
    """Write the stale pages; with --check only name them, and return 1."""
    found = stale()
    for page in found:
        name = page.relative_to(ROOT)
        if "--check" in arguments:
            print(f"{name}: a generated part is not what the code says; run: python -m tools.docs")
        else:
            page.write_text(fresh(page), encoding="utf-8")
            print(f"{name}: written")
    return int(bool(found) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
