"""The examples of the pages about other systems are run as they stand: what they verify, answer and sign works."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import HTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

from openpim.core.channels import ChannelKind
from openpim.core.grants import Ticket
from openpim.core.tickets import TicketRules
from openpim.faces.hooks import routes
from openpim.ports.channels import Message
from openpim.services.channels.sending import Webhooks
from tests.notify.hostile import replies, serve
from tests.services.channels.helper import ask_first, channel
from tests.world import TEAMS, World, ok

PAGES = Path(__file__).parents[2] / "docs/how-to"


def example(page: str, **given: Any) -> dict[str, Any]:
    """The Python of a page, run; what it defines."""
    (code,) = re.findall(
        r"^```python\n(.*?)^```", (PAGES / page).read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    names: dict[str, Any] = {"__name__": "example", **given}
    exec(compile(code, page, "exec"), names)
    return names


@contextlib.contextmanager
def served(handler: Any) -> Iterator[str]:
    handler.log_message = lambda *_: None
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/openpim"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    made = World(database_url)
    made.at(datetime.now(UTC))  # the examples look at the real clock
    yield made
    made.close()


def test_the_receiver_takes_what_we_sign_and_nothing_else(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    names = example("channels.md")
    with served(names["Receiver"]) as url:
        shown = channel(world, url, ChannelKind.WEBHOOK)
        message = Message(world.new_id(), world.tenant_id, "activated", world.now, "Mira is active", "text")
        names["SECRET"] = shown.secret
        assert Webhooks(world.deps)(shown.channel.id, message).sent
        assert "notice.activated Mira is active" in capsys.readouterr().out
        names["SECRET"] = "whsec_AAAA"
        outcome = Webhooks(world.deps)(shown.channel.id, message)
        assert (outcome.sent, outcome.reason) == (False, "It answered with 401.")
        names["SECRET"] = shown.secret
        world.forward(minutes=-6)
        assert not Webhooks(world.deps)(shown.channel.id, message).sent


def test_the_extension_decides(world: World) -> None:
    receiver = example("channels.md")
    names = example("ask-another-system.md", verified=receiver["verified"])
    names["ON_CALL"] = {world.ann}
    with served(names["Extension"]) as url:
        shown = channel(world, url, timeout_ms=5000)
        receiver["SECRET"] = shown.secret
        ask_first(world, shown.channel.id, world.dan, auto=True)
        for person in (world.ann, world.bob):
            world.eligible(person)
            ok(world.activate(person, hours=1))
        world.work()
    assert world.holds(world.ann)
    assert not world.holds(world.bob)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_ticket_system_closes_a_ticket(world: World) -> None:
    with serve(replies(lambda _: (200, {"state": "valid"}))) as server:
        shown = channel(world, server.url(), timeout_ms=5000)
        world.policy(TEAMS, tickets=TicketRules(("INC#######",), shown.channel.id, ends_with_ticket=True))
        world.eligible(world.ann)
        ok(world.activate(world.ann, hours=1, ticket=Ticket("INC0012345", "ServiceNow")))
    app = Starlette(routes=routes(world.deps))
    ours = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=ours.run)
    thread.start()
    try:
        while not ours.started:
            thread.join(0.01)
        port = ours.servers[0].sockets[0].getsockname()[1]
        address = f"http://127.0.0.1:{port}/hooks/{world.tenant_id}/{shown.channel.id}"
        assert example("tickets.md")["closed"](address, shown.secret, "INC0012345") == {
            "status": "accepted",
            "ended": 1,
        }
    finally:
        ours.should_exit = True
        thread.join(10)
    assert not world.holds(world.ann)
