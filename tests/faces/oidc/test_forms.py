"""The sign-in pages under attack: forged and stale forms, guessing, lock-out of others, replayed codes, fixation."""

from __future__ import annotations

import json

import pytest

from openpim.core.first_party import PIM
from openpim.services.signin.bearer import authenticate
from tests.signin_world import ADA, BOB, PASSWORD, A, World, authorize_params

MFA = json.dumps({"access_token": {"amr": {"essential": True, "values": ["mfa"]}}})


def test_a_form_from_another_site(world: World) -> None:
    browser = world.browser()
    browser.authorize()
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        data = {**browser.fields("password"), "username": "ada@contoso.example", "password": PASSWORD}
        assert browser.client.post("/signin/step", data=data, headers=headers).status_code == 403
    browser.submit(
        "password", {"Origin": "https://localhost:8443"}, username="ada@contoso.example", password=PASSWORD
    )
    assert "code" in browser.result


def test_a_form_made_in_another_browser(world: World) -> None:
    attacker, victim = world.browser(), world.browser()
    attacker.authorize()
    victim.authorize()
    stolen = {**attacker.fields("password"), "username": "ada@contoso.example", "password": PASSWORD}
    answer = victim.client.post("/signin/step", data=stolen)
    assert answer.status_code == 400
    assert "__Host-openpim-session" not in victim.client.cookies
    victim.client.cookies.clear()
    assert victim.client.post("/signin/step", data=stolen).status_code == 400


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("flow", ["", "x", "é", "A" * 60, "A" * 5000])
def test_a_forged_flow(world: World, flow: str) -> None:
    browser = world.browser()
    browser.authorize()
    answer = browser.client.post("/signin/step", data={"flow": flow, "step": "password", "username": "x"})
    assert answer.status_code == 400


def test_a_flow_with_an_unknown_step_or_too_old(world: World) -> None:
    browser = world.browser()
    browser.authorize()
    flow = browser.fields("password")["flow"]
    assert browser.client.post("/signin/step", data={"flow": flow, "step": "root"}).status_code == 400
    world.move(hours=2)
    assert browser.sign_in().status_code == 400


def test_steps_cannot_be_skipped(world: World) -> None:
    """Each step reads the facts anew: nobody confirms, chooses or enrols his way past the password."""
    browser = world.browser()
    browser.authorize(claims=MFA)
    flow = browser.fields("password")["flow"]
    for step in ("code", "enrol", "recovery_codes", "account", "tenant", "confirm_device"):
        data = {"flow": flow, "step": step, "choice": "yes", "code": "000000", "tenant": A}
        page = browser.client.post("/signin/step", data=data)
        assert page.status_code == 200
        assert "Password" in page.text
    browser.sign_in("bob@contoso.example")
    flow = browser.fields("code")["flow"]
    page = browser.client.post("/signin/step", data={"flow": flow, "step": "enrol", "code": "000000"})
    assert "Code from your authenticator" in page.text, (
        "an enrolled second factor cannot be replaced with a password"
    )


def test_cancel_tells_the_client(world: World) -> None:
    browser = world.browser()
    browser.authorize()
    browser.submit("cancel")
    assert browser.result["error"] == "access_denied"


def test_wrong_password_and_unknown_name_look_the_same(world: World) -> None:
    browser = world.browser()
    texts = []
    for name in ("ada@contoso.example", "nobody@contoso.example", "x", "", "a" * 400, "ada@nowhere.example"):
        browser.authorize()
        page = browser.sign_in(name, "wrong")
        assert page.status_code == 400
        texts.append(page.text.split('role="alert">')[1].split("<")[0])
    assert len(set(texts)) == 1


def test_guessing_is_slowed_by_account_and_network(world: World) -> None:
    attacker = world.browser("192.0.2.66")
    attacker.authorize()
    for _ in range(5):
        assert attacker.sign_in(password="guess").status_code == 400
    page = attacker.sign_in(password=PASSWORD)
    assert page.status_code == 429, "not even the right password is looked at"
    assert int(page.headers["retry-after"]) >= 1
    world.move(minutes=1)
    attacker.sign_in(password=PASSWORD)
    assert "code" in attacker.result


