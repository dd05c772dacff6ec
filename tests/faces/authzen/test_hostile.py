"""Whatever is sent, the answer is a decision or an error of the one who sent it: never a 500, never a yes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openpim.core.caller import Caller, CallerKind
from openpim.faces.authzen import evaluation
from tests.faces.authzen.conftest import REQUEST, SELF, Site, question
from tests.world import TEAMS, World

PATHS = (
    "/access/v1/evaluation", "/access/v1/evaluations", "/access/v1/search/subject", "/access/v1/search/resource",
    "/access/v1/search/action", "/access/v1/requests",
)  # fmt: skip
TEXTS = (
    "", " ", "\x00", "\n", "'", '"; DROP TABLE schedules; --', "%", "*", "..", "/", "//", "/../..", "/administrativeUnits/",
    "/administrativeUnits/x", "/subscriptions", "/subscriptions/%2e%2e", "/subscriptions/x/../y", "🦄" * 300, "\u202e", "ﬁ",
    "İ", "ß", "a" * 100_000, "{}", "null", "member", "owner", "00000000-0000-0000-0000-000000000000", "@", "a@b", "\ufeff",
    "/providers/microsoft.management/managementgroups/" + "a" * 600, "*/read", "Microsoft.*/read", "\u0130@x", "x" * 36,
)  # fmt: skip


def bodies(ann: str, text: str) -> tuple[dict[str, Any], ...]:
    return (
        question(text, "use", "role", TEAMS),
        question(ann, text, "role", TEAMS),
        question(ann, "use", text, TEAMS),
        question(ann, "use", "role", text),
        question(ann, "use", "group", text),
        question(ann, "use", "scope", text),
        question(ann, "use", "directoryScope", text),
        question(ann, "read", "own", text),
        question(ann, "use", "role", TEAMS, scope=text),
        question(ann, "use", "role", TEAMS, provider=text),
        question(ann, "activate", "group", text, access=text),
        {**question(ann, "use", "role", TEAMS), "context": {"approval": {"id": text}}},
        {**question(ann, "use", "role", TEAMS), "page": {"token": text}},
    )


def test_texts(site: Site, world: World, half: Any) -> None:
    mine = site.token(
        "mine", Caller(world.tenant_id, world.ann, CallerKind.USER, scopes=frozenset({SELF, REQUEST}))
    )
    places = range(len(bodies("", "")))
    for text, place in half(TEXTS, places):
        body = bodies(world.ann, text)[place]
        for path in PATHS:
            for who in ("app", mine):
                answer = site.post(path, body, who)
                assert answer.status_code in {200, 400, 403}, (path, body)
                if path == PATHS[0] and answer.status_code == 200:
                    assert answer.json()["decision"] is False, body


@pytest.mark.parametrize("path", PATHS)
def test_bodies(site: Site, path: str) -> None:
    deep = b'{"subject":' + b'{"properties":' * 50_000 + b"1" + b"}" * 50_000 + b"}"
    lists = b'{"evaluations":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    whole = json.dumps(question("x", "use", "role", TEAMS))
    for body in (
        b"", b"{", b"\xff", b"\x00", deep, lists, b"[]" * 10, b"1e999", b'{"a":1,"a":2}', b'"\\ud800"',
        whole.replace('"x"', '"\\ud800"').encode(), whole.replace('"x"', '"\\u0000"').encode(), whole.encode("utf-16"),
        whole.replace('"x"', "NaN").encode(), whole.encode() + b"x", b'{"subject":' + b"9" * 10_000 + b"}",
    ):  # fmt: skip
        assert site.post(path, body).status_code in {200, 400, 403}, body[:60]
    assert site.post(path, b"x" * (1 << 20) + b"x").status_code == 413
    many = {**question("x", "use", "role", TEAMS), "evaluations": [{}] * 10_001}
    assert site.post(path, many).status_code in {200, 400, 403}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | st.sampled_from(TEXTS[:20]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
ENTITY = JSON | st.fixed_dictionaries({}, optional={"type": JSON | st.just("user") | st.just("role"), "id": JSON, "name": JSON, "properties": JSON})  # fmt: skip
MEMBERS = (
    "subject",
    "action",
    "resource",
    "context",
    "options",
    "page",
    "denial",
    "items",
    "requested_access",
)
BODY = st.fixed_dictionaries({}, optional={**dict.fromkeys(MEMBERS, ENTITY), "evaluations": st.lists(ENTITY, max_size=3) | JSON})  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(path=st.sampled_from(PATHS), body=BODY)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_anything(site: Site, path: str, body: Any) -> None:
    answer = site.post(path, body)
    assert answer.status_code in {200, 400, 403}
    if path == PATHS[0] and answer.status_code == 200:
        assert answer.json()["decision"] is False


def test_addresses(site: Site) -> None:
    for path in ("/access/v1/", "/access/v1/nothing", "/access/v1/requests/", "/access/v1/requests/%00", "/access/v1/requests/x/y/z",
                 "/access/v1/requests/x/cancel/", "/access/v1/evaluation/x", "/access/v1/EVALUATION", "/.well-known/authzen-configurationx"):  # fmt: skip
        for method in ("GET", "POST"):
            said = site.client.request(method, path, headers={"authorization": "Bearer app"})
            assert said.status_code in {400, 404, 405}, path
    said = site.post(PATHS[0], question("x", "use", "role", TEAMS), **{"x-request-id": "a" * 10_000})
    assert (said.status_code, said.headers["x-request-id"]) == (200, "a" * 10_000), "AuthZEN 10.1.3: the same"


def test_a_large_batch_lets_others_have_their_turn(
    site: Site, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A denial that can be cured is sealed, which takes a while: ten thousand of them held up the whole server."""
    world.eligible(world.ann)
    body = {**question(world.ann, "use", "role", TEAMS), "evaluations": [{}] * 1000}
    assert site.post(PATHS[1], body).status_code == 200
    turns, seen = [0], list[int]()
    decide = evaluation.decide

    def watched(*given: Any) -> Any:
        seen.append(turns[0])
        return decide(*given)

    async def others() -> None:
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    async def story() -> None:
        beside = asyncio.create_task(others())
        messages = [{"type": "http.request", "body": json.dumps(body).encode()}]
        headers = [(b"authorization", b"Bearer app"), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": PATHS[1], "headers": headers, "query_string": b""}

        async def receive() -> Any:
            return messages.pop()

        async def send(_message: Any) -> None:
            return

        await site.client.app(scope, receive, send)
        beside.cancel()

    monkeypatch.setattr(evaluation, "decide", watched)
    asyncio.run(story())
    assert len(seen) == 1000
    assert seen[-1] - seen[0] >= 10
