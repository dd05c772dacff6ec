"""A real mail server for the tests: takes what it is sent and keeps it; can be killed and started again on its port."""

from __future__ import annotations

import socket
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

USER, PASSWORD = "pim", "correct horse"


@dataclass
class Sink:
    """tls: "none", "starttls" or "tls", with `context` for the latter two. auth: USER and PASSWORD are asked for.
    dies_after: it hangs up in the middle of the letter behind so many. answers: what the coming recipients are answered, before "250 OK"; data_answers: the coming letters."""

    context: ssl.SSLContext | None = None
    tls: str = "none"
    auth: bool = False
    port: int = 0
    answers: list[str] = field(default_factory=list)
    data_answers: list[str] = field(default_factory=list)
    letters: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: int = 0
    dies_after: int | None = None
    _came: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        if not self.port:
            with socket.create_server(("127.0.0.1", 0)) as probe:
                self.port = int(probe.getsockname()[1])
        self._controller: Controller | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        more: dict[str, Any] = {}
        if self.tls == "starttls":
            more = {"tls_context": self.context, "require_starttls": True}
        if self.auth:
            more |= {
                "authenticator": self._authenticate,
                "auth_required": True,
                "auth_require_tls": self.tls == "starttls",
            }
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            ssl_context=self.context if self.tls == "tls" else None,
            **more,
        )
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def wait(self, count: int, seconds: float = 0.2) -> None:
        """Until so many letters have come, or so long."""
        with self._came:
            self._came.wait_for(lambda: len(self.letters) >= count, seconds)

    def _authenticate(
        self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any
    ) -> AuthResult:
        self.logins += 1
        fine = isinstance(given, LoginPassword) and (given.login, given.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        return AuthResult(success=fine, handled=False)

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:
        if self.dies_after is not None and len(self.letters) >= self.dies_after:
            server.transport.abort()  # as a process that is killed
            return "451 Never said"
        answer = self.data_answers.pop(0) if self.data_answers else "250 OK"
        if answer.startswith("250"):
            self.raw.append(envelope.content)
            self.letters.append(message_from_bytes(envelope.content, policy=POLICY))  # type: ignore[arg-type]
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
            with self._came:
                self._came.notify_all()
        return answer
