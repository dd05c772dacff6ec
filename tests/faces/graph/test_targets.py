"""Targets through Graph: set up, mapped, seen to take effect, and a credential for who has it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx

from openpim.ports.connector import Probe
from tests.connectors.twin import TwinConnector
from tests.faces.graph.client import ORIGIN, Graph
from tests.services.groups import give_group
from tests.world import TEAMS, World, ok

PATH = "/beta/openPim/targets"


def made(graph: Graph, **more: object) -> dict[str, object]:
    body = {
        "kind": "twin",
        "displayName": "Payroll",
        "settings": {"host": "payroll"},
        "secrets": {"password": "s3cret"},
        "managed": ["payroll_admin"],
        "subject": "{localPart}",
    }
    return done(graph.post(PATH, graph.world.ga, body | more), 201)


def done(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_target_from_the_first_setting_to_the_proved_end(graph: Graph) -> None:
    world = graph.world
    target = made(graph)
    path = f"{PATH}/{target['id']}"
    assert target["secretsSet"] == ["password"]
    assert "s3cret" not in str(target)
    mapping = {"provider": "directory", "roleDefinitionId": TEAMS, "entitlement": "payroll_admin"}
    done(graph.post(f"{path}/mappings", world.ga, mapping), 201)
    done(graph.post(f"{path}/mappings", world.ga, mapping), 400)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    planned = done(graph.post(f"{path}/plan", world.ga))
    assert [one["operation"] for one in planned["operations"]] == ["grant"]
    assert graph.rows("/beta/openPim/myEffects", world.ann) == []
    assert done(graph.post(f"{path}/apply", world.ga))["operations"] == 1
    (mine,) = graph.rows("/beta/openPim/myEffects", world.ann)
    assert mine["state"] == "effective"
    assert mine["target"] == "Payroll"
    assert graph.rows("/beta/openPim/myEffects", world.bob) == []
    shown = graph.ok(path, world.ga)
    assert shown["status"]["effects"]["effective"] == 1
    assert shown["mappings"][0]["roleDisplayName"] == "Teams Administrator"
    refused = graph.send("DELETE", path, world.ga)
    assert refused.status_code == 400
    assert "still have access" in refused.text
    world.forward(hours=1)
    done(graph.post(f"{path}/apply", world.ga))
    (mine,) = graph.rows("/beta/openPim/myEffects", world.ann)
    assert mine["state"] == "ended"
    graph.send("DELETE", path, world.ga)
    assert graph.rows(PATH, world.ga) == []


def test_what_is_wrong_is_said_where_it_is(graph: Graph) -> None:
    world = graph.world
    bad = (
        ({"kind": "nothing"}, "kind"),
        ({"displayName": " "}, "displayName"),
        ({"settings": {}}, "settings.host"),
        ({"settings": {"host": "x", "end": "maybe"}}, "settings.end"),
        ({"settings": {"host": "x", "unknown": "y"}}, "settings.unknown"),
        ({"secrets": {"unknown": "y"}}, "secrets.unknown"),
        ({"managed": ["ro\not"]}, "managed"),
        ({"managed": ["root"]}, "managed"),
        ({"subject": "everybody"}, "subject"),
        ({"subject": "{password}"}, "subject"),
    )
    for wrong, member in bad:
        body = {"kind": "twin", "displayName": "T", "settings": {"host": "h"}} | wrong
        answer = graph.send("POST", PATH, world.ga, body)
        assert answer.status_code == 400, (wrong, answer.text)
        assert member in answer.text, (wrong, answer.text)
    assert graph.rows(PATH, world.ga) == []


def test_an_entitlement_outside_the_declared_scope_is_refused(graph: Graph) -> None:
    world = graph.world
    path = f"{PATH}/{made(graph)['id']}"
    mapping = {"provider": "directory", "roleDefinitionId": TEAMS, "entitlement": "superuser"}
    answer = graph.send("POST", f"{path}/mappings", world.ga, mapping)
    assert answer.status_code == 400
    assert "manages" in answer.text
    done(graph.post(f"{path}/mappings", world.ga, mapping | {"entitlement": "payroll_admin"}), 201)
    answer = graph.send("PATCH", path, world.ga, {"managed": ["other"]})
    assert answer.status_code == 400
    assert "still gives" in answer.text


def test_a_secret_is_not_sent_to_another_place(graph: Graph) -> None:
    world = graph.world
    path = f"{PATH}/{made(graph)['id']}"
    moved = graph.send("PATCH", path, world.ga, {"settings": {"host": "elsewhere"}})
    assert moved.status_code == 400
    assert "Give the secret again" in moved.text
    done(graph.patch(path, world.ga, {"displayName": "Wages"}))
    done(graph.patch(path, world.ga, {"settings": {"host": "elsewhere"}, "secrets": {"password": "n3w"}}))
    history = [event for event in world.events() if event.activity == "Update target"]
    assert len(history) == 2
    assert "n3w" not in str(history)


def test_another_tenant_sees_nothing(graph: Graph) -> None:
    world = graph.world
    target = made(graph)
    other = World(world.database)
    abroad = Graph(other)
    assert abroad.rows(PATH, other.ga) == []
    for method, rest in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/apply"),
        ("POST", "/credentials"),
    ):
        answer = abroad.send(
            method, f"{PATH}/{target['id']}{rest}", other.ga, {} if method != "GET" else None
        )
        assert answer.status_code == 404, (method, rest, answer.text)


def test_where_it_leads_what_one_may_activate(graph: Graph) -> None:
    """Told before anything is active, and to nobody else; through groups too; not of a target that is out of use."""
    world = graph.world
    target = made(graph, managed=["payroll_admin", "auditor"])
    path = f"{PATH}/{target['id']}"
    group = world.group("payroll")
    for mapping in (
        {"provider": "directory", "roleDefinitionId": TEAMS, "entitlement": "payroll_admin"},
        {"provider": "group", "roleDefinitionId": "member", "scopeId": group, "entitlement": "auditor"},
    ):
        done(graph.post(f"{path}/mappings", world.ga, mapping), 201)
    ways = "/beta/openPim/myTargets"
    assert graph.rows(ways, world.ann) == []
    world.eligible(world.ann)
    (way,) = graph.rows(ways, world.ann)
    assert (way["target"], way["kind"], way["entitlement"]) == ("Payroll", "twin", "payroll_admin")
    assert (way["provider"], way["roleDefinitionId"], way["scope"]) == ("directory", TEAMS, "/")
    assert (way["roleDisplayName"], way["state"]) == ("Teams Administrator", "eligible")
    assert graph.rows(ways, world.bob) == []
    inner = world.group("inner")
    world.write(lambda tx: tx.groups.add_member(group, tx.principals.get(inner)))
    give_group(world, inner, world.bob, "member")
    (way,) = graph.rows(ways, world.bob)
    assert (way["provider"], way["roleDefinitionId"], way["scope"]) == ("group", "member", inner)
    assert (way["entitlement"], way["scopeDisplayName"]) == ("auditor", "inner")
    done(graph.send("PATCH", path, world.ga, {"isEnabled": False}))
    assert graph.rows(ways, world.ann) == graph.rows(ways, world.bob) == []


def test_a_target_that_does_not_answer_holds_up_nobody_else(graph: Graph, monkeypatch: Any) -> None:
    """However many ask it at once: sign-ins and activations have threads that it cannot take."""
    path, gate, asked = f"{PATH}/{made(graph)['id']}", threading.Event(), list[int]()

    def silent(_connector: TwinConnector) -> Probe:
        asked.append(1)
        gate.wait(60)
        return Probe(reachable=True)

    monkeypatch.setattr(TwinConnector, "probe", silent)
    whose = graph.headers(graph.world.ga)

    async def story() -> None:
        transport = httpx.ASGITransport(graph.client.app)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=whose) as client:
            batch = {
                "requests": [{"id": "1", "method": "POST", "url": path.removeprefix("/beta/") + "/probe"}]
            }
            slow = [asyncio.create_task(client.post(f"{path}/probe")) for _ in range(10)]
            slow += [asyncio.create_task(client.post("/beta/$batch", json=batch)) for _ in range(10)]
            while not asked:  # noqa: ASYNC110 - it is appended to in another thread
                await asyncio.sleep(0.01)
            answer = await asyncio.wait_for(client.get("/beta/me"), 20)
            assert answer.status_code == 200
            gate.set()
            assert {one.status_code for one in await asyncio.gather(*slow)} == {200}

    asyncio.run(story())
    assert len(asked) == 20
