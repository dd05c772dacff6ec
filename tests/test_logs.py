"""One record is one line, whatever is in it; and no secret gets into it, whoever logs it."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable, Iterator

import pytest

from openpim import logs
from openpim.faces.shared.metering import face_of, shown

HOSTILE = (
    "two\nlines",
    "a\r\n2026-11-02T09:00:00.000Z error openpim forged",
    "\x1b[2J\x1b[31mred",
    "next\x85line\u2028and\u2029more",
    "turned \u202e around \u2066",
    "nul \x00 bell \x07 delete \x7f",
    "half \ud800 of a pair",
    'quotes " and \\ and {braces} %s %(x)s',
    "x" * 100_000,
)
SECRETS = (
    "Authorization: Bearer abcdef0123456789",
    "authorization=Basic dXNlcjpwYXNzd29yZA==",
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl",
    "grant_type=refresh_token&refresh_token=SECRET0123456789&client_id=x",
    '{"client_secret": "SECRET01\\"23456789"}',
    "{'password': 'SECRET0123456789'}",
    "https://x/cb?code=SECRET0123456789&state=1",
    "postgresql://openpim:SECRET0123456789@db/openpim",
    "whsec_SECRET0123456789abcdef",
    "-----BEGIN PRIVATE KEY-----\nSECRET0123456789\n-----END PRIVATE KEY-----",
    "secretText: SECRET0123456789",
    "X-Api-Key: SECRET0123456789",
    "device_code=SECRET0123456789",
    "otp=SECRET0123456789",
    "Cookie: SECRET0123456789",
)
LEAKS = re.compile(r"SECRET|23456789|abcdef0123|dXNlcjpw|eyJzdWIi|c2lnbmF0")


@pytest.fixture(params=logs.FORMATS)
def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """The lines so far. The set-up of the tests is put back."""
    # pytest keeps what is logged for its report, and cannot pass half a character on to another process.
    monkeypatch.setattr("_pytest.logging.LogCaptureHandler.emit", lambda *_: None)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    out = io.StringIO()
    logs.set_up(request.param, "info", access=True, request_id=lambda: "req-1", stream=out)
    yield lambda: out.getvalue().split("\n")[:-1]
    root.handlers[:], level = before
    root.setLevel(level)
    logging.getLogger("openpim.access").setLevel(logging.NOTSET)


def plain(line: str) -> bool:
    return not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", line)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_record_is_one_line(log: Callable[[], list[str]], text: str) -> None:
    logging.getLogger("openpim").warning("said %s", text)
    logging.getLogger(f"openpim.{text[:20]}").warning(text)
    try:
        raise ValueError(text)
    except ValueError:
        logging.getLogger("openpim").exception("it failed")
    lines = log()
    assert len(lines) == 3
    assert all(plain(line) and "req-1" in line for line in lines)
    assert all("Traceback" in line for line in lines[2:])
    assert all(len(line) < 200_000 for line in lines)


@pytest.mark.parametrize("text", SECRETS)
def test_no_secret_is_written(log: Callable[[], list[str]], text: str) -> None:
    logger = logging.getLogger("openpim")
    logger.warning(text)
    logger.warning("sent %r", text)
    logger.warning("sent %s", {"body": text})
    try:
        raise ValueError(text)
    except ValueError:
        logger.exception("it failed")
    assert len(log()) == 4
    for line in log():
        assert not LEAKS.search(line), line
        assert logs.HIDDEN in line


def test_what_is_no_secret_stays(log: Callable[[], list[str]]) -> None:
    text = "request 11111111-0000-4000-8000-000000000001 failed: no such token endpoint, code 404"
    logging.getLogger("openpim").warning(text)
    assert "11111111-0000-4000-8000-000000000001 failed: no such token endpoint" in log()[0]


def test_a_record_whose_arguments_do_not_fit_is_not_lost() -> None:
    record = logging.makeLogRecord(
        {"msg": "%d of %d", "args": ("x",), "name": "openpim", "levelname": "INFO"}
    )
    assert "do not fit" in logs.TextLines(lambda: "").format(record)


def test_json_is_json() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logs.JsonLines(lambda: ""))
    record = logging.makeLogRecord(
        {"name": "openpim", "levelname": "INFO", "msg": "x", "facts": {"status": 200, "message": "forged"}}
    )
    handler.emit(record)
    found = json.loads(out.getvalue())
    assert (found["message"], found["status"], found["level"]) == ("x", 200, "info")
    assert "requestId" not in found


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/setup/KbqZLnCvxo6lAbpG3PRjT5JHhYoMC1Rw2ANfkW3KROY", "/setup/…"),
        ("/demo/KbqZLnCvxo6lAbpG3PRjT5JHhYoMC1Rw2ANfkW3KROY/", "/demo/…/"),
        (
            "/v1.0/users/11111111-0000-4000-8000-000000000001",
            "/v1.0/users/11111111-0000-4000-8000-000000000001",
        ),
        (
            "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances",
            "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances",
        ),
    ],
)
def test_links_that_work_once_are_not_shown(path: str, seen: str) -> None:
    assert shown(path) == seen


@pytest.mark.parametrize(
    ("path", "face"),
    [("/v1.0/me", "graph"), ("/BETA/x", "graph"), ("/portal", "portal"), ("/common/oauth2/token", "sign-in"),
     ("/metrics", "health"), ("", "sign-in"), ("//", "sign-in"), ("/ann@contoso.com", "sign-in")],
)  # fmt: skip
def test_a_face_is_one_of_few(path: str, face: str) -> None:
    assert face_of(path) == face
