"""One call for everything a person may activate: names, groups it comes through, demands, state, at a flat cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from openpim.core.grants import Action, Kind, Provider
from openpim.core.policy import Requirement
from openpim.core.resources import Resource, ResourceKind
from openpim.core.signin.scopes import GRAPH_DELEGATED
from tests.faces.graph.client import Graph, error, person
from tests.services.groups import GroupWorld, give_group
from tests.world import HELPDESK, TEAMS, ok

PATH = "/openPim/eligibilities"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
SUBSCRIPTION = "/subscriptions/11111111-1111-4111-8111-111111111111"


def prepared(graph: Graph) -> dict[str, str]:
    world = graph.world
    team = world.group("Team", [world.ann])
    admins = world.group("sg-admins", role_assignable=False)
    world.eligible(world.ann, TEAMS)
    world.eligible(team, HELPDESK, world.unit("Berlin"))
    give_group(world, admins, world.ann, "member")
    give_group(world, admins, team, "member")
    give_group(world, admins, world.ann, "owner")
    world.write(
        lambda tx: tx.resources.add(
            Resource(
                SUBSCRIPTION, SUBSCRIPTION, "/", ResourceKind.SUBSCRIPTION, "Microsoft.Resources/subscriptions",
                "11111111-1111-4111-8111-111111111111", "prod", world.now,
            )
        )
    )  # fmt: skip
    ask = world.ask(
        Action.ADMIN_ASSIGN, world.ann, OWNER, SUBSCRIPTION, kind=Kind.ELIGIBILITY, permanent=True
    )
    from dataclasses import replace

    ok(world.submit(replace(ask, provider=Provider.RESOURCE), world.system))
    return {"team": team, "admins": admins}


def test_all_providers_in_one_answer(graph: Graph) -> None:
    world = graph.world
    ids = prepared(graph)
    world.policy(HELPDESK, activation_requires=frozenset({Requirement.TICKETING}), context_enabled=True, context="c1")  # fmt: skip
    world.approval(world.bob, role=TEAMS)
    body = graph.ok(f"{PATH}?$count=true", world.ann)
    assert body["@odata.count"] == 5
    rows = body["value"]
    assert [(row["provider"], row["roleDisplayName"], row["scopeDisplayName"], row["memberType"]) for row in rows] == [
        ("directory", "Helpdesk Administrator", "Berlin", "Group"),
        ("group", "Member", "sg-admins", "Direct"),
        ("resource", "Owner", "prod", "Direct"),
        ("group", "Owner", "sg-admins", "Direct"),
        ("directory", "Teams Administrator", rows[4]["scopeDisplayName"], "Direct"),
    ]  # fmt: skip
    assert rows[0]["through"] == [{"id": ids["team"], "displayName": "Team"}]
    assert rows[1]["through"] == []
    assert rows[1]["scope"] == ids["admins"]
    assert rows[1]["eligibilityScheduleId"].startswith(f"{ids['admins']}_member_")
    assert rows[0]["policy"] == {
        "maximumDuration": "PT8H", "isMultiFactorAuthenticationRequired": False, "isJustificationRequired": False,
        "isTicketRequired": True, "isApprovalRequired": False, "authenticationContext": "c1",
    }  # fmt: skip
    assert rows[4]["policy"]["isApprovalRequired"] is True
    assert rows[4]["policy"]["isJustificationRequired"] is True
    assert {row["state"] for row in rows} == {"eligible"}


def test_state(graph: Graph) -> None:
    world = graph.world
    ids = prepared(graph)
    world.approval(world.bob, role=TEAMS)
    waiting = ok(world.activate(world.ann, TEAMS))
    GroupWorld(world).activate(ids["admins"], world.ann)

    def states() -> dict[str, str]:
        return {
            f"{row['provider']} {row['roleDisplayName']}": row["state"] for row in graph.rows(PATH, world.ann)
        }

    assert states()["directory Teams Administrator"] == "waiting"
    assert states()["group Member"] == "active"
    assert states()["group Owner"] == "eligible"
    rows = graph.rows(f"{PATH}?$filter=state eq 'waiting'&$select=roleDisplayName,requests", world.ann)
    assert [row["requests"][0]["id"] for row in rows] == [waiting.id]
    rows = graph.rows(f"{PATH}?$filter=provider eq 'group' and state eq 'active'", world.ann)
    assert [row["assignments"][0]["assignmentType"] for row in rows] == ["Activated"]
    world.forward(hours=9)
    assert states()["group Member"] == "eligible"
    ok(world.cancel(waiting, world.ann))
    later = world.now.replace(hour=23)
    ok(world.review(ok(world.activate(world.ann, TEAMS, start=later)), world.bob))
    assert states()["directory Teams Administrator"] == "scheduled"


def test_who_sees_what(graph: Graph) -> None:
    world = graph.world
    prepared(graph)
    assert graph.rows(PATH, world.bob) == []
    groups = person(world.ann, scopes=frozenset(x for x in GRAPH_DELEGATED if "AzureADGroup" in x))
    assert {row["provider"] for row in graph.rows(PATH, groups)} == {"group"}
    error(graph.get(PATH, graph.app(world.app("Robot"), "RoleManagement.Read.Directory")), 400, "BadRequest")
    error(graph.get(f"{PATH}?$orderby=state", world.ann), 400, "BadRequest")
    error(graph.get(f"{PATH}?$filter=colour eq 'red'", world.ann), 400, "BadRequest")
    error(graph.get(f"{PATH}?$select=colour", world.ann), 400, "BadRequest")
    first = graph.ok(f"{PATH}?$top=2", world.ann)
    rest = graph.client.get(first["@odata.nextLink"], headers=graph.headers(world.ann)).json()
    assert [len(first["value"]), len(rest["value"])] == [2, 2]


@contextmanager
def counted(graph: Graph) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    engine = graph.world.database.reading_engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_cost_is_flat(graph: Graph) -> None:
    world = graph.world
    prepared(graph)
    with counted(graph) as few:
        assert len(graph.rows(PATH, world.ann)) == 5
    for number in range(40):
        give_group(world, world.group(f"Group {number:02}", role_assignable=False), world.ann, "member")
    with counted(graph) as many:
        assert len(graph.rows(PATH, world.ann)) == 45
    assert len(many) == len(few)
