"""Who is who in a directory: from a person's name to exactly one entry, and back. More than one hit is none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from openpim.connectors.ldap.client import Connection, words
from openpim.connectors.ldap.config import People
from openpim.connectors.ldap.messages import ANY, Code, Entry, Scope, equals, search
from openpim.connectors.ldap.names import below, check_name, known
from openpim.ports.connector import BadNameError


@dataclass(frozen=True, slots=True)
class Found:
    """dn, name: as the directory writes them; name "" where people are their DNs."""

    dn: str
    name: str = ""


def find(connection: Connection, people: People, subjects: Collection[str]) -> dict[str, Found | str]:
    """The entry of each, or why there is none, in words for people."""
    wanted = list(dict.fromkeys(subjects))
    found: dict[str, Found | str] = {}
    asked: list[str] = []
    requests = []
    for subject in wanted:
        if ("=" in subject) is people.by_name:
            found[subject] = (
                "This target looks people up by their name: change its pattern for people."
                if people.by_name
                else "This target knows people by their DN: change its pattern for people, or set people_base."
            )
            continue
        asked.append(subject)
        if people.by_name:
            condition = equals(people.attribute, subject)
            requests.append(search(people.base, Scope.SUBTREE, condition, [people.attribute], limit=2))
        else:
            requests.append(search(subject, Scope.BASE, ANY, []))
    for subject, outcome in zip(asked, connection.exchange(requests), strict=True):
        if outcome.code == Code.NO_SUCH_OBJECT or (outcome.ok and not outcome.entries):
            found[subject] = "The directory has no such person, or does not show the entry."
        elif outcome.code == Code.SIZE_LIMIT_EXCEEDED or len(outcome.entries) > 1:
            found[subject] = "The directory has more than one such person."
        elif not outcome.ok:
            found[subject] = f"The directory did not look the person up ({words(outcome)})."
        else:
            found[subject] = _judged(subject, outcome.entries[0], people)
    return found


def names(connection: Connection, people: People, dns: Iterable[str]) -> Mapping[str, str]:
    """The other way round: the person's name for each DN that a directory wrote; the DN in its one form where it is nobody's
    who could be looked up."""
    raws = list(dict.fromkeys(dns))
    out = {raw: known(raw) for raw in raws}
    if not people.by_name:
        return out
    inside = [raw for raw in raws if below(out[raw], people.base)]
    requests = [search(raw, Scope.BASE, ANY, [people.attribute]) for raw in inside]
    for raw, outcome in zip(inside, connection.exchange(requests), strict=True):
        if outcome.ok and len(outcome.entries) == 1:
            out[raw] = _name(outcome.entries[0], people) or out[raw]
    return out


def _judged(subject: str, entry: Entry, people: People) -> Found | str:
    if not people.by_name:
        return Found(entry.dn)
    if _name(entry, people) != subject:
        return f"The person found has another {people.attribute}, or more than one."
    return Found(entry.dn, entry.texts(people.attribute)[0])


def _name(entry: Entry, people: People) -> str:
    """ "" when there is not exactly one that can be told from others."""
    values = entry.texts(people.attribute)
    if len(values) != 1:
        return ""
    try:
        return "" if "=" in values[0] else check_name(values[0])
    except BadNameError:
        return ""