def test_nobody_can_lock_somebody_else_out(world: World) -> None:
    attacker = world.browser("192.0.2.66")
    attacker.authorize()
    for _ in range(30):
        attacker.sign_in(password="guess")
        world.move(seconds=2)
    elsewhere = world.browser("203.0.113.9")
    elsewhere.code()


def test_a_known_browser_is_not_slowed_by_its_neighbours(world: World) -> None:
    mine = world.browser("198.51.100.1")
    mine.code()
    neighbour = world.browser("198.51.100.1")
    neighbour.authorize()
    for _ in range(8):
        neighbour.sign_in(password="guess")
    assert neighbour.page.status_code == 429
    mine.authorize(prompt="login")
    mine.sign_in()
    assert "code" in mine.result, "same network, but this browser is known"


def test_one_network_cannot_try_all_accounts(world: World) -> None:
    attacker = world.browser("192.0.2.66")
    attacker.authorize()
    statuses = {
        attacker.sign_in(f"user{number}@contoso.example", "Spring2026!").status_code for number in range(60)
    }
    assert 429 in statuses
    assert world.browser("203.0.113.9").code()


def test_many_good_sign_ins_from_one_network(world: World) -> None:
    for _ in range(60):
        world.browser("203.0.113.50").code()


def test_a_code_of_the_second_factor_works_once(world: World) -> None:
    code = world.code_of(BOB)
    first, second = world.browser(), world.browser()
    for browser in (first, second):
        browser.authorize(claims=MFA)
        browser.sign_in("bob@contoso.example")
    first.submit("code", code=code)
    assert "code" in first.result
    second.submit("code", code=code)
    assert second.page.status_code == 400
    world.move(seconds=30)
    second.submit("code", code=f"{world.code_of(BOB)[:3]} {world.code_of(BOB)[3:]}")
    assert "code" in second.result


def test_the_clock_may_be_one_step_off(world: World) -> None:
    from datetime import timedelta

    import pyotp

    totp = pyotp.TOTP(world.seeds[BOB])
    for off, good in ((-60, False), (60, False), (-30, True), (30, True)):
        browser = world.browser()
        browser.authorize(claims=MFA)
        browser.sign_in("bob@contoso.example")
        browser.submit("code", code=totp.at(world.now[0] + timedelta(seconds=off)))
        assert (browser.page.status_code == 303) is good, off
        world.move(minutes=5)


def test_guessing_the_second_factor_is_slowed(world: World) -> None:
    browser = world.browser()
    browser.authorize(claims=MFA)
    browser.sign_in("bob@contoso.example")
    for _ in range(5):
        assert browser.submit("code", code="000000").status_code == 400
    other = world.browser("192.0.2.200")
    other.authorize(claims=MFA)
    other.sign_in("bob@contoso.example")
    assert other.submit("code", code=world.code_of(BOB)).status_code == 429, (
        "counted by account, from wherever"
    )


def test_a_planted_session_cookie_does_not_survive_sign_in(world: World) -> None:
    browser = world.browser()
    browser.client.cookies.set("__Host-openpim-session", "planted", domain="localhost.local", path="/")
    browser.authorize()
    browser.sign_in()
    assert "planted" not in browser.page.headers["set-cookie"]
    attacker = world.browser()
    attacker.client.cookies.set("__Host-openpim-session", "planted", domain="localhost.local", path="/")
    assert attacker.authorize().status_code == 200


def test_a_new_sign_in_ends_the_former_session(world: World) -> None:
    browser = world.browser()
    browser.code()
    former = browser.client.cookies["__Host-openpim-session"]
    browser.authorize(prompt="login")
    browser.sign_in()
    thief = world.browser()
    thief.client.cookies.set("__Host-openpim-session", former, domain="localhost.local", path="/")
    assert thief.authorize().status_code == 200


def test_sessions_time_out(world: World) -> None:
    browser = world.browser()
    browser.code()
    world.move(hours=11)
    browser.authorize()
    assert "code" in browser.result
    world.move(hours=11)
    browser.authorize()
    assert "code" in browser.result, "use keeps it alive"
    world.move(hours=13)
    assert browser.authorize().status_code == 200, "idle"
    browser.sign_in()
    for _ in range(17):
        world.move(hours=10)
        browser.authorize()
    assert browser.page.status_code == 200, "past the absolute end"


