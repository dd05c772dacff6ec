"""Who may do what with event streams, as a printed table that is checked in: signals_table.txt beside this file.

Every address of the face has a row for each of its methods, every kind of caller a column. The stream that is named belongs
to `manager`; `reader` has ssf.read, `other` is a receiver of its own, `plain` an application with another permission, `ga` a
Global Administrator with a token, `stranger` a receiver of another tenant. Written anew as test_graph_table.py says.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from openpim.faces import signals
from tests.faces.signals.stage import Receiver, Stage
from tests.signin_helper import GRAPH, access_token
from tests.world import World

TABLE = Path(__file__).with_name("signals_table.txt")
BODIES = {
    "POST /ssf/{tenant}/streams": {},
    "PUT /ssf/{tenant}/streams": {"delivery": {"method": "urn:ietf:rfc:8936"}},
    "POST /ssf/{tenant}/status": {"status": "enabled"},
    "POST /ssf/{tenant}/subjects/add": {"subject": {"format": "email", "email": "a@example.com"}},
    "POST /ssf/{tenant}/subjects/remove": {"subject": {"format": "email", "email": "a@example.com"}},
    "POST /ssf/{tenant}/poll/{stream}": {"returnImmediately": True},
}


@pytest.fixture
def stage(database_url: str) -> Iterator[Stage]:
    made = Stage(database_url)
    yield made
    made.close()


def endpoints(stage: Stage) -> list[str]:
    found = [
        f"{method} {route.path}"
        for route in signals.routes(stage.signin, lambda *_, **__: None)  # type: ignore[arg-type, return-value]
        for method in sorted(getattr(route, "methods", ()))
        if method not in {"HEAD", "OPTIONS"}
    ]
    return list(dict.fromkeys(found))


def actors(stage: Stage) -> tuple[Receiver, dict[str, str]]:
    manager, plain = stage.receiver("Manager", "ssf.manage"), stage.receiver("Plain")
    plain.let(permissions=("Directory.Read.All",))
    return manager, {
        "anonymous": "",
        "ga": access_token(stage.signin, stage.tenant, stage.world.ga, amr=("pwd", "mfa")),
        "plain": plain.ask_token(GRAPH)["access_token"],
        "reader": stage.receiver("Reader", "ssf.read").token,
        "other": stage.receiver("Other").token,
        "manager": manager.token,
        "stranger": stage.receiver("Stranger", world=World(stage.world.database)).token,
    }


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_table(stage: Stage) -> None:
    manager, tokens = actors(stage)
    lines = [f"{'':52}" + "".join(f"{name:>11}" for name in tokens)]
    for endpoint in endpoints(stage):
        method, path = endpoint.split(" ")
        cells = []
        for token in tokens.values():
            stream_id = manager.polled()  # DELETE takes it away
            filled = path.replace("{tenant}", stage.tenant).replace("{stream}", stream_id)
            body = (
                {"stream_id": stream_id, **BODIES.get(endpoint, {})}
                if method in {"POST", "PUT", "PATCH"}
                else None
            )
            named = "" if body is not None or "ssf/{tenant}/s" not in path else f"?stream_id={stream_id}"
            cells.append(manager.call(method, filled + named, body, token=token).status_code)
            manager.call("DELETE", f"{stage.base}/streams?stream_id={stream_id}")
        lines.append(f"{endpoint:52}" + "".join(f"{cell:>11}" for cell in cells))
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    if os.environ.get("AUTHORIZATION_TABLE") == "write":
        TABLE.write_text(text, encoding="utf-8")
    assert text == TABLE.read_text(encoding="utf-8")
