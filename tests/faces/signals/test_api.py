"""The management API: where it is, who may do what, and every answer of table.py."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openpim.core.signals import MOST_OF_ONE
from tests.faces.signals.judge import metadata_faults, stream_faults
from tests.faces.signals.stage import EVERYTHING, ORIGIN, PLACE, POLL, PUSH, Receiver, Stage, pushed
from tests.faces.signals.table import ROWS
from tests.signin_helper import GRAPH, access_token
from tests.world import World


def test_the_table(stage: Stage) -> None:
    """Every row at once: what is wrong with any of them is said together."""
    world, client = stage.world, stage.client
    own = stage.receiver("Own")
    other, foreign_world = stage.receiver("Other"), World(world.database)
    foreign = stage.receiver("Foreign", world=foreign_world)
    old = own.token
    world.forward(hours=2)
    for one in (own, other, foreign):
        one.renew()
    tokens = {
        "own": own.token,
        "other": other.token,
        "foreign": foreign.token,
        "reader": stage.receiver("Reader", "ssf.read").token,
        "manager": stage.receiver("Manager", "ssf.manage").token,
        "plain": _graph_token(stage),
        "person": access_token(stage.signin, stage.tenant, world.ga, amr=("pwd", "mfa")),
        "nobody": "",
        "garbage": "garbage",
        "expired": old,
        "query": "",
    }
    names = {
        "push": own.everything(),
        "poll": own.polled(),
        "others": other.polled(),
        "foreign": foreign.polled(),
        "none": "00000000-0000-0000-0000-000000000000",
        "iss": stage.issuer,
        "aud": own.face.app_id,
    }
    wrong, made = [], []
    for name, who, method, path, body, status in ROWS:
        address = f"{stage.base}/{_filled(path, names)}"
        if who == "query":
            address += f"{'&' if '?' in address else '?'}access_token={own.token}"
        raw = body if isinstance(body, bytes) else None
        sent = None if body is None or raw is not None else json.loads(_filled(json.dumps(body), names))
        answer = own.call(method, address, sent, token=tokens[who], raw=raw)
        if answer.status_code != status:
            wrong.append(f"{name}: {answer.status_code}, not {status}: {answer.text[:200]}")
        wrong += [f"{name}: {fault}" for fault in _form(answer)]
        if answer.status_code == 201:
            made.append(answer.json()["stream_id"])
            wrong += [f"{name}: {fault}" for fault in stream_faults(answer.json(), stage.issuer)]
            own.call("DELETE", f"{stage.base}/streams?stream_id={made[-1]}")
    assert wrong == []
    assert len(ROWS) > 250
    assert len(set(made)) == len(made)
    assert (
        client.get(f"{stage.base}/streams", headers={"Authorization": f"Bearer {own.token}"}).json()[0][
            "stream_id"
        ]
        == names["push"]
    )


def _graph_token(stage: Stage) -> str:
    """Of an application that has another permission only."""
    plain = stage.receiver("Plain")
    plain.let(permissions=("Directory.Read.All",))
    token: str = plain.ask_token(GRAPH)["access_token"]
    return token


def _filled(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _form(answer: Any) -> list[str]:
    """What every answer has, whatever it says."""
    found = []
    ours = answer.headers.get("content-type") == "application/json"
    if (ours or not answer.content) and answer.headers.get("cache-control") != "no-store":
        found.append("it may be cached")
    challenge = answer.headers.get("www-authenticate", "")
    if answer.status_code == 401 and not challenge.startswith("Bearer "):
        found.append("401 without a challenge")
    if answer.status_code == 403 and 'error="insufficient_scope"' not in challenge:
        found.append("403 that does not say what is missing")
    if (
        answer.status_code in {400, 401, 403, 404, 409, 429}
        and answer.headers["content-type"] == "application/json"
    ):
        body = answer.json()
        if not body.get("err") or not body.get("description"):
            found.append("an error that says nothing")
    if answer.status_code == 204 and answer.content:
        found.append("204 with a body")
    return found


def test_a_receiver_sees_its_streams_alone(stage: Stage, crm: Receiver) -> None:
    assert crm.call("GET", f"{stage.base}/streams").json() == []
    first = crm.everything(description="the first")
    second = crm.polled(format="email", default_subjects="NONE")
    stage.receiver("Another").everything()
    found = crm.call("GET", f"{stage.base}/streams").json()
    assert [one["stream_id"] for one in found] == [first, second]
    assert found[0] == {
        "stream_id": first,
        "iss": stage.issuer,
        "aud": crm.face.app_id,
        "delivery": {"method": PUSH, "endpoint_url": PLACE},
        "events_supported": EVERYTHING,
        "events_requested": EVERYTHING,
        "events_delivered": EVERYTHING,
        "min_verification_interval": 6,
        "format": "iss_sub",
        "default_subjects": "ALL",
        "description": "the first",
    }
    one = crm.call("GET", f"{stage.base}/streams?stream_id={second}").json()
    assert one == found[1]
    assert one["delivery"] == {"method": POLL, "endpoint_url": f"{ORIGIN}{stage.base}/poll/{second}"}
    assert (one["format"], one["default_subjects"]) == ("email", "NONE")


def test_put_replaces_and_patch_changes(stage: Stage, crm: Receiver) -> None:
    stream_id = crm.everything(description="old", format="email")
    path = f"{stage.base}/streams"
    after = crm.call("PATCH", path, {"stream_id": stream_id, "events_requested": EVERYTHING[:1]}).json()
    assert (after["description"], after["events_delivered"]) == ("old", EVERYTHING[:1])
    after = crm.call("PUT", path, {"stream_id": stream_id, "delivery": pushed()}).json()
    assert "description" not in after
    assert (after["events_requested"], after["events_delivered"], after["format"]) == ([], [], "iss_sub")
    after = crm.call("PATCH", path, {"stream_id": stream_id, "delivery": {"method": POLL}}).json()
    assert after["delivery"]["endpoint_url"].endswith(f"/poll/{stream_id}")
    assert crm.call("DELETE", f"{path}?stream_id={stream_id}").status_code == 204
    assert crm.call("DELETE", f"{path}?stream_id={stream_id}").status_code == 404


def test_what_was_read_may_be_sent_back(stage: Stage, crm: Receiver) -> None:
    """SSF 8.1.1.4: read, change, replace; the secret that was not shown stays."""
    config = crm.create(delivery=pushed(authorization_header="Bearer abc"), events_requested=EVERYTHING)
    assert "authorization_header" not in config["delivery"]
    again = crm.call("PUT", f"{stage.base}/streams", {**config, "description": "changed"})
    assert (again.status_code, again.json()) == (200, {**config, "description": "changed"})
    crm.verify(config["stream_id"])
    stage.tell()
    assert [headers["Authorization"] for _, headers, _ in stage.net.calls] == ["Bearer abc"]


def test_so_many_streams_and_no_more(stage: Stage, crm: Receiver) -> None:
    for _ in range(MOST_OF_ONE):
        crm.polled()
    answer = crm.call("POST", f"{stage.base}/streams", {})
    assert (answer.status_code, answer.json()["err"]) == (409, "conflict")
    assert stage.receiver("Another").polled()


def test_the_configuration_of_the_transmitter(stage: Stage) -> None:
    path = f"/.well-known/ssf-configuration/{stage.tenant}/v2.0"
    answer = stage.client.get(path)
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert list(metadata_faults(document, f"{ORIGIN}{path}")) == []
    assert document["default_subjects"] == "ALL"
    keys = stage.client.get(document["jwks_uri"].removeprefix(ORIGIN)).json()["keys"]
    assert keys[0]["kty"] == "RSA"
    resource = stage.client.get(f"/.well-known/oauth-protected-resource/ssf/{stage.tenant}").json()
    assert resource["resource"] == document["configuration_endpoint"].removesuffix("/streams")
    assert resource["scopes_supported"] == ["ssf.manage", "ssf.read"]
    assert resource["authorization_servers"] == [document["issuer"]]
    provider = stage.client.get(f"/{stage.tenant}/v2.0/.well-known/openid-configuration").json()
    assert (provider["issuer"], provider["jwks_uri"]) == (document["issuer"], document["jwks_uri"])


@pytest.mark.parametrize("path", ["", "/{tenant}", "/nobody/v2.0", "/{domain}/v2.0"])
def test_the_configuration_is_at_one_address(stage: Stage, path: str) -> None:
    """SSF 7.2.4: the issuer is where the document was found, so it is found nowhere else; whoever looks is told where."""
    domain = stage.world.read(lambda tx: tx.tenants.get(stage.tenant)).domain
    filled = path.format(tenant=stage.tenant, domain=domain)
    answer = stage.client.get(f"/.well-known/ssf-configuration{filled}")
    assert answer.status_code == 404
    known = stage.tenant if "{" in path else "{tenant id}"
    assert f"/.well-known/ssf-configuration/{known}/v2.0" in answer.json()["description"]


def test_permissions_are_asked_for_by_name(stage: Stage) -> None:
    """The profile's scopes; such a token is good for what it names, and for nothing else."""
    both = stage.receiver("Both", "ssf.manage", "ssf.read", "Directory.Read.All")
    narrow = both.ask_token("ssf.read")
    assert narrow["scope"] == "ssf.read"
    headers = {"Authorization": f"Bearer {narrow['access_token']}"}
    assert stage.client.get(f"{stage.base}/streams", headers=headers).status_code == 200
    assert stage.client.post(f"{stage.base}/streams", headers=headers, json={}).status_code == 403
    assert stage.client.get("/v1.0/users", headers=headers).status_code == 403
    every = {"Authorization": f"Bearer {both.ask_token(GRAPH)['access_token']}"}
    assert stage.client.post(f"{stage.base}/streams", headers=every, json={}).status_code == 201
    assert stage.client.get("/v1.0/users", headers=every).status_code == 200
    reader = stage.receiver("Reader", "ssf.read")
    assert reader.ask_token("ssf.manage ssf.read")["scope"] == "ssf.read"
    for scope in ("ssf.manage", "ssf.read Directory.Read.All", "ssf.everything", "openid"):
        refused = reader.ask_token(scope)
        assert (refused["status"], refused["error"]) == (400, "invalid_scope"), scope


