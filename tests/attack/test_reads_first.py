"""SQLite has one writer. Whoever knows nothing must not hold it: a made-up cookie, code or token is only looked up."""

from __future__ import annotations

from typing import Any

import pytest

from openpim.core.first_party import PIM
from tests.signin_world import LOOPBACK, VERIFIER, WEB, WEB_SECRET, A, World

SESSION = "__Host-openpim-session"


@pytest.fixture
def writes(signin_world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The units of work that were written from here on."""
    signin_world.signin.tokens.keys.current()
    found: list[str] = []
    store = signin_world.deps.store
    write = store.write

    def counted(tenant_id: str, work: Any) -> Any:
        found.append(tenant_id)
        return write(tenant_id, work)

    monkeypatch.setattr(store, "write", counted)
    return found


def test_a_made_up_cookie(signin_world: World, writes: list[str]) -> None:
    browser = signin_world.browser()
    browser.client.cookies.set(SESSION, "made-up")
    assert browser.authorize().status_code == 200
    assert browser.submit("password", username="", password="").status_code in {200, 400}
    del writes[:]  # a try at a password is counted, and that is written
    for step in ("recovery_codes", "account", "tenant", "code", "enrol"):
        browser.client.post("/signin/step", data={**browser.fields("password"), "step": step})
    browser.get(f"/{A}/oauth2/v2.0/logout")
    assert writes == []


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "authorization_code", "code": "opimac_made-up", "code_verifier": VERIFIER},
        {"grant_type": "refresh_token", "refresh_token": "opimrt_made-up"},
        {"grant_type": "device_code", "device_code": "made-up"},
    ],
)
def test_a_made_up_secret(signin_world: World, writes: list[str], form: dict[str, str]) -> None:
    answer = signin_world.browser().token(client_id=PIM, redirect_uri=LOOPBACK, **form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert writes == []


@pytest.mark.parametrize("address", ["introspect", "revoke"])
def test_a_made_up_token(signin_world: World, writes: list[str], address: str) -> None:
    browser = signin_world.browser()
    form = {"client_id": WEB, "client_secret": WEB_SECRET, "token": "opimrt_made-up"}
    assert browser.post(f"/{A}/oauth2/v2.0/{address}", **form).status_code == 200
    assert (
        browser.post(f"/{A}/oauth2/v2.0/{address}", **{**form, "client_secret": "x" * 30}).status_code == 401
    )
    assert writes == []


def test_a_real_one_is_written(signin_world: World, writes: list[str]) -> None:
    browser = signin_world.browser()
    browser.tokens()
    assert writes
