"""Tickets: what their numbers look like, what the system that knows them says, and what follows for an activation.

A pattern is a template, not a regular expression: whatever an administrator writes, and whatever a requestor types, is
matched in a time that grows with the product of their (short) lengths and no faster.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

LONGEST_PATTERN = 100
LONGEST_NUMBER = 100
MOST_PATTERNS = 10


class TicketState(StrEnum):
    """What the ticket system says. UNREACHABLE: it did not answer in time, or not in a way that can be read. BUSY: it was
    not asked, because too many are being asked about at the same time; that is no word of its own, so no setting lets
    it pass."""

    VALID = "valid"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"
    BUSY = "busy"


class TicketsDown(StrEnum):
    """What happens when the ticket system does not answer."""

    REFUSE = "refuse"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class TicketRules:
    """What a role's policy demands of the ticket of an activation. Where no ticket is given (and the policy asks for
    none) nothing here applies.

    patterns: the number must fit one of these; none = any. system_id: the channel that is asked about it, or None.
    ends_with_ticket: an activation ends when the ticket system says that its ticket is closed.
    """

    patterns: tuple[str, ...] = ()
    system_id: str | None = None
    when_down: TicketsDown = TicketsDown.REFUSE
    ends_with_ticket: bool = False


NO_RULES = TicketRules()


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """What is known about one number when an activation is decided.

    asked_of, asked: the system that was asked before, and the number (as `same`). closed: it said earlier, of itself,
    that the ticket is closed.
    """

    asked_of: str | None = None
    asked: str = ""
    state: TicketState | None = None
    reason: str = ""
    closed: bool = False


NO_FACTS = TicketFacts()


def same(number: str | None) -> str:
    """Numbers that mean one ticket are the same text: case, spaces around it and the width of letters do not count."""
    text = number or ""
    if text.isascii():
        return text.strip().casefold()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).strip().casefold())


def fault(
    rules: TicketRules, number: str | None, facts: TicketFacts = NO_FACTS, *, ask_again: bool = True
) -> str | None:
    """Why this ticket will not do, in words for the requestor; None: it will. ask_again False: the system need not have
    been asked for this decision (a start that comes due was decided before)."""
    key = same(number)
    if not key:
        return None
    if rules == NO_RULES:
        return None
    # A system might read past what nobody sees, and close another number than the one that is kept here.
    if len(key) > LONGEST_NUMBER or not key.isprintable():
        return f"a ticket number has at most {LONGEST_NUMBER} characters, and none that cannot be seen"
    if rules.patterns and not any(fits(pattern, key) for pattern in rules.patterns):
        return f"the ticket number does not look like {' or '.join(rules.patterns)}"
    if rules.system_id is None:
        return None
    if facts.closed:
        return "the ticket is closed"
    if not ask_again:
        return None
    if facts.asked_of != rules.system_id or facts.asked != key or facts.state is None:
        return "the ticket has not been checked: the role's settings have changed meanwhile; ask again"
    return _said(facts.state, facts.reason, rules.when_down)


def _said(state: TicketState, reason: str, when_down: TicketsDown) -> str | None:
    match state:
        case TicketState.VALID:
            return None
        case TicketState.BUSY:
            return "too many tickets are being checked at this moment; try again in a few seconds"
        case TicketState.UNREACHABLE:
            if when_down is TicketsDown.ACCEPT:
                return None
            return (
                "the ticket could not be checked, because the ticket system does not answer; try again later"
            )
        case TicketState.CLOSED:
            words = "is closed"
        case TicketState.UNKNOWN:
            words = "is not known to the ticket system"
    return f"the ticket {words}" + (f" ({reason})" if reason else "")


def pattern_fault(pattern: str) -> str | None:
    if not pattern or len(pattern) > LONGEST_PATTERN or pattern != pattern.strip():
        return f"a ticket pattern has 1 to {LONGEST_PATTERN} characters, and no spaces around it"
    if not pattern.isprintable():
        return "a ticket pattern has printable characters only"
    return None


def fits(pattern: str, number: str) -> bool:
    """`#` a digit, `#+` one or more, `?` a letter or digit, `*` anything or nothing; all else means itself, in either
    case."""
    text = same(number)
    if len(text) > LONGEST_NUMBER:
        return False
    tokens = _tokens(same(pattern))
    # Which tokens may come next, as a set: no backtracking.
    at = _skipped({0}, tokens)
    for character in text:
        following: set[int] = set()
        for position in at:
            if position == len(tokens):
                continue
            token = tokens[position]
            if not _takes(token, character):
                continue
            following.add(position + 1)
            if token in {"#+", "*"}:
                following.add(position)
        at = _skipped(following, tokens)
        if not at:
            return False
    return len(tokens) in at


def _tokens(pattern: str) -> list[str]:
    found: list[str] = []
    for character in pattern:
        if character == "+" and found and found[-1] == "#":
            found[-1] = "#+"
        elif not (character == "*" and found and found[-1] == "*"):
            found.append(character)
    return found


def _skipped(at: set[int], tokens: list[str]) -> set[int]:
    """`*` may stand for nothing."""
    return at | {position + 1 for position in at if position < len(tokens) and tokens[position] == "*"}


def _takes(token: str, character: str) -> bool:
    if token in {"#", "#+"}:
        return character in "0123456789"
    if token == "?":
        return character.isalnum()
    return token in {"*", character}