def test_what_was_given_is_looked_up_each_time(stage: Stage, crm: Receiver) -> None:
    crm.polled()
    crm.let(permissions=("ssf.read",))
    assert crm.call("POST", f"{stage.base}/streams", {}).status_code == 403
    assert crm.call("GET", f"{stage.base}/streams").status_code == 200
    crm.let(enabled=False)
    assert crm.call("GET", f"{stage.base}/streams").status_code == 401


def test_everything_that_is_set_is_on_record(stage: Stage, crm: Receiver) -> None:
    stream_id = crm.create(delivery=pushed(f"{PLACE}?token=hidden", authorization_header="Bearer hidden"))[
        "stream_id"
    ]
    crm.call("PATCH", f"{stage.base}/streams", {"stream_id": stream_id, "description": "new"})
    crm.call("PATCH", f"{stage.base}/streams", {"stream_id": stream_id, "description": "new"})  # nothing new
    crm.subject("remove", stream_id, {"format": "email", "email": "ann@example.com"})
    crm.status(stream_id, "paused")
    crm.call("DELETE", f"{stage.base}/streams?stream_id={stream_id}")
    events = [one for one in stage.world.events() if "signal stream" in one.activity]
    assert [one.activity for one in events] == [
        "Add signal stream",
        "Update signal stream",
        "Remove subject from signal stream",
        "Update signal stream",
        "Delete signal stream",
    ]
    assert {one.actor_id for one in events} == {crm.face.id}
    assert "hidden" not in repr(events)
