"""The part of the forms that says from when until when, why, and under which ticket; and what the policy allows of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from openpim.core.grants import ExpirationType, Kind, Ticket, Window
from openpim.core.policy import Policy, Requirement
from openpim.faces.portal.moments import read_moment, read_offset
from openpim.faces.portal.policy_form import Typed
from openpim.faces.portal.policy_words import length
from openpim.faces.portal.words import t

PERMANENT: Final = "permanent"
UNTIL: Final = "until"


def allowed(policy: Policy, kind: Kind) -> str:
    """What the policy allows of an assignment of this kind, as a sentence."""
    expiry = policy.expiry_of(kind)
    if not expiry.required:
        said = [t("It may be permanent.")]
    elif expiry.maximum is None:
        said = [t("It must have an end.")]
    else:
        said = [t("It must end within {length}.", length=length(expiry.maximum))]
    words = {
        Requirement.JUSTIFICATION: t("a justification"),
        Requirement.TICKETING: t("a ticket"),
        Requirement.MFA: t("a second factor at sign-in"),
    }
    needed = [text for one, text in words.items() if one in policy.admin_requires(kind)]
    if needed:
        said.append(t("It needs {things}.", things=", ".join(needed)))
    return " ".join(said)


def choices(policy: Policy, kind: Kind) -> dict[str, Any]:
    """What the template of this part needs to know."""
    requires = policy.admin_requires(kind)
    return {
        "allowed": allowed(policy, kind),
        "may_be_permanent": not policy.expiry_of(kind).required,
        "needs_reason": Requirement.JUSTIFICATION in requires,
        "needs_ticket": Requirement.TICKETING in requires,
    }


def usual(policy: Policy, kind: Kind, now: datetime) -> dict[str, str]:
    """The fields before anybody has typed: for good where that is allowed, else as long as it is."""
    expiry = policy.expiry_of(kind)
    longest = expiry.maximum.after(now) if expiry.maximum is not None else now + timedelta(days=365)
    # A form is sent a while after it was shown; a minute less than the longest is still allowed then.
    return {"how": UNTIL if expiry.required else PERMANENT, "until": field_of(longest), "start": ""}


def field_of(when: datetime | None) -> str:
    """As a datetime-local field has it, in UTC."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M") if when is not None else ""


def read_window(typed: Typed, known: Mapping[str, datetime | None] | None = None) -> Window | None:
    """None where a field is wrong, which `typed` then says. known: moments that the form showed without their seconds."""
    start = read_moment_field(typed, "start", known)
    if typed.text("how") == PERMANENT:
        return None if typed.errors else Window(start, ExpirationType.NO_EXPIRATION)
    if not typed.text("until"):
        typed.wrong("until", t("Say until when, or choose permanent."))
    until = read_moment_field(typed, "until", known)
    return None if typed.errors else Window(start, ExpirationType.AFTER_DATE_TIME, end=until)


def read_moment_field(
    typed: Typed, name: str, known: Mapping[str, datetime | None] | None = None
) -> datetime | None:
    """None where nothing is typed, or what is no moment, which `typed` then says."""
    text = typed.text(name, 40)
    if not text:
        return None
    found = read_moment(text, read_offset(typed.fields, f"{name}_offset"))
    if found is None or not 1970 <= found.year < 9000:
        typed.wrong(name, t("Write it as 2026-11-21T14:30."))
        return None
    exact = (known or {}).get(name)
    return exact if exact is not None and field_of(exact) == field_of(found) else found


def read_reason(typed: Typed) -> str | None:
    return typed.text("reason", 10_000) or None


def read_ticket(typed: Typed) -> Ticket:
    return Ticket(typed.text("ticket_number") or None, typed.text("ticket_system") or None)
