"""Changing role settings: one form for each of the three tabs. What was typed stays when it is refused; who has been
overtaken by another's change is told so, and nothing of his is stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from openpim.core.grants import Duration, days
from openpim.core.policy import (
    NOTIFICATION_KEYS,
    Expiry,
    Level,
    Notification,
    Policy,
    Requirement,
    Reviewers,
    Stage,
)
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal import policies as pages
from openpim.faces.portal import policy_systems as systems
from openpim.faces.portal.call import Answer, Call, Go, Show
from openpim.faces.portal.policy_words import LEVELS, TABS, length, notification_label
from openpim.faces.portal.table import Page
from openpim.faces.portal.typed import Typed
from openpim.faces.portal.words import t
from openpim.services import policies, role_settings
from openpim.services.role_settings import RoleSetting

__all__ = ["PAGES", "Typed"]

MOST_STAGES: Final = 5
ACTIVATION_LENGTHS: Final = (
    30,
    60,
    120,
    180,
    240,
    300,
    360,
    420,
    480,
    540,
    600,
    660,
    720,
    960,
    1440,
)  # minutes
ASSIGNMENT_LENGTHS: Final = (15, 30, 90, 180, 365)  # days
# What an assignment may ask of who makes it. Entra's portal shows it of active ones alone; the rule is there for both.
_ASKED: Final = {"mfa": Requirement.MFA, "justification": Requirement.JUSTIFICATION}
_MAIL: Final = re.compile(r"[^\s@;,<>\x00-\x1f]{1,64}@[^\s@;,<>\x00-\x1f]{1,255}")
_CONTEXT: Final = re.compile(r"c[1-9][0-9]?")


def edit(call: Call) -> Answer:
    setting = pages.asked(call)
    tab = pages.tab_of(call.query.get("tab", ""))
    return _form(call, setting, tab, Typed(_WRITE[tab](setting.policy, setting.approvers)))


def save(call: Call) -> Answer:
    setting = pages.asked(call)
    tab = pages.tab_of(call.form.get("tab", ""))
    typed = Typed(dict(call.form))
    wanted = _READ[tab](call, setting, typed)
    if typed.errors or wanted is None:
        return _form(call, setting, tab, typed)
    seen = typed.text("version", 12)

    def change(present: Policy) -> Policy | Refusal:
        if str(present.version) != seen:
            return Refusal(
                Code.CONFLICT,
                f"{present.modified_by_name or 'Somebody'} has changed these settings meanwhile. Open them again and "
                "look at what is there now.",
            )
        return wanted(present)

    done = policies.update(
        call.deps, call.caller, setting.policy.id, change, setting.provider, setting.policy.scope
    )
    if isinstance(done, Refusal):
        typed.wrong("", done.message)
        return _form(call, setting, tab, typed)
    where = f"{pages.address(setting)}?{pages.query_of(setting)}&tab={tab}"
    return Go(where, t("The settings of {role} are changed.", role=setting.role_name))


def _form(call: Call, setting: RoleSetting, tab: str, typed: Typed) -> Answer:
    chosen = typed.text("maximum")
    known = _limits(setting)
    values = {
        "setting": setting,
        "tab": tab,
        "tabs": TABS,
        "typed": typed,
        "version": typed.text("version", 12) or setting.policy.version,
        "here": pages.address(setting),
        "where": pages.query_of(setting),
        "lengths": _with(chosen, [str(one) for one in ACTIVATION_LENGTHS]),
        "limits": {
            name: [
                (iso, length(known[iso]))
                for iso in _with(typed.text(name), [f"P{one}D" for one in ASSIGNMENT_LENGTHS])
                if iso in known
            ]
            for name in ("eligible_limit", "active_limit")
        },
        **(systems.choices(call, typed) if tab == "activation" else {}),
        "stages": range(1, min(MOST_STAGES, _stages_typed(typed) + 1) + 1),
        "keys": [(key, notification_label(key)) for key in NOTIFICATION_KEYS],
        "levels": [(one.value, t(LEVELS[one])) for one in LEVELS],
    }
    return Show(f"policy_edit_{tab}.html", values, 400 if typed.errors else 200, nav=pages.NAV)


def _with(chosen: str, known: list[str]) -> list[str]:
    """What can be chosen, and what is chosen now if it is none of these."""
    return known if not chosen or chosen in known else [chosen, *known]


# ---------------------------------------------------------------- activation


def _write_activation(policy: Policy, names: Mapping[str, str]) -> dict[str, str]:
    found = {
        "maximum": _minutes(policy.activation.maximum),
        "proof": "context" if policy.context_enabled else "mfa" if Requirement.MFA in policy.activation_requires else "none",
        "context": policy.context or "",
    }  # fmt: skip
    found |= _ticked(
        justification=Requirement.JUSTIFICATION in policy.activation_requires,
        ticket=Requirement.TICKETING in policy.activation_requires,
        approval=policy.approval.required,
    )
    found |= systems.write(policy)
    for number, stage in enumerate(systems.people_of(policy) if policy.approval.required else (), start=1):
        at = f"stage{number}_"
        found |= {
            f"{at}who": _names(stage.primary, names),
            f"{at}quorum": str(stage.quorum),
            f"{at}hours": f"{max(1, stage.timeout_minutes // 60)}",
            f"{at}then": _names(stage.escalation, names),
            f"{at}after": f"{stage.escalate_after_minutes // 60 or ''}",
        }
        found |= _ticked(**{f"{at}silent": not stage.justification_required})
    return found


def _read_activation(call: Call, setting: RoleSetting, typed: Typed) -> Callable[[Policy], Policy] | None:
    minutes = typed.number("maximum", 5, 1440, 480)
    proof = typed.text("proof")
    context = typed.text("context", 3).lower()
    if proof == "context" and not _CONTEXT.fullmatch(context):
        typed.wrong("context", t("Name the authentication context: c1 to c99."))
    beyond = systems.beyond_the_form(setting.policy)
    if beyond:
        typed.wrong("", beyond)
    people = _read_stages(call, setting, typed) if typed.on("approval") else ()
    stages = systems.read_asking(typed, _kept(setting.policy, people)) if typed.on("approval") else ()
    tickets = systems.read_tickets(typed)
    wanted = {
        Requirement.MFA: proof == "mfa",
        Requirement.JUSTIFICATION: typed.on("justification"),
        Requirement.TICKETING: typed.on("ticket"),
    }
    if typed.errors:
        return None

    def change(policy: Policy) -> Policy:
        approval = policy.approval
        if typed.on("approval"):
            approval = replace(approval, required=True, stages=stages)
        else:
            approval = replace(approval, required=False)
        return replace(
            policy,
            activation=Expiry(required=True, maximum=_of_minutes(minutes)),
            activation_requires=frozenset(one for one, on in wanted.items() if on),
            context_enabled=proof == "context",
            context=context if proof == "context" else policy.context,
            approval=approval,
            tickets=tickets,
        )

    return change


def _read_stages(call: Call, setting: RoleSetting, typed: Typed) -> tuple[Stage, ...]:
    found = []
    for number in range(1, max(1, _stages_typed(typed)) + 1):
        at = f"stage{number}_"
        hours = typed.number(f"{at}hours", 1, 60 * 24, 24)
        after = typed.number(f"{at}after", 0, 60 * 24, 0)
        found.append(
            Stage(
                timeout_minutes=hours * 60,
                justification_required=not typed.on(f"{at}silent"),
                primary=_reviewers(call, setting, typed, f"{at}who"),
                escalation=_reviewers(call, setting, typed, f"{at}then"),
                escalate_after_minutes=after * 60,
                quorum=typed.number(f"{at}quorum", 1, 20, 1),
            )
        )
    return tuple(found)


def _reviewers(call: Call, setting: RoleSetting, typed: Typed, name: str) -> Reviewers:
    lines = [line.strip()[:256] for line in re.split(r"[\r\n;]+", typed.text(name, 20_000)) if line.strip()]
    if not lines:
        return Reviewers()
    policy = setting.policy
    # What we wrote ourselves means whom it meant, whatever else has that name.
    known = {shown: one for one, shown in setting.approvers.items()}
    found = role_settings.approvers(
        call.deps,
        call.caller,
        setting.provider,
        policy.role_id,
        policy.scope,
        [known.get(line, line) for line in lines],
    )
    if isinstance(found, Refusal):
        typed.wrong(name, found.message)
        return Reviewers()
    return found


def _kept(policy: Policy, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """A form speaks in hours; minutes that it showed rounded stay as they are."""
    return tuple(
        replace(
            new,
            timeout_minutes=_unrounded(new.timeout_minutes, old.timeout_minutes, least=60),
            escalate_after_minutes=_unrounded(new.escalate_after_minutes, old.escalate_after_minutes),
        )
        if old is not None
        else new
        for new, old in zip(stages, [*systems.people_of(policy), *[None] * len(stages)], strict=False)
    )


def _unrounded(typed: int, stored: int, least: int = 0) -> int:
    return stored if max(least, stored // 60 * 60) == typed else typed


def _stages_typed(typed: Typed) -> int:
    """How many stages the form has: up to the last one in which somebody is named."""
    return max(
        (number for number in range(1, MOST_STAGES + 1) if typed.text(f"stage{number}_who", 20_000)),
        default=0,
    )


# ---------------------------------------------------------------- assignment


def _write_assignment(policy: Policy, _names: Mapping[str, str]) -> dict[str, str]:
    return {
        "eligible_limit": policy.eligibility.maximum.iso if policy.eligibility.maximum else "",
        "active_limit": policy.assignment.maximum.iso if policy.assignment.maximum else "",
    } | _ticked(
        eligible_permanent=not policy.eligibility.required,
        active_permanent=not policy.assignment.required,
        **{
            f"{kind}_{name}": requirement in asked
            for kind, asked in (
                ("eligible", policy.eligibility_requires),
                ("active", policy.assignment_requires),
            )
            for name, requirement in _ASKED.items()
        },
    )


def _read_assignment(_call: Call, setting: RoleSetting, typed: Typed) -> Callable[[Policy], Policy] | None:
    known = _limits(setting)
    limits: dict[str, Duration | None] = {}
    for name in ("eligible_limit", "active_limit"):
        text = typed.text(name)
        if text and text not in known:
            typed.wrong(name, t("Choose one of the list."))
        limits[name] = known.get(text)
    if typed.errors:
        return None

    def requires(kind: str, present: frozenset[Requirement]) -> frozenset[Requirement]:
        """What the form does not show stays as it is."""
        ticked = {one for name, one in _ASKED.items() if typed.on(f"{kind}_{name}")}
        return present - set(_ASKED.values()) | ticked

    def change(policy: Policy) -> Policy:
        return replace(
            policy,
            eligibility=Expiry(not typed.on("eligible_permanent"), limits["eligible_limit"]),
            assignment=Expiry(not typed.on("active_permanent"), limits["active_limit"]),
            eligibility_requires=requires("eligible", policy.eligibility_requires),
            assignment_requires=requires("active", policy.assignment_requires),
        )

    return change


# ---------------------------------------------------------------- notification


def _write_notification(policy: Policy, _names: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, mail in policy.notifications.items():
        found |= {f"level_{key}": mail.level.value, f"more_{key}": "; ".join(mail.recipients)}
        found |= _ticked(**{f"usual_{key}": mail.default_recipients})
    return found


def _read_notification(_call: Call, _setting: RoleSetting, typed: Typed) -> Callable[[Policy], Policy] | None:
    wanted: dict[str, Notification] = {}
    for key in NOTIFICATION_KEYS:
        addresses = [
            one.strip() for one in re.split(r"[;,\s]+", typed.text(f"more_{key}", 5000)) if one.strip()
        ]
        bad = next((one for one in addresses if not _MAIL.fullmatch(one)), None)
        if bad is not None:
            typed.wrong(f"more_{key}", t("{typed} is not a mail address.", typed=bad[:100]))
        if len(addresses) > 50:
            typed.wrong(f"more_{key}", t("At most 50 addresses."))
        level = next((one for one in Level if one.value == typed.text(f"level_{key}")), None)
        if level is None:
            typed.wrong(f"level_{key}", t("Choose one of the list."))
        wanted[key] = Notification(
            level or Level.ALL, typed.on(f"usual_{key}"), tuple(dict.fromkeys(addresses))
        )
    if typed.errors:
        return None
    return lambda policy: replace(policy, notifications=wanted)


# ---------------------------------------------------------------- small things


def _ticked(**boxes: bool) -> dict[str, str]:
    return {name: "on" for name, on in boxes.items() if on}


def _names(reviewers: Reviewers, names: Mapping[str, str]) -> str:
    return "\n".join(names.get(one, one) for one in (*reviewers.users, *reviewers.groups))


def _minutes(duration: Duration | None) -> str:
    return str((duration.months * 2_629_746 + duration.seconds) // 60) if duration else ""


def _of_minutes(minutes: int) -> Duration:
    hours, rest = divmod(minutes, 60)
    iso = "PT" + (f"{hours}H" if hours else "") + (f"{rest}M" if rest else "")
    return Duration(iso, 0, minutes * 60)


def _limits(setting: RoleSetting) -> dict[str, Duration]:
    """Those that the form offers, and those that are stored."""
    stored = (setting.policy.eligibility.maximum, setting.policy.assignment.maximum)
    return {one.iso: one for one in (*map(days, ASSIGNMENT_LENGTHS), *stored) if one is not None}


_WRITE: Final[Mapping[str, Callable[[Policy, Mapping[str, str]], dict[str, str]]]] = {
    "activation": _write_activation,
    "assignment": _write_assignment,
    "notification": _write_notification,
}
_READ: Final[Mapping[str, Callable[[Call, RoleSetting, Typed], Callable[[Policy], Policy] | None]]] = {
    "activation": _read_activation,
    "assignment": _read_assignment,
    "notification": _read_notification,
}
PAGES = (
    Page("GET", "/portal/policies/{provider}/{role}/edit", edit),
    Page("POST", "/portal/policies/{provider}/{role}/edit", save),
)
