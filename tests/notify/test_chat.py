"""Chat and push: which addresses are taken, where the messages go, and that they take the guarded road."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from openpim.notify.chat import SERVICES, AppriseChat
from openpim.notify.outbound import GuardedOutbound
from openpim.ports.channels import Message
from openpim.ports.outbound import Answer, OutboundError, OutboundFault
from tests.notify.hostile import answers, says, serve

pytest.importorskip("apprise")
MESSAGE = Message(
    "11111111-1111-4111-8111-111111111111",
    "t",
    "approvalWanted",
    datetime(2026, 11, 2, tzinfo=UTC),
    "Ann asks for Teams Administrator",
    "Reason: @everyone <!channel> look [Approve here](https://evil.example/) ![x](https://evil.example/x.png)",
    link="https://pim.example.com/portal/approvals/1",
)
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general"
NATIVE_SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
DISCORD = "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
TEAMS = (
    "https://prod-15.uksouth.logic.azure.com:443/workflows/3XXX/triggers/manual/paths/invoke"
    "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=iXXX"
)
PAGERDUTY = "pagerduty://abcdefghij@klmnopqrst/source/component"
TELEGRAM = "tgram://123456789:abcdefghijklmnopqrstuvwxyzabcdefghi/12345"


class Recorded:
    """An Outbound that answers what a service says when all is well."""

    def __init__(self, body: bytes = b'{"ok": true, "status": "success"}') -> None:
        self.calls: list[tuple[str, str, dict[str, str], bytes]] = []
        self.body = body

    def fault(self, url: str) -> str | None:
        return None

    def request(self, method: str, url: str, **more: Any) -> Answer:
        self.calls.append((method, url, dict(more["headers"]), more["body"]))
        return Answer(200, {"content-type": "application/json"}, self.body)


@pytest.mark.parametrize(
    ("url", "host", "answer"),
    [
        (SLACK, "https://hooks.slack.com/services/T1JJ3T3L2/", b"ok"),
        (NATIVE_SLACK, "https://hooks.slack.com/services/T1JJ3T3L2/", b"ok"),
        (DISCORD, "https://discord.com/api/webhooks/4174216298/", b""),
        (TEAMS, "https://prod-15.uksouth.logic.azure.com:443/workflows/3XXX/", b""),
        (PAGERDUTY, "https://events.pagerduty.com/", b"{}"),
        (TELEGRAM, "https://api.telegram.org/bot", b'{"ok":true,"result":{}}'),
        ("ntfys://ntfy.sh/topic", "https://ntfy.sh", b"{}"),
        ("gotifys://gotify.example.com/abcdefghijklmno", "https://gotify.example.com/", b"{}"),
        (
            "matrixs://localpart:secret@matrix.example.com/#room?mode=slack",
            "https://matrix.example.com/",
            b"{}",
        ),
    ],
)
def test_each_service_is_called_where_it_lives(url: str, host: str, answer: bytes) -> None:
    outbound = Recorded(answer)
    outcome = AppriseChat(outbound).send(url, MESSAGE)
    assert outcome.sent, outcome.reason
    assert all(called.startswith(host) for _, called, _, _ in outbound.calls)
    text = b"".join(body for *_, body in outbound.calls).decode()
    assert "Teams Administrator" in text
    # nobody is woken by what a requestor writes
    assert "@everyone" not in text
    assert "<!channel>" not in text
    # and no words of theirs hide where a link leads to
    assert "[Approve here]" not in text
    assert "](" not in text


def test_a_server_of_ones_own_gets_the_message() -> None:
    with serve(answers(b"{}", "200 OK", "Content-Type: application/json")) as server:
        chat = AppriseChat(GuardedOutbound(["127.0.0.0/8"]))
        url = f"ntfy://127.0.0.1:{server.port}/alerts"
        assert chat.fault(url) is None
        assert chat.send(url, MESSAGE).sent
    said = json.loads(server.asked[0].body)
    assert said["title"] == MESSAGE.title
    assert "https://pim.example.com/portal/approvals/1" in said["message"]


def test_private_addresses_are_refused_when_written_and_when_called() -> None:
    with serve(answers(b"{}")) as server:
        chat = AppriseChat(GuardedOutbound())
        url = f"ntfy://127.0.0.1:{server.port}/alerts"
        assert chat.fault(url) is not None
        outcome = chat.send(url, MESSAGE)
    assert not outcome.sent
    assert not outcome.retry
    assert server.connections == 0


@pytest.mark.parametrize(
    "script",
    [
        says(b"nonsense"),
        answers(b"no", "500 Oops"),
        answers(b"", "302 Found", "Location: http://127.0.0.1:1/"),
    ],
)
def test_what_a_service_answers_badly_is_tried_again_later(script: Any) -> None:
    with serve(script) as server:
        outcome = AppriseChat(GuardedOutbound(["127.0.0.0/8"])).send(
            f"ntfy://127.0.0.1:{server.port}/alerts", MESSAGE
        )
    assert not outcome.sent
    assert outcome.retry
    assert outcome.reason
    assert server.connections == 1


def test_reasons_hold_no_secret() -> None:
    class Closed(Recorded):
        def request(self, method: str, url: str, **more: Any) -> Answer:
            raise OutboundError(OutboundFault.TIMED_OUT, "hooks.slack.com did not answer in time.")

    outcome = AppriseChat(Closed()).send(SLACK, MESSAGE)
    assert outcome.reason == "hooks.slack.com did not answer in time."
    assert outcome.retry


@pytest.mark.parametrize(
    "url",
    [
        "dbus://", "syslog://", "gnome://", "macosx://", "windows://", "file:///etc/passwd", "exec://id", "json://example.com",
        "xml://example.com", "form://example.com", "mailto://a:b@example.com", "https://example.com/hook", "http://example.com",
        "smpp://x", "mqtt://example.com", "rsyslog://example.com", "nctalk://x", "ntfy", "", "://", "slack://",
        f"{SLACK}?template=/etc/passwd", f"{SLACK}?verify=no", f"{SLACK}?:token=x", "ntfys://ntfy.sh/t?+X-Header=x",
        "ntfys://ntfy.sh/t?attach=file:///etc/passwd", f"{DISCORD}?avatar_url=http://10.0.0.1/", "slack://" + "a" * 2000,
        "ntfys://ntfy.sh/to\npic", "vapid://a@b/c", "lametric://x",
    ],
)  # fmt: skip
def test_addresses_that_are_not_taken(url: str) -> None:
    outbound = Recorded()
    chat = AppriseChat(outbound)
    said = chat.fault(url)
    assert said is not None
    outcome = chat.send(url, MESSAGE)
    assert not outcome.sent
    assert not outbound.calls


def test_what_is_wrong_with_an_address_does_not_repeat_it() -> None:
    said = AppriseChat(Recorded()).fault("slack://SECRET/SECRET/SECRET?template=SECRET")
    assert said is not None
    assert "SECRET" not in said


def test_every_service_of_the_list_is_there_and_calls_through_the_stand_in() -> None:
    from openpim.notify.chat import _class, _Requests

    for scheme in SERVICES:
        found = _class(scheme)
        module = __import__("sys").modules[found.__module__]
        assert isinstance(module.requests, _Requests), scheme
        with pytest.raises(AttributeError):
            module.requests.Session()
        with pytest.raises(LookupError):  # outside of a sending there is no road at all
            module.requests.post("https://example.com/")
