"""What `pim ssh` offers to activate when nothing that is active gives access: one thing, one of several, or nothing."""

from __future__ import annotations

from argparse import ArgumentParser
from types import SimpleNamespace

import pytest

from openpim.cli.commands import ssh
from openpim.client.errors import GraphError, PimError

TEAMS = {
    "kind": "ssh", "target": "Hosts", "targetId": "t1", "provider": "directory", "roleDefinitionId": "r1",
    "roleDisplayName": "Teams Administrator", "scope": "/", "scopeDisplayName": "Contoso",
}  # fmt: skip
TEAM = TEAMS | {"provider": "group", "roleDefinitionId": "member", "roleDisplayName": "Member", "scope": "g1",
                "scopeDisplayName": "sg-admins"}  # fmt: skip
OWNER = TEAMS | {"provider": "resource", "roleDefinitionId": "o", "roleDisplayName": "Owner", "scope": "/subscriptions/1",
                 "scopeDisplayName": "prod", "target": "Others", "targetId": "t2"}  # fmt: skip
DATABASE = TEAMS | {"kind": "postgresql", "roleDisplayName": "Another"}


class Asked:
    """A context whose person gives these answers."""

    def __init__(self, rows, *answers, interactive=True):
        self.rows, self.answers, self.interactive = rows, list(answers), interactive
        self.graph = SimpleNamespace(rows=lambda _path: self._rows())
        self.asked = []

    def _rows(self):
        if isinstance(self.rows, Exception):
            raise self.rows
        return self.rows

    def ask(self, question):
        self.asked.append(question)
        return self.answers.pop(0)

    def confirm(self, question):
        return self.ask(question) == "y"


def way(context, *words):
    parser = ArgumentParser()
    ssh.configure(parser)
    return ssh._way(parser.parse_args(words), context, PimError("missing", "nothing", "hint"))


def refused(context, *words):
    with pytest.raises(PimError) as caught:
        way(context, *words)
    assert not context.answers, "everything that could be asked was"
    return caught.value


def test_the_only_one_is_activated_when_the_person_agrees():
    context = Asked([TEAMS, TEAMS, DATABASE], "y")
    assert way(context, "db1") == TEAMS
    assert context.asked == ["Teams Administrator gives access to Hosts. Activate it?"]
    assert refused(Asked([TEAMS], "n"), "db1").message == "nothing"


def test_nobody_is_asked_who_gave_a_reason_or_is_not_there():
    for words in (("-j", "full disk"), ("-t", "A:1"), ("-d", "1h")):
        assert way(Asked([TEAMS], interactive=False), *words, "db1") == TEAMS
    told = refused(Asked([TEAMS], interactive=False), "db1")
    assert (told.kind, told.hint) == (
        "missing",
        "activate what gives it: pim ssh -a 'Teams Administrator' db1",
    )


def test_one_of_several_is_chosen(capsys):
    rows = [TEAMS, TEAM, OWNER]
    assert way(Asked(rows, "2"), "-j", "x", "db1") == TEAMS
    assert capsys.readouterr().err.splitlines() == [
        "1  Owner@prod, for Others", "2  Teams Administrator, for Hosts", "3  sg-admins, for Hosts",
    ]  # fmt: skip
    for wrong in ("0", "4", "x", "", "²"):
        assert refused(Asked(rows, wrong), "db1").message == "nothing"
    told = refused(Asked(rows, interactive=False), "-j", "x", "db1")
    assert (told.kind, "Owner@prod, Teams Administrator, sg-admins" in told.message) == ("ambiguous", True)
    assert way(Asked(rows, "y"), "--target", "others", "db1") == OWNER


@pytest.mark.parametrize(
    "rows", [[], [DATABASE], GraphError("missing", "no such path", "", 404, "notFound", ())]
)
def test_nothing_is_offered(rows):
    assert refused(Asked(rows), "-j", "x", "db1").message == "nothing"


def test_what_is_activated_is_named_beyond_doubt(monkeypatch):
    given = []
    monkeypatch.setattr(ssh, "_activate", lambda words, _args, _context: given.append(words))
    for row in (TEAMS, TEAM, TEAM | {"roleDefinitionId": "owner"}, OWNER):
        answers = iter((PimError("missing", "nothing", ""), []))
        monkeypatch.setattr(ssh, "_held", lambda *_words, answers=answers, **_more: raised(next(answers)))
        parser = ArgumentParser()
        ssh.configure(parser)
        assert ssh._held_or_offered(parser.parse_args(["-j", "x", "db1"]), Asked([row])) == []
    assert given == [
        ["r1", "--scope", "/"], ["g1:member"], ["g1:owner"], ["o", "--scope", "/subscriptions/1"],
    ]  # fmt: skip


def raised(one):
    if isinstance(one, Exception):
        raise one
    return one


def test_two_of_one_name_are_two():
    same = TEAM | {"scope": "g2"}
    assert refused(Asked([TEAM, same], interactive=False), "db1", "-j", "why").kind == "ambiguous"
    assert way(Asked([TEAM, same], "2"), "db1") == same
