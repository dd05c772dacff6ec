"""Turns what a handler shows into a page: the templates, what all of them may use, and the headers of every answer."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from openpim.faces.portal import pieces, words
from openpim.faces.portal.static import BASE
from openpim.faces.shared.qr import qr

if TYPE_CHECKING:
    from jinja2 import Environment

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not no-referrer: with that, browsers hide the Origin of our own forms, which we check.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept-Encoding, Cookie",
}
_SMALL = 1500  # bytes that fit into one packet anyhow


@cache
def environment() -> Environment:
    from openpim.faces.portal.templating import Templates  # noqa: PLC0415 - a start does not wait for it

    made = Templates(words.t)
    made.globals |= {
        "plural": words.plural,
        "static": BASE,
        "provider_names": words.PROVIDER_NAMES,
        "provider_marks": words.PROVIDER_MARKS,
        "requirement_words": words.REQUIREMENT_WORDS,
        "status_words": words.STATUS_WORDS,
        "status_tones": words.STATUS_TONES,
        "action_words": words.ACTION_WORDS,
        "months": words.MONTHS,
        "one_badge": pieces.badge,
        "one_status": pieces.status,
        "time_left": pieces.left,
        "one_icon": pieces.icons(made),
    }
    made.filters |= {
        "moment": words.moment,
        "utc": words.utc,
        "span": words.span,
        "took": words.took,
        "initials": words.initials,
        "qr": qr,
    }
    return made


def render(template: str, values: Mapping[str, Any]) -> bytes:
    return environment().get_template(template).render(values).encode()


def packed(body: bytes, accepted: str) -> tuple[bytes, dict[str, str]]:
    """The body as the client takes it, and the headers that say so. accepted: its Accept-Encoding."""
    if len(body) > _SMALL and "gzip" in accepted:
        # The least: the others take up to twice as long for a twelfth less.
        return gzip.compress(body, 1, mtime=0), {"Content-Encoding": "gzip"}
    return body, {}
