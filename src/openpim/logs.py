"""What the server says of itself on standard error: one line for each record, as text or as JSON.

A record cannot look like two (what ends a line or moves a terminal is escaped, tracebacks too), and holds no secret: what
looks like a token, a password or a code is taken out, whoever logged it.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TextIO

LEVELS: Final = ("debug", "info", "warning", "error")
FORMATS: Final = ("text", "json")
HIDDEN: Final = "[hidden]"
_LONGEST: Final = 20_000
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NAMES = (
    r"access_token|refresh_token|id_token|client_secret|client_assertion|device_code|user_code|code_verifier|"
    r"password|passwd|passphrase|secret|secretText|token|api[_-]?key|authorization|cookie|set-cookie|code|otp|totp|assertion|"
    r"newPassword|currentPassword|webhook[_-]?secret|private[_-]?key"
)
_SECRETS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}"),
    re.compile(r"\bwhsec_[A-Za-z0-9+/=_-]{8,}"),
    re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),
)
_SCHEMES = re.compile(r"(?i)\b(bearer|basic|splunk)(\s+)[A-Za-z0-9._~+/=:-]{6,}")
_PAIRS = re.compile(
    rf"""(?ix)(["']?\b(?:{_NAMES})\b["']?\s*[=:]\s*)("(?:[^"\\]|\\.)*"[^\s&,;\])}}]*|'(?:[^'\\]|\\.)*'[^\s&,;\])}}]*|[^\s&,;"'\])}}]+)"""
)


def set_up(
    form: str, level: str, *, access: bool, request_id: Callable[[], str], stream: TextIO | None = None
) -> None:
    """From now on all records go there. form: FORMATS. level: LEVELS. access: one record for each request too."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(request_id) if form == "json" else TextLines(request_id))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("openpim.access").setLevel(logging.INFO if access else logging.CRITICAL)
    # What others log at "info" is noise here; what they warn of is not.
    for name in ("uvicorn", "uvicorn.error", "alembic", "sqlalchemy", "apprise", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


class _Lines(logging.Formatter):
    def __init__(self, request_id: Callable[[], str]) -> None:
        super().__init__()
        self._request_id = request_id

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        return without_secrets(super().formatException(ei))

    def said(self, record: logging.LogRecord) -> str:
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - a record that cannot be put together must not be lost
            text = f"{record.msg} (its arguments do not fit)"
        return without_secrets(text)[:_LONGEST]

    def traceback(self, record: logging.LogRecord) -> str:
        """Its beginning and its end."""
        text = self.formatException(record.exc_info) if record.exc_info else ""
        half = _LONGEST // 2
        return text if len(text) <= _LONGEST else f"{text[:half]} … {text[-half:]}"


class TextLines(_Lines):
    """`time level logger [request id] message`; a traceback stands behind it, in one line with it."""

    def format(self, record: logging.LogRecord) -> str:
        request = self._request_id()
        parts = [
            _when(record),
            record.levelname.lower(),
            record.name,
            f"[{request}] " * bool(request) + self.said(record),
        ]
        traceback = self.traceback(record)
        return escaped(" ".join(parts) + (f" | {traceback}" if traceback else ""))


class JsonLines(_Lines):
    """An object for each record: time, level, logger, message, requestId, traceback, and facts of a request."""

    def format(self, record: logging.LogRecord) -> str:
        found: dict[str, Any] = {
            "time": _when(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.said(record),
        }
        if request := self._request_id():
            found["requestId"] = request
        if traceback := self.traceback(record):
            found["traceback"] = traceback
        facts = getattr(record, "facts", None)
        if isinstance(facts, dict):
            found |= {name: value for name, value in facts.items() if name not in found}
        return json.dumps(found, default=str)


def without_secrets(text: str) -> str:
    """The text, with what looks like a secret taken out."""
    for secret in _SECRETS:
        text = secret.sub(HIDDEN, text)
    text = _SCHEMES.sub(rf"\1\2{HIDDEN}", text)
    return _PAIRS.sub(rf"\1{HIDDEN}", text)


def escaped(text: str) -> str:
    """On one line, and nothing a terminal obeys; what was there can still be seen."""
    return _CONTROLS.sub(
        lambda found: found[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text
    )


def _when(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
