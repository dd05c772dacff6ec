"""A service as a stranger would write it from docs/reference/webhook-target.md, with the standard library alone: it really lets people in
(`GET /door/{entitlement}` as `X-User`) and keeps them out. test_service.py holds that the page shows the same code.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any

JSON = ("Content-Type", "application/json")


class Service:
    """entitlements: what there is. access: {(subject, entitlement): until}."""

    def __init__(
        self, secret: str, entitlements: list[str], *, ends: bool = False, clock: Any = time.time
    ) -> None:
        self.key = base64.b64decode(secret.removeprefix("whsec_"))
        self.entitlements = entitlements
        self.clock = clock
        self.ends = ends  # whether access ends here by itself
        self.access: dict[tuple[str, str], str | None] = {}
        self.sessions: set[str] = set()  # who is signed in
        self.epoch = 0
        self.seen: dict[str, float] = {}

    def __call__(self, environ: Any, start: Any) -> list[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            return self.door(environ, start)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if not self.signed(environ, body):
            start("401 Unauthorized", [JSON])
            return [b'{"error": "the signature is not right"}']
        call = json.loads(body)
        status, answer = getattr(self, call["type"].replace(".", "_"))(call["data"])
        start(status, [JSON])
        return [json.dumps(answer).encode()]

    def signed(self, environ: Any, body: bytes) -> bool:
        """Right, not older than five minutes, and not seen before."""
        message, stamp = environ.get("HTTP_WEBHOOK_ID", ""), environ.get("HTTP_WEBHOOK_TIMESTAMP", "0")
        wanted = hmac.new(self.key, f"{message}.{stamp}.".encode() + body, hashlib.sha256).digest()
        offered = environ.get("HTTP_WEBHOOK_SIGNATURE", "").split()
        right = any(hmac.compare_digest(b"v1," + base64.b64encode(wanted), one.encode()) for one in offered)
        now = self.clock()
        self.seen = {one: at for one, at in self.seen.items() if now - at < 600}
        if not right or abs(now - int(stamp)) > 300 or message in self.seen:
            return False
        self.seen[message] = now
        return True

    def access_ping(self, data: Any) -> tuple[str, Any]:
        unknown = [one for one in data["entitlements"] if one not in self.entitlements]
        return "200 OK", {"version": "my service 1.0", "unknown": unknown}

    def access_read(self, data: Any) -> tuple[str, Any]:
        wanted = data["entitlements"]
        edges = [
            {"subject": subject, "entitlement": entitlement, "until": until}
            for (subject, entitlement), until in self.access.items()
            if entitlement in wanted and self.holds(subject, entitlement)
        ]
        return "200 OK", {"edges": edges}

    def access_apply(self, data: Any) -> tuple[str, Any]:
        if data["epoch"] < self.epoch:  # somebody later has written
            return "409 Conflict", {"error": "fenced"}
        self.epoch = data["epoch"]
        results = []
        for one in data["operations"]:
            key = (one["subject"], one["entitlement"])
            if one["entitlement"] not in self.entitlements:
                results.append({"error": "there is no such entitlement"})
                continue
            if one["op"] == "grant":
                self.access[key] = one["until"]
            else:
                self.access.pop(key, None)
            results.append({})
        return "200 OK", {"results": results}

    def access_sever(self, data: Any) -> tuple[str, Any]:
        kept = {one["subject"] for one in data["kept"]}
        for one in data["ended"]:
            if one["subject"] not in kept:
                self.sessions.discard(one["subject"])
        return "200 OK", {"results": [{} for _ in data["ended"]]}

    def holds(self, subject: str, entitlement: str) -> bool:
        until = self.access.get((subject, entitlement), "")
        if until == "":
            return False
        over = until is not None and datetime.fromisoformat(until) <= datetime.fromtimestamp(
            self.clock(), UTC
        )
        return not (self.ends and over)

    def door(self, environ: Any, start: Any) -> list[bytes]:
        """What is protected."""
        entitlement = environ["PATH_INFO"].removeprefix("/door/")
        allowed = self.holds(environ.get("HTTP_X_USER", ""), entitlement)
        start("200 OK" if allowed else "403 Forbidden", [JSON])
        return [b'"come in"' if allowed else b'"no"']
