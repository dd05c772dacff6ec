"""`openPim/auditEvents` and `openPim/auditLog`: all that an event tells, and everything that is needed to prove it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from openpim.proof.history import History
from openpim.proof.merkle import consistent, included, leaf_hash
from openpim.proof.note import Checkpoint, Key, opened
from tests.faces.graph.client import Graph, error
from tests.world import World, ok

LOG = "/openPim/auditLog"


@pytest.fixture
def world(graph: Graph) -> World:
    return graph.world


@pytest.fixture
def signed(world: World, graph: Graph) -> Graph:
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    assert world.sign() is not None
    world.forward(minutes=30)
    ok(world.deactivate(world.ann))
    assert world.sign() is not None
    return graph


def test_an_event_tells_everything(world: World, signed: Graph) -> None:
    path = "/openPim/auditEvents?$filter=activity eq 'Add member to role completed (PIM activation)'"
    (row,) = signed.rows(path, world.ga)
    assert row["actor"] == {
        "id": world.ann, "kind": "user", "displayName": "someone", "userPrincipalName": None, "appId": None,
    }  # fmt: skip
    assert row["authenticationMethods"] == ["mfa", "pwd"]
    assert row["policyVersion"] == "1"
    assert row["onBehalfOf"] is None
    assert {one["kind"] for one in row["targets"]} == {"Role", "Request", "User", "Directory"}
    one = signed.ok(f"/openPim/auditEvents/{row['id']}", world.ga)
    assert one["provedByCheckpoint"] == 0
    assert one["position"] == row["position"]


def test_words_are_searched(world: World, signed: Graph) -> None:
    rows = signed.rows('/openPim/auditEvents?$search="because" "activation"&$top=1', world.ga)
    assert [row["reason"] for row in rows] == ["because"]
    body = signed.ok("/openPim/auditEvents?$search=role&$top=2", world.ga)
    more = signed.ok(body["@odata.nextLink"], world.ga)
    assert not {row["id"] for row in body["value"]} & {row["id"] for row in more["value"]}
    assert signed.rows("/openPim/auditEvents?$search=nonsense", world.ga) == []
    for bad in ('"a:b"', "a OR b", "NOT a"):
        answer = signed.get(f"/openPim/auditEvents?$search={bad}", world.ga)
        assert answer.status_code in {200, 400}
    error(signed.get("/openPim/auditEvents?$search=a&$count=true", world.ga), 400, "BadRequest")
    error(signed.get("/openPim/auditEvents?$search=a&$orderby=id", world.ga), 400, "BadRequest")


def test_everybody_sees_his_own(world: World, signed: Graph) -> None:
    rows = signed.rows("/openPim/auditEvents?$top=999", world.ann)
    assert rows
    assert all(world.ann in {row["actor"]["id"], *(one["id"] for one in row["targets"])} for row in rows)
    (foreign, *_) = [row for row in signed.rows("/openPim/auditEvents?$top=999", world.ga) if row not in rows]
    assert signed.get(f"/openPim/auditEvents/{foreign['id']}", world.ann).status_code == 404


def test_an_event_is_proved(world: World, signed: Graph) -> None:
    log = signed.ok(LOG, world.bob)
    key = Key.parse(log["keys"][0]["verifierKey"])
    text, _ = opened(log["latestCheckpoint"]["note"], [key])
    root = Checkpoint.parse(text).root
    for row in signed.rows("/openPim/auditEvents?$top=999", world.ga):
        if row["position"] is None or row["position"] >= log["latestCheckpoint"]["size"]:
            continue
        proof = signed.ok(f"{LOG}/inclusionProof?eventId={row['id']}", world.ga)
        hashes = [base64.b64decode(one) for one in proof["hashes"]]
        leaf = leaf_hash(proof["leaf"].encode())
        assert included(leaf, proof["position"], proof["size"], hashes, root)
        assert row["id"] in proof["leaf"]


def test_growth_is_proved(world: World, signed: Graph) -> None:
    new, old = signed.rows(f"{LOG}/checkpoints", world.bob)
    assert (new["number"], old["number"]) == (1, 0)
    assert signed.ok(f"{LOG}/checkpoints/latest", world.bob)["number"] == 1
    proof = signed.ok(f"{LOG}/consistencyProof?first={old['size']}&second={new['size']}", world.bob)
    hashes = [base64.b64decode(one) for one in proof["hashes"]]
    roots = [base64.b64decode(one["rootHash"]) for one in (old, new)]
    assert consistent(old["size"], roots[0], new["size"], roots[1], hashes)


def test_all_lines_prove_the_history(world: World, signed: Graph) -> None:
    history = History()
    at: str | None = ""
    while at is not None:
        answer = signed.get(f"{LOG}/lines?at={at}", world.ga)
        assert answer.status_code == 200
        history.feed(answer.content.split(b"\n"))
        at = answer.headers.get("openpim-next")
    assert history.finish() == []
    assert history.size == world.read(lambda tx: tx.audit_log.size())


@pytest.mark.parametrize("path", ["/lines", "/inclusionProof?eventId={event}"])
def test_who_may_not_read_all_may_not_prove(world: World, signed: Graph, path: str) -> None:
    event = signed.rows("/openPim/auditEvents", world.ga)[0]["id"]
    error(signed.get(LOG + path.format(event=event), world.ann), 403, "Authorization_RequestDenied")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/checkpoints/9", 404), ("/checkpoints/x", 400), ("/checkpoints/-1", 400), ("/checkpoints?before=x", 400),
        ("/checkpoints/99999999999999999999", 400), ("/inclusionProof", 400), ("/inclusionProof?eventId=x", 400),
        ("/inclusionProof?eventId=00000000-0000-4000-8000-000000000000", 404), ("/consistencyProof", 400),
        ("/consistencyProof?first=2&second=1", 400), ("/consistencyProof?first=1&second=99999999", 400),
        ("/consistencyProof?first=x&second=1", 400), ("/lines?at=x", 400), ("/lines?at=1:t", 400),
        ("/lines?at=99999999:t:0", 400), ("/lines?at=%C3%A9:c:0", 400), ("/lines?at=1:x:0", 400),
    ],
)  # fmt: skip
def test_bad_questions_are_refused(world: World, signed: Graph, path: str, status: int) -> None:
    answer: Any = signed.get(LOG + path, world.ga)
    assert answer.status_code == status, answer.text


def test_before_the_first_checkpoint(world: World, graph: Graph) -> None:
    log = graph.ok(LOG, world.bob)
    assert (log["keys"], log["latestCheckpoint"], log["fault"]) == ([], None, None)
    assert graph.get(f"{LOG}/checkpoints/latest", world.bob).status_code == 404
    assert graph.rows(f"{LOG}/checkpoints", world.bob) == []
