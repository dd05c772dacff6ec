"""Figures that Prometheus reads, for whoever may; and health that says what is wrong."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from openpim.core import metrics
from openpim.core.refusals import Code
from openpim.core.streams import StreamKind
from openpim.faces import monitoring
from openpim.faces.shared.metering import Metering
from openpim.keyfile import read_or_make_token
from openpim.ports.store import StoreUnavailableError
from openpim.services.connecting import manage as targets
from openpim.services.connecting.checking import Desired
from openpim.services.monitoring import MOST_STREAMS, REFRESH, STALE, Counters, Monitor, gauges
from openpim.services.streams import manage
from tests.plans import look, noted
from tests.services.conftest import _shared, own_world, shared_database
from tests.world import APPROVE, HELPDESK, World, ok, refused

with warnings.catch_warnings():
    # Starlette would rather have httpx2; httpx does.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

__all__ = ["_shared", "own_world", "shared_database"]
TOKEN = "t" * 43


@pytest.fixture
def monitor(own_world: World) -> Iterator[Monitor]:
    counters = Counters()
    own_world.database.observers.append(lambda _tenant, events: counters.happened(events))
    yield Monitor(
        own_world.deps,
        counters,
        pools=own_world.database.pools,
        looks=lambda: {"recording": own_world.now},
        process=lambda: (1.5, 2e6),
    )
    own_world.database.observers.clear()


def read(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """What Prometheus' own parser makes of it. Every family must be in the table, with its kind and labels."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        name = family.name if family.name in metrics.BY_NAME else f"{family.name}_total"
        metric = metrics.BY_NAME[name]
        assert (family.type, family.documentation) == (metric.kind, metric.meaning)
        for sample in family.samples:
            labels = {one: value for one, value in sample.labels.items() if one != "le"}
            assert tuple(labels) == metric.labels
            key = tuple(sample.labels.values())
            found.setdefault(sample.name, {})[key] = sample.value
    return found


def client(text: Any, checks: Any = None, token: str | None = TOKEN) -> TestClient:
    return TestClient(Starlette(routes=monitoring.routes(text, checks or {}, token)))


# ---------------------------------------------------------------- figures


def test_the_life_of_a_grant_in_figures(own_world: World, monitor: Monitor) -> None:
    world = own_world
    for person in (world.ann, world.bob):
        world.eligible(person)
        world.eligible(person, HELPDESK)
    world.approval(world.cyd, role=HELPDESK)
    ok(world.activate(world.ann, hours=1))
    refused(world.activate(world.ann, hours=1), Code.ASSIGNMENT_EXISTS)
    first, second = (ok(world.activate(one, HELPDESK, hours=1)) for one in (world.ann, world.bob))
    before = read(monitor.text())
    assert before["openpim_requests_waiting"][("directory",)] == 2
    ok(world.review(first, world.cyd, APPROVE))
    world.forward(minutes=1)
    found = read(monitor.text())
    assert found["openpim_requests_waiting"][("directory",)] == 1
    assert found["openpim_activations_total"] == {("directory",): 2}
    assert found["openpim_refusals_total"] == {("directory", "assignment_exists"): 1}
    assert found["openpim_decisions_total"] == {("directory", "approved"): 1}
    assert found["openpim_grants_in_force"][("directory", "eligibility")] == 4
    assert found["openpim_grants_in_force"][("directory", "assignment")] == 3 + 2
    assert found["openpim_audit_log_waiting"][()] == len(world.events())
    size = world.grow()
    world.forward(minutes=1)
    assert read(monitor.text())["openpim_audit_log_events"][()] == size
    world.review(second, world.cyd)


def test_what_was_rolled_back_is_not_counted(own_world: World, monitor: Monitor) -> None:
    before = monitor.counters.values()

    def work(tx: Any) -> None:
        tx.audit.add(replace(own_world.events()[0], id=own_world.new_id()))
        raise KeyError

    with pytest.raises(KeyError):
        own_world.write(work)
    assert monitor.counters.values() == before


def test_a_stream_and_its_lag(own_world: World, monitor: Monitor) -> None:
    world = own_world
    wanted = manage.Wanted(
        "<Secret project> siem", "https://siem.example.com/?key=sesame", secret="Bearer sesame"
    )
    stream = ok(
        manage.create(world.deps, world.caller(world.ga), StreamKind.OTLP, wanted, from_beginning=True)
    ).stream
    size = world.grow()
    world.forward(hours=2)
    text = monitor.text()
    found = read(text)
    assert found["openpim_stream_lag_events"] == {(stream.id, "otlp"): size}
    assert found["openpim_stream_lag_seconds"][(stream.id, "otlp")] >= 7200
    assert found["openpim_stream_paused"] == {(stream.id, "otlp"): 0}
    for secret in ("sesame", "project", "example.com", world.tenant_id, world.ann):
        assert secret not in text
    assert MOST_STREAMS >= 1000


