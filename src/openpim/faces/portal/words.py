"""The words of the pages: Entra's, in English; `t` is the one place through which all of them go, so that they can be
translated. Also how moments and spans of time are written.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from openpim.core.grants import Provider
from openpim.core.policy import Requirement

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def t(text: str, **values: Any) -> str:
    """The text in the reader's language (English, so far). values: what {names} in it stand for."""
    return text.format(**values) if values else text


def plural(count: int, one: str, many: str) -> str:
    """`one` or `many`, which hold {count}."""
    return t(one if count == 1 else many, count=count)


def utc(when: datetime) -> str:
    """What everybody reads the same: 21 Nov 2026, 14:05 UTC."""
    at = when.astimezone(UTC)
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"


@lru_cache(maxsize=2000)
def moment(when: datetime | None, absent: str = "Permanent") -> Markup:
    """A <time>: UTC as written, in the reader's zone where a script runs, UTC then on hover."""
    if when is None:
        return Markup("<span>{}</span>").format(t(absent))
    iso = when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    # Numbers and months alone: nothing in them to escape, which was most of what a list of moments cost.
    return Markup(f'<time datetime="{iso}">{utc(when)}</time>')  # noqa: S704


def span(length: timedelta | float) -> str:
    """1 h 30 min; the two largest units, as nobody reads more."""
    seconds = int(length.total_seconds() if isinstance(length, timedelta) else length)
    if seconds < 0:
        return "-" + span(-seconds)
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    shown = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(shown[:2]) or "0 s"


def took(length: timedelta) -> str:
    """How long a thing took, for the line of a request: 0.4 s, 12 s, 3 min 20 s."""
    seconds = length.total_seconds()
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    return span(length)


def initials(name: str) -> str:
    words = re.findall(r"\w+", name)
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


PROVIDER_NAMES = {
    Provider.DIRECTORY: "Directory roles",
    Provider.GROUP: "Groups",
    Provider.RESOURCE: "Resources",
}
PROVIDER_MARKS = {
    Provider.DIRECTORY: "Directory",
    Provider.GROUP: "Group",
    Provider.RESOURCE: "Resource",
}
REQUIREMENT_WORDS = {
    Requirement.MFA: "MFA",
    Requirement.JUSTIFICATION: "Justification",
    Requirement.TICKETING: "Ticket",
}
STATUS_WORDS = {
    "PendingApproval": "Pending approval",
    "PendingApprovalProvisioning": "Pending approval",
    "PendingAdminDecision": "Pending administrator decision",
    "Granted": "Scheduled",
    "Provisioned": "Provisioned",
    "Revoked": "Revoked",
    "Denied": "Denied",
    "Canceled": "Canceled",
    "TimedOut": "Timed out",
    "Failed": "Failed",
}
STATUS_TONES = {
    "Provisioned": "good",
    "Granted": "note",
    "PendingApproval": "wait",
    "PendingApprovalProvisioning": "wait",
    "PendingAdminDecision": "wait",
    "Denied": "bad",
    "Failed": "bad",
    "TimedOut": "bad",
}
ACTION_WORDS = {
    "adminAssign": "Assign",
    "adminUpdate": "Update",
    "adminRemove": "Remove",
    "adminExtend": "Extend",
    "adminRenew": "Renew",
    "selfActivate": "Activate",
    "selfDeactivate": "Deactivate",
    "selfExtend": "Extend",
    "selfRenew": "Renew",
}
