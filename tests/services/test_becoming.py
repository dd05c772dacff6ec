"""What somebody can become, page by page: only a page's own roles get the names of their places, and no page shows it."""

from __future__ import annotations

import pytest

from openpim.core.grants import Kind, Provider, Schedule
from openpim.core.lifecycle import ScheduleStatus
from openpim.core.refusals import Refusal
from openpim.services import becoming
from openpim.services.becoming import Becoming
from tests.world import HELPDESK, READER, TEAMS, World

GONE = "0dead000-0000-4000-8000-000000000001"  # a role that nobody knows any more


def eligibility(world: World, provider: Provider, role: str, scope: str) -> Schedule:
    return Schedule(
        id=world.new_id(),
        kind=Kind.ELIGIBILITY,
        provider=provider,
        principal_id=world.ann,
        role_id=role,
        scope=scope,
        starts_at=world.now,
        ends_at=None,
        status=ScheduleStatus.PROVISIONED,
        assignment_type=None,
        created_at=world.now,
    )


def look(world: World, page: int) -> Becoming:
    found = becoming.of_principal(world.deps, world.caller(world.pra), world.ann, eligible=page, active=page)
    assert not isinstance(found, Refusal)
    return found


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("length", [1, 2, 3, 4, 7])
def test_the_pages_are_the_whole_in_pieces(
    world: World, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """Roles that fill a part of a page, or several; of the directory, of groups and of one that is gone."""
    units = [world.unit(f"Unit {name}") for name in "CAB"]
    directory = ((TEAMS, units[:1]), (HELPDESK, units[:2]), (READER, units), (GONE, units[:2]))
    given = [(Provider.DIRECTORY, role, scope) for role, scopes in directory for scope in scopes]
    given += [(Provider.GROUP, "member", world.group(name)) for name in ("Watch", "Crew")]
    world.write(lambda tx: [tx.schedules.add(eligibility(world, *one)) for one in given])
    whole = look(world, 1)
    names = [(one.role_name, one.scope_name) for one in whole.eligible.rights]
    assert [name for name, _ in names[:2]] == [GONE, GONE], "without a name first"
    assert len(names) == 10
    assert names[2:] == sorted(names[2:], key=lambda one: (one[0].casefold(), one[1].casefold()))
    monkeypatch.setattr(becoming, "RIGHTS", length)
    pages = [look(world, 1 + number).eligible for number in range(-(-10 // length))]
    assert [one for page in pages for one in page.rights] == list(whole.eligible.rights)
    assert look(world, 99).eligible == pages[-1]