def test_effects_that_fail_are_seen(own_world: World, monitor: Monitor) -> None:
    world = own_world
    target, server = world.target()
    world.rule(target)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.work()
    assert read(monitor.text())["openpim_effects"] == {("effective",): 1}
    server.down = True
    world.forward(hours=1)
    world.work()
    found = read(monitor.text())
    assert found["openpim_effects_failing"][()] == 1
    assert found["openpim_targets_failing"][()] == 1


def test_what_has_ended_and_stays_in_a_paused_target_is_seen(own_world: World, monitor: Monitor) -> None:
    world = own_world
    target, server = world.target()
    world.rule(target)
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    admin = world.caller(world.ga)
    ok(targets.update(world.deps, admin, target, Desired(enabled=False)))
    assert read(monitor.text())["openpim_effects_failing"][()] == 0
    world.forward(hours=1)
    assert server.edges
    assert read(monitor.text())["openpim_effects_failing"][()] == 1
    ok(targets.update(world.deps, admin, target, Desired(enabled=True)))
    world.look(target)
    world.forward(minutes=1)
    assert not server.edges
    assert read(monitor.text())["openpim_effects_failing"][()] == 0


def test_what_was_taken_back_early_and_stays_in_a_paused_target_is_seen(
    own_world: World, monitor: Monitor
) -> None:
    world = own_world
    target, server = world.target()
    world.rule(target)
    for person in (world.ann, world.bob, world.cyd):
        world.eligible(person)
        ok(world.activate(person, hours=2))
    world.look(target)
    server.failures = ["refuse"]
    world.forward(minutes=6)
    ok(world.deactivate(world.cyd))
    world.look(target)
    assert read(monitor.text())["openpim_effects_failing"][()] == 1
    admin = world.caller(world.ga)
    ok(targets.update(world.deps, admin, target, Desired(enabled=False)))
    world.forward(minutes=1)
    assert read(monitor.text())["openpim_effects_failing"][()] == 1
    ok(world.deactivate(world.ann))
    world.disable(world.bob)
    world.forward(minutes=1)
    assert len(server.edges) == 3
    assert read(monitor.text())["openpim_effects_failing"][()] == 3
    world.forward(hours=3)
    assert read(monitor.text())["openpim_effects_failing"][()] == 3, "each once"


def test_no_person_and_no_tenant_is_in_the_figures(own_world: World, monitor: Monitor) -> None:
    world = own_world
    hostile = world.user('"} evil{x="1\n')
    world.eligible(hostile)
    ok(world.activate(hostile, hours=1))
    text = monitor.text()
    read(text)
    assert "evil" not in text
    labels = {name for metric in metrics.METRICS for name in metric.labels}
    assert labels <= {
        "version", "python", "face", "status", "category", "result", "provider", "code", "verdict", "kind", "stream",
        "pool", "state", "worker",
    }  # fmt: skip


def test_reading_often_costs_no_more(own_world: World, monitor: Monitor) -> None:
    monitor.text()
    with noted(own_world.database) as statements:
        for _ in range(20):
            monitor.text()
    assert statements == []
    own_world.forward(seconds=REFRESH.total_seconds())
    with noted(own_world.database) as statements:
        monitor.text()
    assert statements


def test_no_table_is_read_from_end_to_end(own_world: World) -> None:
    world = own_world
    for person in (world.ann, world.bob, world.cyd):
        world.eligible(person)
    ok(world.activate(world.ann, hours=1))
    world.grow()
    with noted(world.database) as statements:
        world.database.read("", lambda tx: gauges(tx, world.deps, world.now))
    big = {
        "schedules",
        "requests",
        "audit_events",
        "audit_log_entries",
        "outbox",
        "deliveries",
        "audit_checkpoints",
    }
    assert len(statements) > 8
    for statement, parameters in statements:
        seen = look(world.database, statement, parameters, big)
        assert seen.scan is None, f"{statement}\n{seen.plan}"


