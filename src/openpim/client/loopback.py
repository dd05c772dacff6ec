"""The listener on 127.0.0.1 that the browser comes back to with the authorization code (RFC 8252, 7.3).

Only an answer with our `state` counts; anything else a page of the machine's browser may send here is
answered and ignored.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from openpim.client.errors import PimError
from openpim.client.transport import unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

__all__ = ["Listener"]

_PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>OpenPIM</title>"
    "<body style='font-family:system-ui;margin:4rem auto;max-width:32rem'><h1>{title}</h1><p>{text}</p></body></html>"
)


def _fields(query: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in query.split("&") if part)
    return {unquote(name, plus=True): unquote(value, plus=True) for name, _, value in pairs}


class _Server(HTTPServer):
    allow_reuse_address = False
    state = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: dict[str, str] = {}
        self.answered = threading.Event()

    def handle_error(self, *_: object) -> None:
        """A browser that goes away early is no matter of ours."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5

    def _page(self, status: int, title: str, text: str) -> None:
        body = _PAGE.format(title=title, text=text).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        port = self.server.server_address[1]
        path, _, query = self.path.partition("?")
        fields = _fields(query)
        right_host = self.headers.get("Host", "") in {f"localhost:{port}", f"127.0.0.1:{port}"}
        if not right_host or path != "/" or fields.get("state") != self.server.state:
            self._page(404, "Nothing here", "This address only serves one sign-in of the pim command.")
            return
        if "code" not in fields and "error" not in fields:
            self._page(400, "No answer", "The sign-in service sent neither a code nor an error.")
            return
        self.server.answer = self.server.answer or fields
        self.server.answered.set()
        if "error" in fields:
            self._page(200, "Not signed in", "The reason is shown in your terminal. You can close this page.")
        else:
            self._page(200, "Signed in", "You can close this page and go back to your terminal.")

    def log_message(self, *_: object) -> None:
        """Say nothing: the address holds the code."""


class Listener:
    """`with Listener(state) as listener:` a free port, until one answer with `state` has come.

    It listens in a thread of its own: a browser that runs in this terminal (BROWSER=w3m) only returns when
    it is left.
    """

    def __init__(self, state: str) -> None:
        self._server = _Server()
        self._server.state = state
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.redirect_uri = f"http://localhost:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, timeout: float) -> dict[str, str]:
        """The fields of the answer: `code`, or `error` and `error_description`."""
        if not self._server.answered.wait(timeout):
            text = "nobody signed in within the time"
            raise PimError("timeout", text, "start again: pim login   (no browser here? pim login --device)")
        return self._server.answer
