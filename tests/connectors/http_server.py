"""A small real HTTP server of a test: a WSGI application on a port of this machine that can go away and come back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

Application = Callable[..., Iterable[bytes]]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None: ...


class _Server(WSGIServer):
    allow_reuse_address = True
    request_queue_size = 32

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is no news."""


class HttpServer:
    def __init__(self, application: Application) -> None:
        self._application = application
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self._server: WSGIServer | None = None
        self.up()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        if self._server is None:
            self._server = make_server("127.0.0.1", self.port, self._application, _Server, _Quiet)
            threading.Thread(
                target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
            ).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
