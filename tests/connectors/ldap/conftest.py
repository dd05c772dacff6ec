"""One real OpenLDAP, and one Samba, for all tests of this folder that a process runs, set up as docs/how-to/connect-ldap.md says, and their
groups empty again after each test. Skipped where there is none; where CI=true that fails, unless the machine allows no
namespaces, which Samba needs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from openpim.connectors.ldap.kinds import ACTIVATIONS_KIND, DOMAIN_KIND, KIND
from openpim.core.connecting import Edge
from openpim.ports.connector import Connector
from tests.conftest import CI, _run_folder
from tests.connectors.ldap import samba as ad
from tests.connectors.ldap.slapd import ACCOUNT, ACTIVATIONS, GROUPS, PASSWORD, PEOPLE, Slapd, missing
from tests.connectors.opening import opening

PAYROLL, AUDITORS, TREASURERS = (
    f"cn={name},{GROUPS}" for name in ("payroll-admins", "auditors", "treasurers")
)
NOBODY = "cn=nobody,ou=openpim"
KEYS = {"alice": "00000000-0000-4000-8000-00000000000a", "bob": "00000000-0000-4000-8000-00000000000b"}


class _Rig:
    """See tests/connectors/contract.py."""

    ours_alone = False
    people = ("alice", "bob")

    def __init__(self, slapd: Slapd, **settings: str) -> None:
        self.slapd = slapd
        self.settings = {
            "host": "localhost",
            "port": str(slapd.port),
            "ca": slapd.authority,
            "user": ACCOUNT,
            "people_base": PEOPLE,
        } | settings

    def open(self, managed: tuple[str, ...] = (), **more: Any) -> Connector:
        settings = self.settings | {name: more.pop(name) for name in tuple(more) if name in _names(self.kind)}
        secrets = more.pop("secrets", {"password": PASSWORD})
        return self.kind.open(opening(self.kind, managed or self.managed, settings, secrets, **more))

    def down(self) -> None:
        self.slapd.kill()

    def up(self) -> None:
        self.slapd.start()


class GroupsRig(_Rig):
    kind = KIND
    managed = (PAYROLL, AUDITORS)
    unmanaged = TREASURERS

    def edge(self, person: str, entitlement: str, until: datetime | None) -> Edge:
        """A directory knows no end of a member."""
        return Edge(person, entitlement, None)

    def give(self, person: str, entitlement: str) -> None:
        self.slapd.change(f"dn: {entitlement}\nchangetype: modify\nadd: member\nmember: {self.dn(person)}\n")

    def has(self, person: str, entitlement: str) -> bool:
        return self.dn(person) in self.slapd.values(entitlement, "member")

    def dn(self, person: str) -> str:
        return f"uid={person},{PEOPLE}"


class ActivationsRig(_Rig):
    kind = ACTIVATIONS_KIND
    managed = ("payroll-admins", "auditors")
    unmanaged = "treasurers"

    def __init__(self, slapd: Slapd, **settings: str) -> None:
        super().__init__(slapd, activations_base=ACTIVATIONS, **settings)

    def edge(self, person: str, entitlement: str, until: datetime | None) -> Edge:
        return Edge(person, entitlement, until, KEYS.get(person, KEYS["alice"]))

    def give(self, person: str, entitlement: str) -> None:
        self.slapd.add(
            f"dn: cn={person} by hand,{ACTIVATIONS}\nobjectClass: groupOfNames\ncn: {person} by hand\n"
            f"member: uid={person},{PEOPLE}\nbusinessCategory: {entitlement}\n"
        )

    def has(self, person: str, entitlement: str) -> bool:
        condition = f"(&(businessCategory={entitlement})(member=uid={person},{PEOPLE}))"
        return bool(self.slapd.below(ACTIVATIONS, condition))


class DomainRig:
    """The same, of a domain controller."""

    kind = DOMAIN_KIND
    managed = tuple(f"CN={name},{ad.GROUPS}".lower() for name in ("Payroll Admins", "Auditors"))
    unmanaged = f"CN=Treasurers,{ad.GROUPS}".lower()
    people = ("alice@example.org", "bob@example.org")
    ours_alone = False

    def __init__(self, samba: ad.Samba, **settings: str) -> None:
        self.samba = samba
        self.settings = {
            "host": "localhost",
            "port": str(samba.port),
            "ca": samba.authority,
            "user": ad.ACCOUNT,
            "people_base": ad.DOMAIN,
            "fence_attribute": "adminDescription",
        } | settings

    def open(self, managed: tuple[str, ...] = (), **more: Any) -> Connector:
        settings = self.settings | {name: more.pop(name) for name in tuple(more) if name in _names(self.kind)}
        secrets = more.pop("secrets", {"password": ad.PASSWORD})
        return self.kind.open(opening(self.kind, managed or self.managed, settings, secrets, **more))

    def edge(self, person: str, entitlement: str, until: datetime | None) -> Edge:
        return Edge(person, entitlement, None)

    def give(self, person: str, entitlement: str) -> None:
        change = f"dn: {entitlement}\nchangetype: modify\nadd: member\nmember: {self.dn(person)}\n"
        self.samba.ldap("ldapmodify", input=change)

    def has(self, person: str, entitlement: str) -> bool:
        return self.dn(person) in self.samba.values(entitlement, "member")

    def dn(self, person: str) -> str:
        return f"CN={person.partition('@')[0]},{ad.STAFF}"

    def down(self) -> None:
        self.samba.kill()

    def up(self) -> None:
        self.samba.start()


def _names(kind: Any) -> set[str]:
    return {one.name for one in kind.settings}


@pytest.fixture(scope="session")
def directory() -> Iterator[Slapd]:
    problem = missing()
    if problem is not None:
        (pytest.fail if CI else pytest.skip)(problem)
    slapd = Slapd()
    try:
        slapd.start()
        slapd.set_up()
        yield slapd
    finally:
        slapd.remove()


@pytest.fixture
def slapd(directory: Slapd) -> Iterator[Slapd]:
    yield directory
    for group in (PAYROLL, AUDITORS, TREASURERS):
        directory.change(
            f"dn: {group}\nchangetype: modify\nreplace: member\nmember: {NOBODY}\n-\nreplace: description\n"
        )
    for entry in directory.below(ACTIVATIONS):
        directory.change(f"dn: {entry}\nchangetype: delete\n")
    directory.change(f"dn: {ACTIVATIONS}\nchangetype: modify\nreplace: description\n")


@pytest.fixture
def groups(slapd: Slapd) -> GroupsRig:
    return GroupsRig(slapd)


@pytest.fixture
def activations(slapd: Slapd) -> ActivationsRig:
    return ActivationsRig(slapd)


@pytest.fixture(scope="session")
def controller() -> Iterator[ad.Samba]:
    if problem := ad.missing():
        (pytest.fail if CI else pytest.skip)(problem)
    if problem := ad.forbidden():
        pytest.skip(problem)
    samba = ad.Samba.copy(_run_folder() / "samba")
    try:
        samba.start()
        yield samba
    finally:
        samba.remove()


@pytest.fixture
def domain(controller: ad.Samba) -> Iterator[DomainRig]:
    yield DomainRig(controller)
    for group in (*DomainRig.managed, DomainRig.unmanaged):
        controller.ldap(
            "ldapmodify",
            input=f"dn: {group}\nchangetype: modify\nreplace: member\n-\nreplace: adminDescription\n",
        )
