"""A resource manager that is broken, hostile or elsewhere: roles and groups still work, and nothing leaks to it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler

import pytest

from openpim.client.profiles import load_config, save_config
from tests.cli.fake import QuietServer

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, self.headers.get("Authorization", ""), json.loads(body)))
        self._send(*self.server.answer(json.loads(body)))

    def do_GET(self) -> None:
        """One list by itself, as it would be in a batch."""
        self.server.seen.append((self.path, self.headers.get("Authorization", ""), None))
        status, headers, answer = self.server.answer(None)
        if status == 200 and answer.startswith(b'{"responses"'):
            answer = json.dumps(json.loads(answer)["responses"][0].get("content")).encode()
        self._send(status, headers, answer)

    def _send(self, status: int, headers: dict[str, str], answer: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def manager(signed_in):
    server = QuietServer(("127.0.0.1", 0), _Handler)
    server.seen, server.answer = [], None
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = load_config()
    config.choose().arm = server.url
    save_config(config)
    signed_in.fake.make_eligible("Teams Administrator")
    yield server
    server.shutdown()
    server.server_close()


def whole(content: object, status: int = 200) -> bytes:
    one = {"httpStatusCode": status, "content": content}
    return json.dumps({"responses": [{"name": "0", **one}, {"name": "1", **one}]}).encode()


BROKEN = {
    "a page": (200, {}, b"<html>hello"),
    "no object": (200, {}, b"[]"),
    "nothing": (200, {}, b"{}"),
    "no lists": (200, {}, whole({"value": "x"})),
    "a failure": (500, {}, b"oops"),
    "forbidden": (403, {}, b'{"error":{"code":"AuthorizationFailed","message":"no"}}'),
    "each forbidden": (200, {}, whole({"error": {"code": "AuthorizationFailed", "message": "no"}}, 403)),
    "not found, also one by one": (404, {}, b""),
    "a redirect": (302, {"Location": "https://evil.example/"}, b""),
    "the next page elsewhere": (200, {}, whole({"value": [], "nextLink": "https://evil.example/next"})),
    "not signed in": (401, {"WWW-Authenticate": 'Bearer error="invalid_token"'}, b"{}"),
    "no status": (200, {}, json.dumps({"responses": [{"name": "0"}, {"name": "1", "httpStatusCode": "x"}]}).encode()),
    "deep": (200, {}, b"[" * 50_000),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_one_is_left_out_and_said_so_once(manager, signed_in, kind):
    manager.answer = lambda _: BROKEN[kind]
    ran = signed_in("list", "-o", "json")
    assert ran.code == 0, ran
    assert [row["role"] for row in ran.json] == ["Teams Administrator"]
    assert ran.err.count("note: roles on resources") == 1, ran.err
    assert signed_in("activate", "teams").code == 0


def test_rows_that_are_no_rows(manager, signed_in):
    rows = [
        3,
        None,
        {},
        {"properties": 1},
        {"properties": {"scope": [], "roleDefinitionId": {}, "startDateTime": 5}},
    ]
    manager.answer = lambda _: (200, {}, whole({"value": rows}))
    ran = signed_in("list", "active", "-o", "json")
    assert ran.code == 0, ran
    assert ran.err == ""


def test_names_cannot_speak_to_the_terminal(manager, signed_in):
    names = {
        "roleDefinition": {"displayName": "Ow\x1b[2Jner\n"},
        "scope": {"displayName": "pr\x1b]0;x\x07od"},
    }
    given = {"scope": "/subscriptions/s", "roleDefinitionId": f"/x/{OWNER}", "expandedProperties": names}
    row = {"name": "r1", "properties": {**given, "assignmentType": "Activated"}}
    manager.answer = lambda _: (200, {}, whole({"value": [row]}))
    for line in (
        ["list", "active"],
        ["status"],
        ["deactivate", "own", "-o", "json"],
        ["deactivate", "no such role"],
    ):
        ran = signed_in(*line)
        assert "Ow" in ran.out + ran.err, line
        assert "\x1b" not in ran.out + ran.err, line
        assert "\x07" not in ran.out + ran.err, line


def test_each_gets_its_own_token_and_the_refresh_token_neither(manager, signed_in):
    manager.answer = lambda _: (200, {}, whole({"value": []}))
    assert signed_in("list").code == 0
    paths = [path for path, _, _ in manager.seen]
    assert paths == ["/batch?api-version=2020-06-01"]  # one round trip
    kept = json.loads((load_config_home() / "tokens-test.json").read_text())
    token = manager.seen[0][1].removeprefix("Bearer ")
    assert token == kept["others"][manager.url][0]
    assert kept["refresh_token"] not in json.dumps(manager.seen)
    before = len(signed_in.fake.seen)
    assert signed_in("list").code == 0
    assert not any("/token" in path for _, path in signed_in.fake.seen[before:])  # kept, not asked for again


def load_config_home():
    from pathlib import Path

    return Path(load_config().home)