def test_changing_the_password_ends_everything(world: World) -> None:
    from openpim.services.credentials import set_password

    browser = world.browser()
    body = browser.tokens()
    world.write(A, lambda tx: set_password(tx, world.signin, ADA, "another long password"))
    assert authenticate(world.deps, world.signin.tokens, "Bearer " + body["access_token"]).code == "sign_in"
    assert browser.authorize().status_code == 200
    assert browser.sign_in().status_code == 400
    browser.sign_in(password="another long password")
    assert "code" in browser.result


def test_own_settings_demand_the_second_factor(database_url: str) -> None:
    from tests.signin_world import make_world

    world = make_world(database_url, mfa_at_sign_in="enrolled")
    browser = world.browser()
    browser.authorize()
    browser.sign_in("bob@contoso.example")
    assert "authenticator" in browser.page.text
    assert "__Host-openpim-session" not in browser.client.cookies, "half a sign-in is no session"
    browser.submit("code", code=world.code_of(BOB))
    assert "code" in browser.result
    world.deps.store.close()


def test_without_self_enrolment(database_url: str) -> None:
    from tests.signin_world import make_world

    world = make_world(database_url, totp_self_enrolment=False)
    browser = world.browser()
    browser.authorize(claims=MFA)
    browser.sign_in()
    assert browser.result["error"] == "access_denied"
    world.deps.store.close()


# ------------------------------------------------------------------------------------------ malformed


FORM = "application/x-www-form-urlencoded"
POSTS = [
    f"/{A}/oauth2/v2.0/token",
    f"/{A}/oauth2/v2.0/devicecode",
    f"/{A}/oauth2/v2.0/introspect",
    f"/{A}/oauth2/v2.0/revoke",
    f"/{A}/oauth2/v2.0/authorize",
    f"/{A}/oauth2/v2.0/logout",
    "/signin/step",
    "/signin/signout",
]
BODIES = [
    (b"grant_type=%ff%fe", FORM),
    (b"\xff\xfe=\xff", FORM),
    (b"grant_type=a&grant_type=b", FORM),
    (b"a=" + b"x" * (10 << 20), FORM),
    (b"a=%00", FORM),
    (b"&".join(b"f%d=1" % n for n in range(500)), FORM),
    (b'{"grant_type":"x"}', "application/json"),
    (b"--x\r\n", "multipart/form-data; boundary=x"),
]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", POSTS)
def test_malformed_bodies(world: World, path: str) -> None:
    client = world.browser().client
    for body, kind in BODIES:
        answer = client.post(path, content=body, headers={"Content-Type": kind})
        assert 400 <= answer.status_code < 500, (body[:40], answer.status_code)
        if len(body) > 1 << 20:
            assert answer.status_code == 413
        if "oauth2" in path and "authorize" not in path and "logout" not in path:
            assert answer.json()["error"]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "query",
    [
        b"client_id=%ff",
        b"client_id=a&client_id=b",
        b"client_id=" + b"x" * 20000,
        b"client_id=%00",
        b"%",
        b"=&=&&",
        b"client_id=%C3%A9",
    ],
)
def test_malformed_queries(world: World, query: bytes) -> None:
    client = world.browser().client
    for path in (f"/{A}/oauth2/v2.0/authorize", f"/{A}/oauth2/v2.0/logout"):
        request = client.build_request("GET", f"https://localhost:8443{path}")
        request.url = request.url.copy_with(query=query)
        answer = client.send(request)
        assert answer.status_code < 500


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_surrogates_and_odd_text_in_fields(world: World) -> None:
    browser = world.browser()
    browser.authorize()
    for text in ("\U0001f600" * 50, "\u202e", "é" * 300, "a\nb", "'; drop table users;--", "%s%n"):
        page = browser.sign_in(text, text)
        assert page.status_code in {400, 429}
    params = authorize_params(login_hint="\U0001f600", client_id=PIM)
    assert browser.client.get(f"/{A}/oauth2/v2.0/authorize", params=params).status_code == 200
