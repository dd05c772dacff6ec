"""Membership of groups in a real OpenLDAP: rights by its own rules, live sessions, what others do, and what is not shown."""

from __future__ import annotations

import threading

import pytest

from openpim.connectors.ldap.kinds import KIND
from openpim.connectors.ldap.session import About
from openpim.core.connecting import Edge, Snapshot
from openpim.ports.connector import Fault, TargetError
from tests.connectors.contract import done, fence, grants, names, opened, revokes
from tests.connectors.ldap.conftest import AUDITORS, NOBODY, PAYROLL, TREASURERS, GroupsRig
from tests.connectors.ldap.person import Person
from tests.connectors.ldap.slapd import GROUPS, MANAGER, MANAGERS, PEOPLE, SALARIES, SUFFIX

FEBRUARY = f"cn=February,{SALARIES}"


def _edge(person: str, group: str = PAYROLL) -> Edge:
    return Edge(person, group)


def test_members_may_and_others_may_not_with_a_session_that_stays_open_too(slapd, groups):
    live = Person(slapd.port, slapd.authority, groups.dn("alice"), "of-alice")
    with opened(groups) as connector:
        assert not slapd.writes("alice", "February")
        assert not live.writes(FEBRUARY)
        done(connector, grants(_edge("alice")))
        assert slapd.writes("alice", "February")
        assert live.writes(FEBRUARY)
        assert not slapd.writes("bob", "February")
        done(connector, revokes(_edge("alice")))
        assert not live.writes(FEBRUARY)
        assert not slapd.writes("alice", "February")
    live.close()


def test_what_was_given_stays_when_the_directory_dies_and_is_taken_when_it_is_back(slapd, groups):
    with opened(groups) as connector:
        done(connector, grants(_edge("alice")))
        slapd.kill()
        with pytest.raises(TargetError):
            connector.apply(revokes(_edge("alice")), fence())
        slapd.start()
        assert slapd.writes("alice", "February")
        done(connector, revokes(_edge("alice")))
        assert not slapd.writes("alice", "February")


def test_the_last_member_leaves_somebody_who_is_nobody(slapd, groups):
    """Somebody made the group with a member and no placeholder."""
    slapd.change(f"dn: {PAYROLL}\nchangetype: modify\nreplace: member\nmember: {groups.dn('carol')}\n")
    with opened(groups) as connector:
        assert connector.read().edges == {_edge("carol")}
        done(connector, revokes(_edge("carol")))
        assert connector.read() == Snapshot()
    assert slapd.values(PAYROLL, "member") == {NOBODY}
    assert MANAGER not in slapd.values(PAYROLL, "member")


def test_the_placeholder_is_given_nothing_and_never_taken(slapd):
    rig = GroupsRig(slapd, people_base="")
    with opened(rig) as connector:
        (receipt,) = connector.apply(grants(_edge(NOBODY)), fence())
        assert not receipt.ok
        connector.apply(revokes(_edge(NOBODY)), fence())
    assert slapd.values(PAYROLL, "member") == {NOBODY}


def test_one_group_that_is_gone_or_not_shown_stops_no_other_and_proves_nothing(slapd, groups):
    gone = f"cn=gone,{GROUPS}"
    rule = f'olcAccess: {{0}}to dn.exact="{AUDITORS}" attrs=member by dn.exact="{groups.dn("bob")}" none by * break'
    where = "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\n"
    slapd.configure(f"{where}add: olcAccess\n{rule}\n")
    try:
        with opened(groups) as connector:
            done(connector, grants(_edge("alice", AUDITORS), _edge("alice")))
        rig = GroupsRig(slapd, user=groups.dn("bob"))
        with opened_as(rig, "of-bob", (PAYROLL, AUDITORS, gone)) as connector:
            snapshot = connector.read()
            assert snapshot.edges == {_edge("alice")}
            assert set(snapshot.unread) == {AUDITORS, gone}
            assert all(error for error in snapshot.unread.values())
            assert len(connector.probe().lacks) >= 2
    finally:
        slapd.configure(f"{where}delete: olcAccess\nolcAccess: {{0}}\n")
    with opened_as(groups, "", (gone, PAYROLL)) as connector:
        receipts = connector.apply([*revokes(_edge("alice")), *grants(_edge("bob", gone))], fence())
        assert [receipt.ok for receipt in receipts] == [True, False]
        assert "not there" in receipts[1].error