def test_the_database_is_away(own_world: World) -> None:
    class Away:
        def read(self, *_: Any) -> None:
            raise StoreUnavailableError

    deps = replace(own_world.deps, store=Away())  # type: ignore[arg-type]
    found = read(Monitor(deps, Counters()).text())
    assert "openpim_build_info" in found
    assert "openpim_grants_in_force" not in found


# ---------------------------------------------------------------- requests


def test_requests_by_face_and_status() -> None:
    counters = Counters()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        status = 404 if "missing" in scope["path"] else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    caller = TestClient(Metering(app, counters.answered))
    for path in ("/v1.0/me", "/v1.0/missing", "/portal/roles", "/anything/else", "/v1.0/me"):
        caller.get(path)
    found = read(metrics.exposition(counters.values(), counters.times()))
    assert found["openpim_requests_total"] == {
        ("graph", "200"): 2,
        ("graph", "404"): 1,
        ("portal", "200"): 1,
        ("sign-in", "200"): 1,
    }
    assert found["openpim_request_seconds_count"][("graph",)] == 3
    assert found["openpim_request_seconds_bucket"][("graph", "+Inf")] == 3


def test_a_histogram_is_cumulative() -> None:
    counters = Counters()
    for seconds in (0.001, 0.005, 0.02, 3, 100):
        counters.answered("graph", 200, seconds)
    found = read(metrics.exposition(counters.values(), counters.times()))
    buckets = {key[1]: count for key, count in found["openpim_request_seconds_bucket"].items()}
    assert (buckets["0.005"], buckets["0.025"], buckets["5.0"] if "5.0" in buckets else buckets["5"]) == (
        2,
        3,
        4,
    )
    assert buckets["+Inf"] == 5
    assert found["openpim_request_seconds_sum"][("graph",)] == pytest.approx(103.026)


# ---------------------------------------------------------------- who may read them


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Basic {TOKEN}", 401),
        (TOKEN, 401),
        ("Bearer é", 401),
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN}", 200),
    ],
)
def test_only_who_knows_the_token_reads_them(sent: str | None, status: int) -> None:
    headers = {} if sent is None else {"Authorization": sent.encode("utf-8")}
    answer = client(lambda: "x 1\n").get("/metrics", headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert "x 1" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_a_token_nobody_reads_them() -> None:
    for sent in ("Bearer ", "Bearer x", "Bearer"):
        assert (
            client(lambda: "x 1\n", token="").get("/metrics", headers={"Authorization": sent}).status_code
            == 401
        )


def test_the_listener_of_its_own_asks_for_nothing() -> None:
    answer = TestClient(monitoring.application(lambda: "x 1\n", {})).get("/metrics")
    assert (answer.status_code, answer.text) == (200, "x 1\n")
    assert answer.headers["Content-Type"] == metrics.CONTENT_TYPE


def test_the_token_file_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "data" / "metrics-token"
    token = read_or_make_token(path, lambda size: "a" * (size + 11))
    assert token == "a" * 43 == read_or_make_token(path, lambda size: "b" * 43)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    if os.name == "posix":
        path.chmod(0o644)
        with pytest.raises(ValueError, match="chmod 600"):
            read_or_make_token(path, lambda size: "b" * 43)
        path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(ValueError, match="token file"):
        read_or_make_token(path, lambda size: "b" * 43)


# ---------------------------------------------------------------- health


def test_health_asks_nothing() -> None:
    def away() -> str:
        raise AssertionError

    answer = client(away, {"database": away}).get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_says_what_is_wrong() -> None:
    faults = {"database": "", "migrations": "", "workers": ""}
    asked = {name: (lambda name=name: faults[name]) for name in faults}
    page = client(lambda: "", asked)
    assert page.get("/readyz").json() == {"status": "ok", "checks": dict.fromkeys(faults, "ok")}
    faults["workers"] = "recording is late"
    answer = page.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "recording is late"
    faults["database"] = "the database cannot be reached"
    assert page.get("/readyz").json()["checks"] == {"database": "the database cannot be reached"}


def test_a_worker_that_no_longer_looks_is_late(own_world: World) -> None:
    looks = {"recording": own_world.now, "streams": own_world.now, "audit-log": None}
    monitor = Monitor(own_world.deps, Counters(), looks=lambda: looks)
    assert monitor.stale(("recording", "audit-log")) == []
    own_world.forward(seconds=(STALE + timedelta(seconds=1)).total_seconds())
    assert monitor.stale(("recording", "audit-log")) == ["recording", "audit-log"]
    looks["recording"] = own_world.now
    assert monitor.stale(("recording", "other")) == []
