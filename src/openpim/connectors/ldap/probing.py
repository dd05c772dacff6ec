"""What the account of OpenPIM may do in a directory, and whether that is too little or too much. Nothing is changed by it.

Active Directory tells the rights. Elsewhere a change is asked for that would first take away a value that is not there: the
directory looks at rights before values, so it refuses for want of the right, or because there is no such value, and in neither
case does it do any of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from openpim.connectors.ldap.activations import Activations
from openpim.connectors.ldap.active_directory import ActiveDirectory
from openpim.connectors.ldap.client import Connection
from openpim.connectors.ldap.groups import Groups
from openpim.connectors.ldap.messages import (
    ANY,
    GROUP_CLASSES,
    LINK_TTL,
    Change,
    Code,
    Scope,
    either,
    equals,
    modify,
    search,
)
from openpim.connectors.ldap.names import below, known, parent
from openpim.connectors.ldap.session import About
from openpim.ports.connector import Fault, Probe, TargetError

_MOST = 20  # of the managed groups are tried, and …
_NEIGHBOURS = 5  # … of others beside them
_PEOPLE = ("person", "posixAccount", "account")
_EVERYTHING = (
    "The account of OpenPIM may write whatever was looked at: it is the directory's manager (rootdn) or an administrator. Give "
    "OpenPIM an account of its own that may change the members of the managed groups and nothing else."
)
# Which of these attributes of the entry may be written?
May = Callable[[Connection, str, Sequence[str]], frozenset[str]]


@dataclass(slots=True)
class _Look:
    connection: Connection
    may: May
    lacks: list[str] = field(default_factory=list)
    excess: list[str] = field(default_factory=list)
    refused: bool = False  # something may not be written: it is not the manager

    def needs(self, dn: str, attributes: Sequence[str]) -> None:
        may = self.may(self.connection, dn, attributes)
        self.lacks += [
            f"The account of OpenPIM may not write {one} of {dn}: give it that right."
            for one in attributes
            if one not in may
        ]

    def must_not(self, dn: str, attributes: Sequence[str]) -> None:
        may = self.may(self.connection, dn, attributes)
        self.refused = self.refused or len(may) < len(attributes)
        if may:
            self.excess.append(
                f"The account of OpenPIM may write {', '.join(sorted(may))} of {dn}, which it has no use for."
            )

    def around(self, ours: Collection[str], people: str, member: str) -> None:
        """Groups that are not managed, the people, and what is above them."""
        groups = either(*(equals("objectClass", one) for one in GROUP_CLASSES))
        persons = either(*(equals("objectClass", one) for one in _PEOPLE))
        for above in dict.fromkeys(parent(one) for one in ours):
            for dn in self._some(above, Scope.ONE, groups):
                if known(dn) not in ours:
                    self.must_not(dn, [member])
            self.must_not(above, ["description"])
        if people:
            for dn in self._some(people, Scope.SUBTREE, persons)[:1]:
                self.must_not(dn, ["description"])

    def _some(self, base: str, scope: Scope, condition: bytes) -> list[str]:
        if not base:
            return []
        outcome = self.connection.ask(search(base, scope, condition, [], limit=_NEIGHBOURS))
        return [entry.dn for entry in outcome.entries]

    def probe(self, version: str) -> Probe:
        excess = self.excess if self.refused or not self.excess else [_EVERYTHING, *self.excess]
        return Probe(True, version, tuple(self.lacks), tuple(excess))


def probe_groups(groups: Groups, about: About, secret: Callable[[int], str]) -> Probe:
    """Raises TargetError."""
    connection, shape = groups.session.connection(), groups.shape
    told = isinstance(groups, ActiveDirectory)
    look = _Look(connection, _told(groups) if isinstance(groups, ActiveDirectory) else _tried(secret))
    held, unread = groups.members(connection)
    look.lacks += list(unread.values())
    needed = [shape.attribute, *([groups.fencing.attribute] if groups.fencing.attribute else [])]
    for group in list(held)[:_MOST]:
        look.needs(group, needed)
        look.must_not(group, ["gidNumber"] if shape.plain else ["description" if told else "seeAlso"])
    if shape.placeholder and connection.ask(search(shape.placeholder, Scope.BASE, ANY, [])).entries:
        look.excess.append(f"The placeholder {shape.placeholder} is an entry: choose a DN that no entry has.")
    look.around(groups.managed, groups.people.base, shape.attribute)
    account = known(groups.session.where.account)
    look.excess += [
        f"The account of OpenPIM is itself a member of {group}."
        for group, values in held.items()
        if any(known(raw) == account for raw in values)
    ]
    if isinstance(groups, ActiveDirectory) and groups.links_end and LINK_TTL not in about.controls:
        look.lacks.append(
            "The setting ttl_links is on, but the directory has no members that end: the optional feature Privileged Access "
            "Management of the forest is not on, and Samba does not have it. Set ttl_links to off."
        )
    return look.probe(_version(about, groups.session.where.security, groups.fencing.attribute))


def probe_activations(activations: Activations, about: About, secret: Callable[[int], str]) -> Probe:
    """Raises TargetError."""
    look = _Look(activations.session.connection(), _tried(secret))
    if not any(below(activations.base, known(one)) for one in about.dynamic):
        look.lacks.append(
            f"The directory keeps no dynamic entries below {activations.base}: set up its overlay dds."
        )
    try:
        activations.read()
    except TargetError as error:
        if error.fault is not Fault.REFUSED:
            raise
        look.lacks.append(error.message)
    attribute = activations.fencing.attribute
    look.needs(activations.base, [attribute] if attribute else [])
    look.must_not(activations.base, ["seeAlso"])
    look.around((activations.base,), activations.people.base, "member")
    return look.probe(_version(about, activations.session.where.security, attribute))


def _tried(secret: Callable[[int], str]) -> May:
    def may(connection: Connection, dn: str, attributes: Sequence[str]) -> frozenset[str]:
        nobody = f"cn=openpim-looks-{secret(9)}"
        requests = [
            modify(dn, [(Change.DELETE, one, [value]), (Change.ADD, one, [value])])
            for one in attributes
            for value in [str(_NOBODYS) if one in _NUMBERS else nobody]
        ]
        outcomes = connection.exchange(requests)
        return frozenset(
            one
            for one, outcome in zip(attributes, outcomes, strict=True)
            if outcome.code in {Code.NO_SUCH_ATTRIBUTE, Code.OBJECT_CLASS_VIOLATION}
        )

    return may


_NUMBERS = frozenset({"gidNumber"})
_NOBODYS = 2_147_483_000


def _told(groups: ActiveDirectory) -> May:
    def may(connection: Connection, dn: str, attributes: Sequence[str]) -> frozenset[str]:
        rights = groups.rights(connection, dn)
        return frozenset(one for one in attributes if one.lower() in rights)

    return may


def _version(about: About, security: str, fence: str) -> str:
    said = [about.version, {"ldaps": "TLS", "starttls": "TLS by StartTLS", "plain": "no TLS"}[security]]
    if fence:
        said.append("conditional changes" if about.asserts else "no conditional changes (RFC 4528)")
    return ", ".join(said)