def opened_as(rig, password, managed):
    class As:
        kind = rig.kind

        def open(self):
            more = {"secrets": {"password": password}} if password else {}
            return rig.open(managed, **more)

    return opened(As())


def test_a_right_that_is_missing_is_told_for_every_one(slapd, groups):
    """The group is not managed by the directory's rules, though by our settings."""
    with opened_as(groups, "", (TREASURERS, PAYROLL)) as connector:
        ops = [*grants(_edge("alice", TREASURERS), _edge("bob", TREASURERS), _edge("alice"))]
        receipts = connector.apply(ops, fence())
        assert [receipt.ok for receipt in receipts] == [False, False, True]
        assert "may not change member" in receipts[0].error
        assert any("may not write member" in one for one in connector.probe().lacks)
    assert slapd.values(TREASURERS, "member") == {NOBODY}


def test_who_is_two_people_or_none_gets_nothing(slapd, groups):
    slapd.add(f"dn: ou=guests,{PEOPLE}\nobjectClass: organizationalUnit\nou: guests\n")
    slapd.person("dora")
    slapd.person("dora", f"ou=guests,{PEOPLE}")
    slapd.add(f"dn: cn=Two,{PEOPLE}\nobjectClass: inetOrgPerson\ncn: Two\nsn: Two\nuid: erin\nuid: frank\n")
    with opened(groups) as connector:
        for name in (
            "dora",
            "erin",
            "frank",
            "nobody-like-that",
            "*",
            "a*",
            "al*ce",
            "alice)(uid=*",
            "\\61lice",
        ):
            try:
                edge = _edge(KIND.check_subject(name))
            except ValueError:
                continue
            (receipt,) = connector.apply(grants(edge), fence())
            assert receipt.error, name
        assert connector.read().edges == frozenset()
    assert slapd.values(PAYROLL, "member") == {NOBODY}


@pytest.mark.parametrize("twin", ["\uff47ina", "GINA", "gina  "])
def test_two_whom_the_directory_takes_for_one_are_nobody_alone_and_among_others(slapd, groups, twin):
    slapd.person("gina")
    slapd.add(f"dn: cn=Twin,{PEOPLE}\nobjectClass: inetOrgPerson\ncn: Twin\nsn: Twin\nuid: {twin}\n")
    try:
        with opened(groups) as connector:
            for others in ([], ["alice", "bob"]):
                receipts = connector.apply(grants(_edge("gina"), *map(_edge, others)), fence())
                assert [receipt.ok for receipt in receipts] == [False] + [True] * len(others)
            assert names(connector) == {_edge(one).name for one in ("alice", "bob")}
    finally:
        for dn in (f"cn=Twin,{PEOPLE}", f"uid=gina,{PEOPLE}"):
            slapd.change(f"dn: {dn}\nchangetype: delete\n")


def test_a_name_with_all_that_dns_and_filters_mean_something_by_is_one_name(slapd, groups):
    uid = 'o,br+i"e\\n;<x>#(*)'
    dn = f"uid=o\\,br\\+i\\22e\\5cn\\3b\\3cx\\3e#(*),{PEOPLE}"
    slapd.add(f"dn: {dn}\nobjectClass: inetOrgPerson\ncn: x\nsn: x\nuid: {uid}\n")
    edge = _edge(KIND.check_subject(uid.upper()))
    with opened(groups) as connector:
        done(connector, grants(edge))
        assert connector.read().edges == {edge}
        assert connector.read().edges == {edge}
        done(connector, revokes(edge))
        assert connector.read().edges == frozenset()
    by_dn = GroupsRig(slapd, people_base="")
    pattern = f"UID={{localPart}}, {PEOPLE}"
    edge = _edge(KIND.check_subject(pattern.replace("{localPart}", KIND.written(pattern, uid))))
    with opened(by_dn) as connector:
        done(connector, grants(edge))
        assert connector.read().edges == {edge}
        done(connector, revokes(edge))
        assert connector.read().edges == frozenset()


