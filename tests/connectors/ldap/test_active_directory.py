"""Groups of a real Samba as a domain controller: rights given by them, what open sessions keep, and news of changes."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from openpim.connectors.ldap.active_directory import _ending
from openpim.connectors.ldap.kinds import DOMAIN_KIND
from openpim.connectors.ldap.messages import ANY, Scope, search
from openpim.core.connecting import Edge
from openpim.ports.connector import Watching
from tests.connectors.contract import done, grants, opened, revokes
from tests.connectors.ldap import samba as ad
from tests.connectors.ldap.person import Person

pytestmark = pytest.mark.slow
ALICE = "alice@example.org"


def test_members_may_by_a_new_sign_in_and_who_is_signed_in_keeps_what_he_has(domain):
    """This is why an end has a residue."""
    payroll, target = domain.managed[0], f"CN=carol,{ad.STAFF}"
    edge = Edge(ALICE, payroll)

    def live() -> Person:
        return Person(domain.samba.port, domain.samba.authority, ALICE, "Of-alice-1")

    with opened(domain) as connector:
        before = live()
        assert not before.writes(target)
        done(connector, grants(edge))
        during = live()
        assert during.writes(target)
        assert not before.writes(target), "it began before the grant"
        done(connector, revokes(edge))
        after = live()
        assert not after.writes(target)
        assert during.writes(target), "nothing takes a group out of a session: see Severed.residue_until"
        (severed,) = connector.sever([edge], [], None)
        assert severed.residue_until is not None
        assert severed.residue_until > datetime.now(UTC) + timedelta(hours=9)
    for person in (before, during, after):
        person.close()
    capabilities = DOMAIN_KIND.capabilities(domain.settings)
    assert (capabilities.grant_live, capabilities.revoke_live) == ("next_token", "session_keeps")
    assert capabilities.worst_case_after_revoke == timedelta(hours=10)


def test_a_change_of_others_is_told_at_once(domain):
    with opened(domain) as connector:
        assert isinstance(connector, Watching)
        changed, stop = threading.Event(), threading.Event()
        watching = threading.Thread(target=connector.watch, args=(changed.set, stop))
        watching.start()
        try:
            for _ in range(20):  # the first may come before the directory has understood the question
                domain.give(ALICE, domain.managed[1])
                if changed.wait(0.5):
                    break
                connector.apply(revokes(Edge(ALICE, domain.managed[1])), _fence())
            assert changed.is_set()
        finally:
            stop.set()
            watching.join(10)
        assert not watching.is_alive()


def _fence():
    from tests.connectors.contract import fence

    return fence()


def test_members_come_in_portions(domain):
    people = [f"CN=many{number},{ad.STAFF}" for number in range(25)]
    domain.samba.ldap(
        "ldapmodify",
        "-a",
        input="\n".join(f"dn: {dn}\nobjectClass: contact\n" for dn in people),
    )
    group = domain.managed[0]
    change = "".join(f"member: {dn}\n" for dn in people)
    domain.samba.ldap("ldapmodify", input=f"dn: {group}\nchangetype: modify\nadd: member\n{change}")
    with opened(domain) as connector:
        connection = connector.session.connection()
        outcome = connection.ask(search(group, Scope.BASE, ANY, ["member;range=0-9"]))
        assert any(name.startswith("member;range=0-") for name in outcome.entries[0].values)
        assert set(connector.values(connection, group, outcome.entries[0])) == set(people)
        assert {edge.subject for edge in connector.read().edges} == {dn.lower() for dn in people}


def test_a_forest_without_links_that_end_is_told_so(domain):
    with opened(domain) as connector:
        assert connector.probe().excess == ()
    settings = domain.settings | {"ttl_links": "on"}
    assert DOMAIN_KIND.capabilities(settings).native_end == "new_logins"
    domain.settings = settings
    with opened(domain) as connector:
        assert any("ttl_links" in one for one in connector.probe().lacks)


def test_an_administrator_is_told_to_be_too_much(domain):
    domain.settings = domain.settings | {"user": ad.ADMINISTRATOR}
    connector = domain.open(secrets={"password": ad.ADMINISTRATORS})
    probe = connector.probe()
    connector.close()
    assert probe.fit
    assert "administrator" in probe.excess[0]


def test_links_that_end_are_written_and_read_with_their_end(domain):
    """As the documents say; no forest that has them is here."""
    now = datetime.now(UTC)
    written = _ending(f"CN=alice,{ad.STAFF}", now + timedelta(seconds=59.5), now)
    assert written == f"<TTL=60,CN=alice,{ad.STAFF}>"
    connector = domain.open()
    dn, until = connector._with_end(written)
    connector.close()
    assert dn == f"CN=alice,{ad.STAFF}"
    assert until is not None
    assert abs(until - now) < timedelta(seconds=65)
