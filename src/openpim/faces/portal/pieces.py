"""The small pieces of which a list has hundreds: badges, statuses and symbols. Templates have them as `m.badge`, `m.status`
and `m.icon` (`macros.html`); each is made once for what it says, because a macro's call costs more than what it writes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from openpim.faces.portal.words import STATUS_TONES, STATUS_WORDS, span, t

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from jinja2 import Environment


@lru_cache(maxsize=1000, typed=True)  # typed: what is escaped already is not what is not
def badge(label: str, tone: str = "", title: str = "") -> Markup:
    kind = f"badge {tone}" if tone else "badge"
    hover = Markup(' title="{}"').format(title) if title else ""
    return Markup('<span class="{}"{}>{}</span>').format(kind, hover, escape(label))


def status(value: str) -> Markup:
    """A status of a request or schedule, in words and a colour."""
    return badge(t(STATUS_WORDS.get(value, value)), STATUS_TONES.get(value, ""))


def left(since: datetime, until: datetime | None, now: datetime) -> Markup:
    """A bar of how much time is left, which the script moves; of what is permanent a word."""
    if until is None:
        return Markup('<span class="muted">{}</span>').format(t("Permanent"))
    rest = max(0.0, (until - now).total_seconds())
    total = max(1.0, (until - since).total_seconds())
    label, words = escape(t("Time left")), escape(f"{span(rest)} {t('left')}")
    return Markup(  # noqa: S704 - numbers and moments, and words that are escaped
        f'<span class="left" data-from="{since.isoformat()}" data-until="{until.isoformat()}">'
        f'<progress max="{round(total)}" value="{round(rest)}" aria-label="{label}"></progress>'
        f'<span class="left-words">{words}</span></span>'
    )


def icons(templates: Environment) -> Callable[[str], Markup]:
    """What gives the symbol of a name (icon.html)."""

    @lru_cache
    def icon(name: str) -> Markup:
        return Markup(templates.get_template("icon.html").render(name=name).strip())  # noqa: S704 - our own, nothing put in

    return icon
