"""Activations on a Linux host, end to end in one process; and who may speak for a host."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from openpim.agent.configuration import Fleet
from openpim.core.connecting import Edge, EffectState, Op, OpKind
from openpim.core.grants import Provider
from openpim.core.refusals import Code, Refusal
from openpim.ports.connector import Fence
from openpim.services.connecting import acting, agents, manage
from openpim.services.connecting.checking import Desired
from openpim.services.connecting.opening import opened
from openpim.services.connecting.reconcile import Held, look
from tests.connectors.linux.rig import LinuxRig
from tests.connectors.opening import real_clock
from tests.connectors.ssh.test_authority import ED25519
from tests.world import TEAMS, World, ok

FAR = "00000000-0000-4000-8000-0000000000ff"


@pytest.fixture
def database_kind():
    """SQLite: what is tested here is between the host and the server."""
    return "sqlite"


@pytest.fixture
def rig(database_url, tmp_path):
    world = World(database_url, start=real_clock())
    made = LinuxRig(world, tmp_path / "host")
    yield made
    made.close()
    world.close()


class Story:
    def __init__(self, rig):
        self.rig, self.world, self.held = rig, rig.world, Held()
        ga = rig.world.caller(rig.world.ga)
        for what in rig.managed:
            ok(manage.add_rule(rig.deps, ga, rig.target.id, Provider.DIRECTORY, TEAMS, "/", what))
        rig.world.write(lambda tx: tx.targets.put_subject(rig.target.id, rig.world.ann, "ann"))

    def look(self):
        looked = look(self.rig.deps, self.held, self.world.tenant_id, self.rig.target.id, now_in_full=True)
        assert looked is not None
        return looked

    def states(self):
        found = self.world.read(lambda tx: tx.effects.of_target(self.rig.target.id, over=True))
        return {one.edge.entitlement: one.state for one in found}

    def until(self, state):
        for _ in range(200):
            self.look()
            if set(self.states().values()) == {state}:
                return
            time.sleep(0.05)
        raise AssertionError(self.states())


def test_an_activation_on_a_host(rig):
    story, world, host = Story(rig), rig.world, rig.host
    world.at(real_clock())
    world.eligible(world.ann)
    assert not host.has("ann", "sudo:payroll")
    world.at(real_clock())
    ok(world.activate(world.ann, hours=1))
    began = time.monotonic()
    story.until(EffectState.EFFECTIVE)
    assert time.monotonic() - began < 5
    assert host.has("ann", "sudo:payroll")
    assert host.has("ann", "group:docker")
    assert ok(acting.probe(rig.deps, world.caller(world.ga), rig.target.id)).probe.excess == (
        "group:adm is allowed on the host, and not managed here",
    )
    world.at(real_clock() + timedelta(minutes=6))
    world.disable(world.ann)
    story.until(EffectState.ENDED)
    assert not host.has("ann", "sudo:payroll")
    assert not host.has("ann", "group:docker")


def test_the_end_comes_while_the_server_is_away(rig):
    story, world, host = Story(rig), rig.world, rig.host
    world.at(real_clock())
    world.eligible(world.ann)
    world.at(real_clock())
    ok(world.activate(world.ann, minutes=5))
    # As if it were to end in a moment: what the server says to the host is all that counts there.
    story.until(EffectState.EFFECTIVE)
    ends = real_clock() + timedelta(seconds=1.5)
    rig.say_that_all_ends(ends)
    for _ in range(100):
        if rig.agent._lease.grants and all(one.until == ends for one in rig.agent._lease.grants):
            break
        time.sleep(0.02)
    rig.link.broken = True
    assert host.has("ann", "sudo:payroll")
    for _ in range(200):
        if not host.has("ann", "sudo:payroll") and not host.has("ann", "group:docker"):
            break
        time.sleep(0.02)
    assert -0.5 < (real_clock() - ends).total_seconds() < 1


def test_a_silent_host_is_away_and_nothing_is_proved(rig):
    story, world = Story(rig), rig.world
    world.at(real_clock())
    world.eligible(world.ann)
    rig.down()
    world.at(real_clock())
    ok(world.activate(world.ann, hours=1))
    assert "silent" in story.look().fault
    assert set(story.states().values()) <= {EffectState.PENDING}
    rig.up()
    story.until(EffectState.EFFECTIVE)


# ---------------------------------------------------------------- hosts that take certificates


def soon(what):
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < 5
        time.sleep(0.02)


def test_a_certificate_that_was_revoked_is_on_the_host_s_list_a_moment_later(rig, tmp_path):
    ga, tenant = rig.world.caller(rig.world.ga), rig.world.tenant_id
    fleet = ok(manage.create(rig.deps, ga, "ssh", Desired(name="fleet", managed=("role:x",)))).target
    folder = tmp_path / "sshd"
    rig.fleet = Fleet(fleet.id, str(folder), 0)
    rig.look()
    soon((folder / ".fetched").exists)
    connector = opened(rig.deps, tenant, fleet)
    assert (folder / "ca.pub").read_bytes() == connector.publish("ca.pub", {}).body
    fence = Fence(1, real_clock() + timedelta(minutes=1))
    edge = Edge("ann@example.com", "role:x", real_clock() + timedelta(hours=1), "s")
    connector.apply([Op(OpKind.GRANT, edge)], fence)
    serial = int(connector.issue(edge, {"publicKey": ED25519}, fence)["serial"]).to_bytes(8, "big")
    connector.apply([Op(OpKind.REVOKE, edge)], fence)
    soon(lambda: serial in (folder / "krl").read_bytes())


def test_only_a_host_is_told_and_only_what_everybody_may_have(rig):
    ga = rig.world.caller(rig.world.ga)
    fleet = ok(manage.create(rig.deps, ga, "ssh", Desired(name="fleet", managed=("role:x",)))).target
    asked = {"target": fleet.id, "mark": ""}
    assert "ssh" not in ask(rig, credential="x", ssh=asked).json()
    told = ask(rig, credential=rig.credential, ssh=asked).json()["ssh"]
    assert set(told) == {"mark", "keys", "krl"}
    assert "PRIVATE" not in str(told)
    same = {"target": fleet.id, "mark": told["mark"]}
    assert ask(rig, credential=rig.credential, ssh=same).json()["ssh"] in ({"mark": told["mark"]}, told)
    for wrong in (7, {}, {"target": fleet.id}, {"target": "x", "mark": ""}, {"target": FAR, "mark": ""},
                  {"target": rig.target.id, "mark": ""}, {"target": [], "mark": {}}):  # fmt: skip
        answer = ask(rig, credential=rig.credential, ssh=wrong)
        assert answer.status_code == 200
        assert "ssh" not in answer.json()


# ---------------------------------------------------------------- who speaks for a host


def ask(rig, what="sync", credential="", target=None, tenant=None, **body):
    path = f"/targets/{tenant or rig.world.tenant_id}/{target or rig.target.id}/agent/{what}"
    return rig.client.post(
        path, json={"nonce": "n", **body}, headers={"Authorization": f"Bearer {credential}".encode()}
    )


def test_a_token_works_once_and_for_its_target_and_for_an_hour(rig):
    ga = rig.world.caller(rig.world.ga)
    secret = ok(agents.allow(rig.deps, ga, rig.target.id)).token.rpartition(".")[2]
    other = ok(
        manage.create(rig.deps, ga, "linux", Desired(name="db2", subject="{localPart}", managed=rig.managed))
    )
    assert ask(rig, "enroll", target=other.target.id, token=secret, host="x").status_code == 401
    assert ask(rig, "enroll", token=secret[:-1], host="x").status_code == 401
    later = replace(rig.deps, clock=lambda: real_clock() + timedelta(hours=1))
    assert isinstance(agents.enrol(later, rig.world.tenant_id, rig.target.id, secret, "x"), Refusal)
    assert ask(rig, credential=rig.credential).status_code == 200, "the agent before it goes on until then"
    made = ask(rig, "enroll", token=secret, host="evil\r\nname")
    assert made.status_code == 200
    assert ask(rig, "enroll", token=secret, host="x").status_code == 401
    assert ask(rig, credential=rig.credential).status_code == 401
    assert ask(rig, credential=made.json()["credential"]).status_code == 200
    assert "\n" not in ok(agents.show(rig.deps, ga, rig.target.id)).host
    agents.withdraw(rig.deps, ga, rig.target.id)
    assert ask(rig, credential=made.json()["credential"]).status_code == 401


def test_guesses_neither_wait_for_the_one_writer_nor_hold_him(rig, monkeypatch):
    made = ok(agents.allow(rig.deps, rig.world.caller(rig.world.ga), rig.target.id))
    secret = made.token.rpartition(".")[2]
    with monkeypatch.context() as patch:
        patch.setattr(type(rig.deps.store), "write", None)
        for guess in ("", "x", secret[:-1], secret + "x"):
            refused = agents.enrol(rig.deps, rig.world.tenant_id, rig.target.id, guess, "stranger")
            assert isinstance(refused, Refusal)
    ok(agents.enrol(rig.deps, rig.world.tenant_id, rig.target.id, secret, "host"))


def test_one_host_s_secret_opens_nothing_else(rig):
    ga = rig.world.caller(rig.world.ga)
    other = ok(
        manage.create(rig.deps, ga, "linux", Desired(name="db2", subject="{localPart}", managed=rig.managed))
    )
    fleet = ok(manage.create(rig.deps, ga, "ssh", Desired(name="fleet", managed=("role:x",))))
    for target in (other.target.id, fleet.target.id, FAR, "x", "..", rig.target.id + "0"):
        assert ask(rig, credential=rig.credential, target=target).status_code in {400, 401, 404}
    assert ask(rig, credential=rig.credential, tenant=FAR).status_code == 401
    for credential in ("", "x", rig.credential[:-1], rig.credential + "0", "ü"):
        assert ask(rig, credential=credential).status_code == 401
    assert ask(rig, credential=rig.credential).status_code == 200
    assert ask(rig, "desired", credential=rig.credential).status_code == 404


def test_who_may_let_a_host_in(rig):
    world = rig.world
    for person in (world.ann, world.pra):
        outcome = agents.allow(rig.deps, world.caller(person), rig.target.id)
        assert isinstance(outcome, Refusal) is (person == world.ann)
    refused = agents.allow(rig.deps, world.caller(world.ann), rig.target.id)
    assert isinstance(refused, Refusal)
    assert refused.code is Code.FORBIDDEN
    assert isinstance(agents.withdraw(rig.deps, world.caller(world.ann), rig.target.id), Refusal)
    assert isinstance(agents.show(rig.deps, world.caller(world.ann), rig.target.id), Refusal)
    told = [event.activity for event in world.events() if "agent" in event.activity]
    assert told == ["Create agent enrolment", "Enrol agent", "Create agent enrolment"]


@pytest.mark.parametrize(
    "report",
    [
        1,
        "x",
        [],
        {},
        {"version": "1"},
        {"version": -1},
        {"version": 1, "edges": [["a", "b"]]},
        {"version": 1, "edges": [["a", "b", "c"]]},
        {"version": 1, "edges": [["a", "b", "2026-11-21T12:00:00"]]},
        {"version": 1, "edges": [[1, 2, None]]},
        {"version": 1, "edges": [["a" * 1000, "b", None]]},
        {"version": 1, "lingering": "ab"},
        {"version": 1, "errors": [["a", "b"]]},
        {"version": 1, "entitlements": [1]},
        {"version": 1, "clock": 7},
    ],
)
def test_reports_that_are_none(rig, report):
    rig.down()
    assert ask(rig, credential=rig.credential, report=report).status_code == 400


def test_bodies_that_are_none(rig):
    path = f"/targets/{rig.world.tenant_id}/{rig.target.id}/agent/sync"
    for body in (b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"wait": NaN}', b'{"wait": "x", "seen": {}}'):
        answer = rig.client.post(path, content=body, headers={"Authorization": f"Bearer {rig.credential}"})
        assert answer.status_code in {200, 400}
    assert rig.client.post(path, content=b" " * 2_000_001).status_code == 413


def test_a_lie_of_a_host_stays_on_that_host(rig):
    """It is root there anyway; what is not managed is not even read, and other hosts do not hear of it."""
    rig.down()
    edges = [["root", "group:adm", None], ["ann", "sudo:everything", None], ["x\ny", "group:docker", None]]
    report = {"version": 0, "edges": edges, "lingering": [], "errors": [], "entitlements": [], "clock": None}
    assert ask(rig, credential=rig.credential, report=report).status_code == 200
    connector = rig.open()
    assert {edge.name for edge in connector.read().edges} == {("x?y", "group:docker", "")}
    rig.up()


def test_a_question_waits_for_news_and_no_longer_than_asked(rig):
    rig.down()
    version = ask(rig, credential=rig.credential).json()["version"]
    began = time.monotonic()
    assert ask(rig, credential=rig.credential, seen=version, wait=0.4).json()["version"] == version
    assert 0.3 < time.monotonic() - began < 5
    began = time.monotonic()
    assert ask(rig, credential=rig.credential, seen=version + 1, wait=30).status_code == 200
    assert time.monotonic() - began < 5
    rig.up()
