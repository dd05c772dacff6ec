"""A target of kind linux as the server has it, and an agent in a thread that keeps a host in a folder, over the real face."""

from __future__ import annotations

import asyncio
import secrets
import threading
from dataclasses import replace
from datetime import timedelta

import httpx
from starlette.applications import Starlette

from openpim.agent.clock import Clock
from openpim.agent.link import LinkError
from openpim.agent.lists import Lists
from openpim.agent.running import Agent
from openpim.connectors import KINDS
from openpim.connectors.linux import KIND
from openpim.core.connecting import Edge
from openpim.core.hosts import DESIRED, REPORT, desired_text, read_desired, read_report, report_text
from openpim.faces import targets
from openpim.services.connecting import agents, manage
from openpim.services.connecting.checking import Desired
from openpim.services.connecting.memory import memory_of
from openpim.services.connecting.opening import opened
from tests.agent.host import FakeHost
from tests.connectors.opening import real_clock
from tests.world import ok


class Face:
    """An application in this process, on a loop of its own."""

    def __init__(self, routes):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        transport = httpx.ASGITransport(app=Starlette(routes=routes))
        self.client = httpx.AsyncClient(transport=transport, base_url="https://localhost")

    def post(self, path, **more):
        return asyncio.run_coroutine_threadsafe(self.client.post(path, **more), self.loop).result(60)

    def get(self, path, **more):
        return asyncio.run_coroutine_threadsafe(self.client.get(path, **more), self.loop).result(60)

    def close(self):
        asyncio.run_coroutine_threadsafe(self.client.aclose(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


class FaceLink:
    """To the face in this process. broken: every question fails."""

    def __init__(self, client, tenant, target):
        self._client, self._path, self.broken = client, f"/targets/{tenant}/{target}/agent/", False

    def ask(self, what, body, credential, seconds):
        """As it would be over the network."""
        if self.broken:
            raise LinkError("the network is away")
        headers = {"Authorization": f"Bearer {credential}"}
        answer = self._client.post(self._path + what, json={**body, "nonce": "n"}, headers=headers)
        if answer.status_code != 200:
            raise LinkError(answer.text, answer.status_code)
        assert answer.json()["nonce"] == "n"
        return answer.json()


class LinuxRig:
    kind = KIND
    managed = ("group:docker", "sudo:payroll")
    unmanaged = "group:adm"
    people = ("ann", "bob")
    ours_alone = False

    def __init__(self, world, folder):
        self.world, self.settings = world, {"lease_minutes": "30"}
        self.deps = replace(world.deps, clock=real_clock, connectors=KINDS, secret=secrets.token_urlsafe)
        self.host = FakeHost(folder)
        desired = Desired(name="db1", subject="{localPart}", managed=self.managed, settings=self.settings)
        made = ok(manage.create(self.deps, world.caller(world.ga), "linux", desired))
        self.target = made.target
        self.client = Face(targets.routes(self.deps))
        self.link = FaceLink(self.client, world.tenant_id, self.target.id)
        allowed = ok(agents.allow(self.deps, world.caller(world.ga), self.target.id))
        secret = allowed.token.rpartition(".")[2]
        self.credential = self.link.ask("enroll", {"token": secret, "host": "db1"}, "", 5)["credential"]
        self.agent = self.fleet = None
        self.up()

    def close(self):
        self._stop()
        self.client.close()

    def open(self):
        return opened(self.deps, self.world.tenant_id, self.target)

    def edge(self, person, entitlement, until):
        return Edge(person, entitlement, until)

    def give(self, person, entitlement):
        self.host.give(person, entitlement.partition(":")[2])
        self.look()

    def has(self, person, entitlement):
        return self.host.has(person, entitlement)

    def say_that_all_ends(self, ends):
        """Everything that the host has ends then, it is told."""
        memory = memory_of(self.deps, self.world.tenant_id, self.target.id)
        before = read_desired(memory.load(DESIRED))
        after = replace(before, version=before.version + 1, edges=dict.fromkeys(before.edges, ends))
        memory.save(DESIRED, desired_text(after))

    def look(self):
        """Have the agent look at its host, and report, now."""
        self._stop()
        self.up()

    def up(self):
        clock, reported = Clock(), threading.Event()
        self.agent = Agent(
            self.host.configuration, self.host.enforcer(clock), self.link, self.credential, clock
        )
        self.agent.lists = Lists(self.fleet, clock) if self.fleet is not None else None
        ask = self.link.ask

        def once(what, body, *words):
            answer = ask(what, {**body, "wait": min(body["wait"], 0.3)}, *words)
            reported.set()
            return answer

        self.agent.link = type("Told", (), {"ask": staticmethod(once)})()
        self.thread = threading.Thread(target=self.agent.run, daemon=True)
        self.thread.start()
        assert reported.wait(20)

    def _stop(self):
        self.agent.stop()
        self.thread.join(40)
        assert not self.thread.is_alive()

    def down(self):
        self._stop()
        memory = memory_of(self.deps, self.world.tenant_id, self.target.id)
        report = read_report(memory.load(REPORT))
        memory.save(REPORT, report_text(replace(report, at=report.at - timedelta(minutes=5))))
