"""What is particular about a service of one's own: signatures, its own end, pages, and answers that are nonsense."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from openpim.connectors.webhook import KIND
from openpim.core.connecting import Edge
from openpim.core.webhooks import PREFIX
from openpim.ports.connector import Fault, TargetError
from tests.connectors.contract import SECRET, done, fence, grants, in_an_hour, names, revokes
from tests.connectors.http_server import HttpServer
from tests.connectors.opening import opening
from tests.connectors.scim.test_groups import fault_of
from tests.connectors.webhook.rigs import KEY, WebhookRig


@pytest.fixture
def rig() -> Any:
    found = WebhookRig()
    yield found
    found.close()


def other_key(text: str) -> str:
    return PREFIX + base64.b64encode(text.encode()).decode()


def test_calls_are_signed_as_standard_webhooks_are(rig: WebhookRig) -> None:
    seen: list[Any] = []
    inner = rig.service.__call__

    def application(environ: Any, start: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        headers = {
            name: environ[f"HTTP_{name.upper().replace('-', '_')}"]
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        }
        seen.append((headers, body))
        import io

        environ["wsgi.input"] = io.BytesIO(body)
        return inner(environ, start)

    rig.server.down()
    rig.server._application = application
    rig.server.up()
    done(rig.open(), grants(rig.edge(rig.people[0], "payroll", None)))
    for headers, body in seen:
        said = Webhook(KEY).verify(body, headers)
        assert said["target"]
        assert SECRET not in body.decode()


def test_the_page_shows_the_service_that_is_tested() -> None:
    root = Path(__file__).parents[3]
    page = (root / "docs/reference/webhook-target.md").read_text(encoding="utf-8")
    shown = page.partition("<!-- service -->\n```python\n")[2].partition("```")[0]
    whole = Path(__file__).with_name("service.py").read_text(encoding="utf-8")
    assert shown
    assert whole.endswith(shown)


def test_another_secret_is_not_taken(rig: WebhookRig) -> None:
    connector = rig.open(secret=other_key("another secret altogether"))
    with pytest.raises(TargetError) as caught:
        connector.apply(grants(rig.edge(rig.people[0], "payroll", None)), fence())
    assert caught.value.fault is Fault.REFUSED
    assert rig.service.access == {}


def test_a_secret_that_changes_counts_beside_the_new_one(rig: WebhookRig) -> None:
    made = opening(
        KIND,
        rig.managed,
        rig.settings,
        {"secret": other_key("the secret to come"), "previous_secret": KEY},
        memory=rig.memory,
    )
    assert KIND.open(made).probe().fit


@pytest.mark.parametrize("secret", ["", "text", "whsec_", "whsec_###", "whsec_YQ==", "whsec_é"])
def test_what_is_no_secret_is_told(rig: WebhookRig, secret: str) -> None:
    made = opening(KIND, rig.managed, rig.settings, {"secret": secret})
    with pytest.raises(TargetError) as caught:
        KIND.open(made).read()
    assert caught.value.fault is Fault.REFUSED


def test_a_call_that_is_sent_again_counts_once(rig: WebhookRig) -> None:
    """The service's business; here so that the page's code is what it says."""
    from openpim.core.webhooks import headers

    edge = {"op": "grant", "subject": "eve", "entitlement": "payroll", "until": None}
    body = json.dumps({"type": "access.apply", "data": {"epoch": 1, "operations": [edge]}}).encode()
    signed = headers([KEY], "msg_1", datetime.now(UTC), body)
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in signed.items()}
    assert rig.service.signed(environ, body)
    assert not rig.service.signed(environ, body)
    old = headers([KEY], "msg_2", datetime.now(UTC) - timedelta(minutes=6), body)
    assert not rig.service.signed(
        {f"HTTP_{name.upper().replace('-', '_')}": one for name, one in old.items()}, body
    )
    assert not rig.service.signed({**environ, "HTTP_WEBHOOK_ID": "msg_3"}, body)


def test_the_service_ends_it_by_itself() -> None:
    moment = [datetime.now(UTC).timestamp()]
    rig = WebhookRig(native_end="full")
    rig.service.clock = lambda: moment[0]
    try:
        connector = rig.open()
        done(connector, grants(Edge("alice", "payroll", in_an_hour())))
        assert rig.has("alice", "payroll")
        moment[0] += 3600
        assert not rig.has("alice", "payroll")
    finally:
        rig.close()


def test_sessions_end_but_not_of_who_keeps_something() -> None:
    rig = WebhookRig(sever="yes")
    try:
        rig.service.sessions = {"alice", "bob"}
        connector = rig.open()
        ended = [Edge("alice", "payroll"), Edge("bob", "payroll")]
        assert [one.error for one in connector.sever(ended, [Edge("bob", "audit")], fence())] == ["", ""]
        assert rig.service.sessions == {"bob"}
    finally:
        rig.close()


def test_many_go_in_lots_and_come_in_pages(rig: WebhookRig) -> None:
    connector = rig.open()
    edges = [Edge(f"person{number}", "payroll") for number in range(450)]
    done(connector, grants(*edges))
    assert names(connector) == {edge.name for edge in edges}
    done(connector, revokes(*edges))
    plain = rig.service.access_read

    def pages(data: Any) -> tuple[str, Any]:
        number = int(data.get("after", "0"))
        row = {"subject": f"p{number}", "entitlement": "payroll", "until": None}
        return "200 OK", {"edges": [row], "next": str(number + 1) if number < 5 else None}

    rig.service.access_read = pages  # type: ignore[method-assign]
    assert len(names(connector)) == 6
    rig.service.access_read = lambda _data: ("200 OK", {"edges": [], "next": "same"})  # type: ignore[method-assign]
    with pytest.raises(TargetError):
        connector.read()
    rig.service.access_read = plain  # type: ignore[method-assign]


NONSENSE = [
    b"", b"<html>", b"[]", b"null", b"{}", b'{"edges": 5}', b'{"edges": [5]}', b'{"edges": [{}]}', b'{"results": []}', b'{"results": [5]}',
    b'{"edges": [{"subject": "", "entitlement": "payroll"}]}', b'{"edges": [{"subject": "a", "entitlement": "payroll", "until": "soon"}]}',
    b'{"edges": [{"subject": "a", "entitlement": "payroll", "until": "2026-01-01"}]}', b'{"edges": [], "next": 5}',
    b'{"results": [{"error": 5}]}', b'{"version": 5, "unknown": 7}', b"{" * 50_000,
]  # fmt: skip


@pytest.mark.parametrize("status", [200, 204, 302, 400, 404, 409, 500])
def test_nonsense_is_a_fault_of_the_target_and_no_crash(status: int) -> None:
    answer = [b""]

    def application(_environ: Any, start: Any) -> Any:
        start(f"{status} Whatever", [("Content-Type", "application/json")])
        return [answer[0]]

    server = HttpServer(application)
    try:
        settings = {"url": server.address, "native_end": "full", "sever": "yes"}
        connector = KIND.open(opening(KIND, ("payroll",), settings, {"secret": KEY}))
        edge = Edge("alice", "payroll", in_an_hour())
        for answer[0] in NONSENSE:
            for ask in (
                connector.probe,
                connector.read,
                lambda: connector.apply(grants(edge), fence()),
                lambda: connector.sever([edge], [], fence()),
            ):
                fault = fault_of(ask)
                assert fault is None or SECRET not in fault.message
                assert fault is None or (fault.fault is Fault.FENCED) is (status == 409)
    finally:
        server.down()


def test_why_it_says_no_can_be_kept() -> None:
    """JSON may hold what no database takes."""

    def application(_environ: Any, start: Any) -> Any:
        start("200 OK", [("Content-Type", "application/json")])
        return [b'{"results": [{"error": "not\\u0000 \\ud800to\\nday"}]}']

    server = HttpServer(application)
    try:
        connector = KIND.open(opening(KIND, ("payroll",), {"url": server.address}, {"secret": KEY}))
        (receipt,) = connector.apply(grants(Edge("alice", "payroll")), fence())
        assert receipt.error == "not to day"
    finally:
        server.down()
