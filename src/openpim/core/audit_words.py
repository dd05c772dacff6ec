"""The words an audit event can be found by, and those that are looked for."""

from __future__ import annotations

import re
from typing import Final

from openpim.core.audit import AuditEvent

LONGEST_WORD: Final = 40
MOST_WORDS: Final = 8
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")


def words_of(event: AuditEvent) -> set[str]:
    """What was done, by whom, in whose place, on whom or what, why, and what else is told, in lower case. No ids: those
    have fields of their own, and no two events share most of them."""
    texts = [
        event.activity, event.actor_name, event.actor_upn or "", event.reason, event.on_behalf_of_name,
        event.ticket_number, event.ticket_system, event.ip or "", event.result,
    ]  # fmt: skip
    for target in event.targets:
        texts += (target.name, target.id)
        for change in target.changes:
            texts += (text for text in change if text)
    texts += (value for _, value in event.details)
    return set(_split(" ".join(texts)))


def _split(text: str) -> list[str]:
    return [word[:LONGEST_WORD] for word in _WORD.findall(_GUID.sub(" ", text).lower())]


def asked(text: str) -> tuple[list[str], list[str]]:
    """(the words, the ids) of what somebody looks for; an event must have a word that begins with each, and each id."""
    ids = [one.lower() for one in _GUID.findall(text)]
    words = list(dict.fromkeys(_split(text)))
    return words[:MOST_WORDS], list(dict.fromkeys(ids))[:MOST_WORDS]


def has(event: AuditEvent, beginnings: list[str]) -> bool:
    """Whether it has a word with each of these beginnings."""
    found = words_of(event)
    return all(one in found or any(word.startswith(one) for word in found) for one in beginnings)
