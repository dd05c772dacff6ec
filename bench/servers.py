"""The servers that are measured, each as a process: `python -m bench.servers ours|floor|hello …`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openpim.collecting import collect_seldom
from openpim.running import SETTLED


def run(app: Any, port: int, **more: Any) -> None:
    """Uvicorn as `pim serve` sets it, on plain HTTP unless a certificate is given; its HTTP is as it comes, for floors."""
    collect_seldom()
    settings = {**SETTLED, "http": "httptools", "log_level": "warning", **more}
    uvicorn.run(app, host="127.0.0.1", port=port, **settings)


def ours(data_dir: str, url: str, port: str) -> None:
    from bench.organisation import config_in
    from openpim.app import make_system

    run(make_system(config_in(Path(data_dir), url)).app, int(port), http=SETTLED["http"])


def floor(data_dir: str, url: str, port: str, recording: str) -> None:
    """Bare statements behind the same HTTP server, thread hop and token check."""
    from bench.organisation import config_in
    from bench.recording import Player, load
    from openpim.app import make_system
    from openpim.faces.shared.threads import in_thread

    config = config_in(Path(data_dir), url)
    system = make_system(config)
    system.database.close()
    player = Player(config.database, load(Path(recording)))
    verify = system.signin.tokens.verify
    answer = b'{"id":"%s","value":"' + b"x" * 900 + b'"}'

    def act(scene: str, token: str, body: bytes, path: str) -> bytes:
        claims = verify(token)
        if claims is None:
            raise PermissionError
        asked = json.loads(body) if body else {}
        made = player.play(scene, str(claims["oid"]), asked.get("roleDefinitionId", ""), path)
        return answer % made.encode()

    async def handle(request: Request) -> Response:
        token = request.headers["authorization"].removeprefix("Bearer ")
        body = await request.body()
        scene, _, rest = request.path_params["path"].partition("/")
        return Response(await in_thread(act, scene, token, body, rest), 200, media_type="application/json")

    run(Starlette(routes=[Route("/{path:path}", handle, methods=["GET", "POST", "PUT", "PATCH"])]), int(port))


def hello(port: str, certificate: str = "", key: str = "") -> None:
    """Bare uvicorn and Starlette."""

    async def answer(_request: Request) -> Response:
        return Response(b'{"status":"ok"}', media_type="application/json")

    tls = {"ssl_certfile": certificate, "ssl_keyfile": key} if certificate else {}
    run(Starlette(routes=[Route("/healthz", answer)]), int(port), **tls)


def echo(port: str) -> None:
    """A bare ASGI application that reads what it is sent and says yes."""
    said = b'{"decision":true}'
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(said))]

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": said})

    run(answer, int(port), lifespan="off")


if __name__ == "__main__":
    chosen: dict[str, Callable[..., None]] = {"ours": ours, "floor": floor, "hello": hello, "echo": echo}
    chosen[sys.argv[1]](*sys.argv[2:])