def test_people_outside_the_base_are_nobody_here_and_are_seen_all_the_same(slapd, groups):
    strange = f"cn=openpim,ou=services,{SUFFIX}"
    slapd.change(f"dn: {PAYROLL}\nchangetype: modify\nadd: member\nmember: {strange}\n")
    with opened(groups) as connector:
        (edge,) = connector.read().edges
        assert edge == _edge(strange)
        assert any("itself a member" in one for one in connector.probe().excess)
        done(connector, revokes(edge))
        assert connector.read().edges == frozenset()


def test_the_manager_is_told_to_be_too_much(slapd, groups):
    rig = GroupsRig(slapd, user=MANAGER)

    def all_of_it() -> list[set[str]]:
        several = ("member", "description", "seeAlso")
        return [slapd.values(dn, one) for dn in (PAYROLL, TREASURERS, PEOPLE, FEBRUARY) for one in several]

    before = all_of_it()
    with opened_as(rig, MANAGERS, rig.managed) as connector:
        probe = connector.probe()
    assert probe.fit
    assert "manager (rootdn)" in probe.excess[0]
    assert any(TREASURERS in one for one in probe.excess)
    assert all_of_it() == before
    with opened(groups) as connector:
        assert connector.probe().excess == ()


def test_groups_of_other_classes(slapd):
    for name, membership, attribute, first in (
        ("unique", "groupOfUniqueNames", "uniqueMember", f"uniqueMember: {NOBODY}\n"),
        ("posix", "posixGroup", "memberUid", "gidNumber: 4711\n"),
    ):
        group = f"cn={name},{GROUPS}"
        slapd.add(f"dn: {group}\nobjectClass: {membership}\ncn: {name}\n{first}")
        rig = GroupsRig(slapd, user=MANAGER, membership=membership)
        assert KIND.check_settings(rig.settings) == {}
        with opened_as(rig, MANAGERS, (group,)) as connector:
            assert connector.read() == Snapshot()
            for _ in range(2):
                done(connector, grants(_edge("alice", group), _edge("bob", group)))
            assert connector.read().edges == {_edge("alice", group), _edge("bob", group)}
            written = slapd.values(group, attribute) - {NOBODY}
            assert written == ({"alice", "bob"} if name == "posix" else {rig.dn("alice"), rig.dn("bob")})
            for _ in range(2):
                done(connector, revokes(_edge("alice", group), _edge("bob", group)))
            assert connector.read() == Snapshot()


def test_a_group_is_nobody(slapd):
    """Who is called like one would share with all who are in it."""
    inner = f"cn=inner,{GROUPS}"
    slapd.add(
        f"dn: {inner}\nobjectClass: groupOfNames\nobjectClass: uidObject\nuid: inner\ncn: inner\nmember: {NOBODY}\n"
    )
    for rig, name in (
        (GroupsRig(slapd, people_base=SUFFIX), "inner"),
        (GroupsRig(slapd, people_base=""), inner),
    ):
        with opened(rig) as connector:
            (receipt,) = connector.apply(grants(_edge(name)), fence())
            assert "group" in receipt.error
    slapd.change(f"dn: {PAYROLL}\nchangetype: modify\nadd: member\nmember: {inner}\n")
    with opened(GroupsRig(slapd, people_base=SUFFIX)) as connector:
        assert connector.read().edges == {_edge(inner)}
    slapd.change(f"dn: {inner}\nchangetype: delete\n")


def test_what_is_hidden_in_a_group_that_may_be_empty_is_not_taken_for_empty(slapd, groups):
    group = f"cn=hidden,{GROUPS}"
    slapd.add(f"dn: {group}\nobjectClass: posixGroup\ncn: hidden\ngidNumber: 4712\nmemberUid: alice\n")
    where = "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\n"
    rule = f'olcAccess: {{0}}to dn.exact="{group}" attrs=memberUid by * none'
    rig = GroupsRig(slapd, membership="posixGroup")
    with opened_as(rig, "", (group,)) as connector:
        assert connector.read() == Snapshot(frozenset({_edge("alice", group)}))
        slapd.configure(f"{where}add: olcAccess\n{rule}\n")
        try:
            assert set(connector.read().unread) == {group}
        finally:
            slapd.configure(f"{where}delete: olcAccess\nolcAccess: {{0}}\n")
        slapd.change(f"dn: {group}\nchangetype: modify\ndelete: memberUid\n")
        assert connector.read() == Snapshot()


