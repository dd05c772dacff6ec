"""Who is who in a directory: from a person's name to exactly one entry, and back. More than one hit is none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from openpim.connectors.ldap.client import Connection, words
from openpim.connectors.ldap.config import People
from openpim.connectors.ldap.messages import (
    ANY,
    GROUP_CLASSES,
    Code,
    Entry,
    Request,
    Scope,
    either,
    equals,
    search,
)
from openpim.connectors.ldap.names import below, check_name, first, known
from openpim.ports.connector import BadNameError

_GROUPS = frozenset(one.lower().encode() for one in GROUP_CLASSES)
_TOGETHER = 200  # are asked for in one question: fewer than any directory shows in one answer
_OF_ANOTHER_KIND = {
    True: "This target looks people up by their name: change its pattern for people.",
    False: "This target knows people by their DN: change its pattern for people, or set people_base.",
}


@dataclass(frozen=True, slots=True)
class Found:
    """dn, name: as the directory writes them; name "" where people are their DNs."""

    dn: str
    name: str = ""


def find(connection: Connection, people: People, subjects: Collection[str]) -> dict[str, Found | str]:
    """The entry of each, or why there is none, in words for people."""
    wanted = list(dict.fromkeys(subjects))
    found: dict[str, Found | str] = {
        one: _OF_ANOTHER_KIND[people.by_name] for one in wanted if ("=" in one) is people.by_name
    }
    asked = [one for one in wanted if one not in found]
    if people.by_name and len(asked) > 1:
        found.update(_together(connection, people, asked))
        asked = [one for one in asked if one not in found]
    requests = [
        search(
            people.base,
            Scope.SUBTREE,
            equals(people.attribute, one),
            _wanted(people),
            limit=2,
        )
        if people.by_name
        else search(one, Scope.BASE, ANY, _wanted(people))
        for one in asked
    ]
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


def _together(connection: Connection, people: People, asked: Sequence[str]) -> dict[str, Found]:
    """Those who are found beyond doubt by asking for many at once; the others are asked for one by one."""
    found: dict[str, Found] = {}
    pieces = [asked[at : at + _TOGETHER] for at in range(0, len(asked), _TOGETHER)]
    requests = [_any_of(people, piece) for piece in pieces]
    for piece, outcome in zip(pieces, connection.exchange(requests), strict=True):
        if not outcome.ok:
            continue
        hits: dict[str, list[Entry]] = {one: [] for one in piece}
        for entry in outcome.entries:
            theirs = {_plain(value) for value in entry.texts(people.attribute)} & hits.keys()
            if not theirs:
                break  # the directory takes some name for another: which one, it tells when asked for each
            for name in theirs:
                hits[name].append(entry)
        else:
            found.update(_beyond_doubt(hits, people))
    return found


def _beyond_doubt(hits: Mapping[str, Sequence[Entry]], people: People) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for subject, entries in hits.items():
        if len(entries) == 1 and isinstance(one := _judged(subject, entries[0], people), Found):
            found[subject] = one
    return found


def names(connection: Connection, people: People, dns: Iterable[str]) -> Mapping[str, str]:
    """The other way round: the person's name for each DN that a directory wrote; the DN in its one form where it is nobody's
    who could be looked up."""
    raws = list(dict.fromkeys(dns))
    out = {raw: known(raw) for raw in raws}
    if not people.by_name:
        return out
    inside = [raw for raw in raws if below(out[raw], people.base)]
    called = _named_by_it(connection, people, {out[raw] for raw in inside})
    asked = [raw for raw in inside if out[raw] not in called]
    out.update({raw: called[out[raw]] for raw in inside if out[raw] in called})
    requests = [search(raw, Scope.BASE, ANY, _wanted(people)) for raw in asked]
    for raw, outcome in zip(asked, connection.exchange(requests), strict=True):
        if outcome.ok and len(outcome.entries) == 1:
            out[raw] = _name(outcome.entries[0], people) or out[raw]
    return out


def _named_by_it(connection: Connection, people: People, dns: Collection[str]) -> dict[str, str]:
    """The names of those whose DN begins with the attribute that people are looked up by: many are asked for at once."""
    firsts = [value for kind, value in map(first, dns) if kind == people.attribute.lower()]
    pieces = (
        [firsts[at : at + _TOGETHER] for at in range(0, len(firsts), _TOGETHER)] if len(firsts) > 1 else []
    )
    called: dict[str, str] = {}
    for outcome in connection.exchange([_any_of(people, piece) for piece in pieces]):
        for entry in outcome.entries if outcome.ok else ():
            if (dn := known(entry.dn)) in dns and (name := _name(entry, people)):
                called[dn] = name
    return called


def _any_of(people: People, values: Sequence[str]) -> Request:
    condition = either(*(equals(people.attribute, one) for one in values))
    return search(people.base, Scope.SUBTREE, condition, _wanted(people))


def _wanted(people: People) -> list[str]:
    return [people.attribute, "objectClass"] if people.by_name else ["objectClass"]


def _is_group(entry: Entry) -> bool:
    """A group in the place of a person would give what is one person's to all who are in it."""
    return any(value.lower() in _GROUPS for value in entry.values.get("objectclass", ()))


def _judged(subject: str, entry: Entry, people: People) -> Found | str:
    if _is_group(entry):
        return "This is a group of the directory, and not a person."
    if not people.by_name:
        return Found(entry.dn)
    if _name(entry, people) != subject:
        return f"The person found has another {people.attribute}, or more than one."
    return Found(entry.dn, entry.texts(people.attribute)[0])


def _plain(value: str) -> str:
    try:
        return check_name(value)
    except BadNameError:
        return value


def _name(entry: Entry, people: People) -> str:
    """ "" when there is not exactly one that can be told from others."""
    values = entry.texts(people.attribute)
    if len(values) != 1 or _is_group(entry):
        return ""
    try:
        return "" if "=" in values[0] else check_name(values[0])
    except BadNameError:
        return ""