def test_thousands_at_once_with_a_few_that_are_wrong(slapd):
    """By DN; one in a hundred is nobody, and some were there already."""
    rig = GroupsRig(slapd, people_base="")
    people = [f"uid=many{number},{PEOPLE}" for number in range(300)]
    slapd.add(
        "\n".join(
            f"dn: {dn}\nobjectClass: account\nuid: many{number}\n"
            for number, dn in enumerate(people)
            if number % 100 != 50
        )
    )
    slapd.change(
        f"dn: {PAYROLL}\nchangetype: modify\nadd: member\nmember: {people[7]}\nmember: {people[8]}\n"
    )
    edges = [_edge(dn) for dn in people]
    with opened(rig) as connector:
        receipts = connector.apply(grants(*edges), fence())
        assert [place for place, receipt in enumerate(receipts) if not receipt.ok] == [50, 150, 250]
        assert len(names(connector)) == 297
        slapd.change(f"dn: {PAYROLL}\nchangetype: modify\ndelete: member\nmember: {people[9]}\n")
        done(connector, revokes(*edges))
        assert names(connector) == set()


def test_two_who_write_at_once_lose_nothing(slapd, groups):
    """Both with the same lease, as one that was thought dead: whatever the order, each value is there in the end."""
    slapd.add("\n".join(f"dn: uid=both{n},{PEOPLE}\nobjectClass: account\nuid: both{n}\n" for n in range(40)))
    errors: list[str] = []

    def write(numbers: range) -> None:
        with opened(groups) as connector:
            for n in numbers:
                errors.extend(r.error for r in connector.apply(grants(_edge(f"both{n}")), fence()) if r.error)

    threads = [threading.Thread(target=write, args=(range(first, 40, 2),)) for first in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(slapd.values(PAYROLL, "member")) == 41


@pytest.mark.parametrize("asserts", [True, False])
@pytest.mark.parametrize("first", [True, False])
def test_who_is_overtaken_between_its_look_and_its_change_changes_nothing(
    slapd, groups, monkeypatch, asserts, first
):
    """With conditions (RFC 4528) and, for directories that do not know them, without; on a group that was never written too."""
    monkeypatch.setattr(About, "asserts", asserts)
    with opened(groups) as late, opened(groups) as later:
        if not first:
            done(late, grants(_edge("carol")), epoch=7)
        check = late.fencing.check
        overtaking = iter([True])

        def overtaken(*given):
            check(*given)
            if next(overtaking, False):
                done(later, grants(_edge("bob")), epoch=8)

        monkeypatch.setattr(late.fencing, "check", overtaken)
        for ops in (grants(_edge("alice")), revokes(_edge("bob"))):
            with pytest.raises(TargetError) as caught:
                late.apply(ops, fence(7))
            assert caught.value.fault is Fault.FENCED
        assert names(later) == {_edge(one).name for one in (("bob",) if first else ("bob", "carol"))}


def test_without_an_attribute_to_keep_it_in_there_is_no_fence(slapd):
    rig = GroupsRig(slapd, fence_attribute="none")
    with opened(rig) as connector:
        done(connector, grants(_edge("alice")), epoch=7)
        done(connector, revokes(_edge("alice")), epoch=6)
    assert slapd.values(PAYROLL, "description") == set()


def test_what_others_wrote_beside_the_fence_stays(slapd, groups):
    slapd.change(f"dn: {PAYROLL}\nchangetype: modify\nadd: description\ndescription: Pays wages\n")
    with opened(groups) as connector:
        done(connector, grants(_edge("alice")), epoch=7)
        done(connector, grants(_edge("bob")), epoch=8)
        done(connector, revokes(_edge("bob")), epoch=8)
    (mine,) = slapd.values(PAYROLL, "description") - {"Pays wages"}
    assert mine.endswith(" epoch 8")


def test_a_wrong_password_is_a_refusal_without_the_password(slapd, groups):
    with opened_as(groups, "tell-nobody", (PAYROLL,)) as connector:
        with pytest.raises(TargetError) as caught:
            connector.read()
        assert caught.value.fault is Fault.REFUSED
        assert "tell-nobody" not in caught.value.message
