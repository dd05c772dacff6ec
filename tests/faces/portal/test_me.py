"""My sessions and my sign-in methods: whose they are, what a change asks for, and what is shown only once."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest

from openpim.core.audit import AuditEvent
from openpim.core.query import Compare, Query
from openpim.core.signin.values import Account, Session
from openpim.faces.oidc.cookies import SESSION
from openpim.services.credentials import put_totp, set_password
from openpim.services.signin.factors import TOTP_PURPOSE
from tests.faces.portal.client import Browser, Shown, Site

PASSWORD = "correct horse battery"
NEXT = "a staple nobody expects"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def typed(**fields: str) -> dict[str, str]:
    """What proves somebody, under the names of the fields."""
    return {f"secret-{name}": value for name, value in fields.items()}


@pytest.fixture
def ann(site: Site) -> Browser:
    """Ann has a password and an authenticator."""
    world = site.world
    world.write(lambda tx: set_password(tx, site.signin, world.ann, PASSWORD))
    world.write(lambda tx: put_totp(tx, site.signin, world.ann, SEED))
    return site.browser(world.ann)


def code(site: Site, seed: str = SEED) -> str:
    """A code that was not used yet."""
    site.world.now += timedelta(seconds=30)
    return pyotp.TOTP(seed).at(site.world.now)


def sessions(site: Site, who: str) -> list[Session]:
    return site.world.read(lambda tx: tx.sessions.of(Account(site.world.tenant_id, who)))


def events(site: Site, activity: str) -> list[AuditEvent]:
    query = Query(Compare("activity", "eq", activity), limit=50)
    return list(site.world.read(lambda tx: tx.audit.page(query)).items)


def recovery_codes(page: Shown) -> list[str]:
    return re.findall(r"<code>((?:[a-z0-9]{4}-){3}[a-z0-9]{4})</code>", page.html)


def seed_of(site: Site, who: str) -> str | None:
    known = site.world.read(lambda tx: tx.credentials.get(who))
    return site.signin.sealer.unseal(TOTP_PURPOSE, known.totp) if known and known.totp else None


def test_the_key_can_be_scanned(site: Site, ann: Browser) -> None:
    page = ann.get("/portal/me/authenticator")
    drawn = re.findall(r'<svg role="img" aria-label="QR code of the key".*?</svg>', page.html, re.DOTALL)
    assert len(drawn) == 1
    assert "style" not in drawn[0]
    again = ann.get("/portal/me/authenticator").html
    assert drawn[0] not in again, "another key, another picture"


# ---------------------------------------------------------------- sessions


def test_where_one_is_signed_in_is_shown(site: Site, ann: Browser) -> None:
    site.browser(site.world.ann, mfa=False)
    site.browser(site.world.bob)
    page = ann.get("/portal/me")
    assert page.status == 200
    assert page.text.count("This browser") == 1
    assert page.text.count("Signed in") == 2
    assert "MFA" in page.text


def test_one_session_is_ended_and_the_other_stays(site: Site, ann: Browser) -> None:
    other = site.browser(site.world.ann)
    mine = next(one for one in sessions(site, site.world.ann) if one.id not in other.get("/portal/me").text)
    listed = re.findall(r'name="session" value="([^"]+)"', ann.get("/portal/me").html)
    first, second = listed
    assert mine.id in listed
    ann.post("/portal/me/sessions/end", session=second)
    assert "ended" in ann.follow().text
    assert other.get("/portal/roles").status == 401
    assert ann.get("/portal/roles").status == 200
    assert [dict(one.details)["session"] for one in events(site, "End session")] == [second]
    ann.post("/portal/me/sessions/end", session=second)
    assert "already" in ann.follow().text
    assert ann.post("/portal/me/sessions/end", session=first).to == "/portal"
    assert ann.get("/portal/roles").status == 401


def test_all_others_are_ended(site: Site, ann: Browser) -> None:
    others = [site.browser(site.world.ann) for _ in range(3)]
    bob = site.browser(site.world.bob)
    ann.get("/portal/me")
    ann.send("/portal/me/sessions/end-others")
    assert "3 other browsers" in ann.follow().text
    assert [one.get("/portal/roles").status for one in [*others, ann, bob]] == [401, 401, 401, 200, 200]
    assert [one.actor_id for one in events(site, "End all other sessions")] == [site.world.ann]


def test_other_peoples_sessions_cannot_be_ended(site: Site, ann: Browser) -> None:
    bob = site.browser(site.world.bob)
    theirs = sessions(site, site.world.bob)[0].id
    ann.post("/portal/me/sessions/end", session=theirs)
    assert "ended already" in ann.follow().text  # no more is said of what is not his
    assert bob.get("/portal/roles").status == 200
    admin = site.browser(site.world.ga)
    admin.post("/portal/me/sessions/end", session=theirs)
    assert bob.get("/portal/roles").status == 200
    assert events(site, "End session") == []


# ---------------------------------------------------------------- password


def test_the_password_is_changed_with_proof(site: Site, ann: Browser) -> None:
    other = site.browser(site.world.ann)
    ann.get("/portal/me/password")
    page = ann.send("/portal/me/password", **typed(password=PASSWORD, code=code(site), new=NEXT, repeat=NEXT))
    assert page.to == "/portal/me/methods", page.text
    assert "changed" in ann.follow().text
    assert other.get("/portal/roles").status == 401
    assert ann.get("/portal/roles").status == 200
    assert [one.actor_id for one in events(site, "Change password")] == [site.world.ann]
    ann.get("/portal/me/password")
    again = ann.send(
        "/portal/me/password",
        **typed(password=PASSWORD, code=code(site), new="x" + NEXT, repeat="x" + NEXT),
    )
    assert "not your password" in again.text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": "wrong"}, "not your password"),
        ({"password": ""}, "Type your password"),
        ({"code": "000000"}, "code is wrong"),
        ({"code": ""}, "code is wrong"),
        ({"repeat": "another one"}, "not the same"),
        ({"new": "short", "repeat": "short"}, "too short"),
        ({"new": PASSWORD, "repeat": PASSWORD}, "password you have"),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_without_proof_nothing_changes(site: Site, ann: Browser, wrong: dict[str, str], said: str) -> None:
    before = site.world.read(lambda tx: tx.credentials.get(site.world.ann))
    ann.get("/portal/me/password")
    fields = typed(**{"password": PASSWORD, "code": code(site), "new": NEXT, "repeat": NEXT, **wrong})
    page = ann.send("/portal/me/password", **fields)
    assert page.status in {400, 401}, page.text
    assert said in page.text
    after = site.world.read(lambda tx: tx.credentials.get(site.world.ann))
    assert before is not None
    assert after is not None
    assert (before.password, before.totp) == (after.password, after.totp)
    for secret in fields.values():
        assert len(secret) < 6 or secret not in page.html


def test_guesses_are_counted(site: Site, ann: Browser) -> None:
    seen = set()
    for _ in range(12):
        ann.get("/portal/me/recovery-codes")
        seen.add(ann.send("/portal/me/recovery-codes", **typed(password="wrong", code="1")).status)
    assert 429 in seen


def test_a_form_that_waits_for_a_sign_in_carries_no_secret(site: Site, ann: Browser) -> None:
    """The session ended while the form was open: it comes back without what was typed as proof."""
    ann.get("/portal/me/password")
    fields = {**ann.page.form("/portal/me/password"), **typed(password=PASSWORD, code=code(site), new=NEXT)}  # type: ignore[union-attr]
    site.browser(site.world.ann).post("/portal/me/sessions/end-others")
    page = ann.post("/portal/me/password", **fields)
    assert page.status == 401
    again = {"username": _name(site), "password": PASSWORD}
    page = ann.post("/signin/step", **{**page.form("/signin/step"), **again})
    page = ann.post("/signin/step", **{**page.form("/signin/step"), "code": code(site)})
    assert "/portal/me/password" in page.html
    assert PASSWORD not in page.html
    assert NEXT not in page.html


def _name(site: Site) -> str:
    user = site.world.read(lambda tx: tx.users.get(site.world.ann))
    assert user is not None
    return user.user_principal_name


# ---------------------------------------------------------------- authenticator


def shown_seed(page: Shown) -> str:
    found = re.search(r"otpauth://[^\"]*secret=([A-Z2-7]+)", page.html)
    assert found is not None
    return found.group(1)


def test_an_authenticator_is_replaced_and_the_old_one_is_dead(site: Site, ann: Browser) -> None:
    new = shown_seed(ann.get("/portal/me/authenticator"))
    assert new != SEED
    assert SEED not in ann.get("/portal/me").html
    page = ann.get("/portal/me/authenticator")
    new = shown_seed(page)
    old_code = code(site)
    fields = typed(password=PASSWORD, code=old_code, new_code=pyotp.TOTP(new).at(site.world.now))
    form = {**page.form("/portal/me/authenticator"), **fields}
    done = ann.post("/portal/me/authenticator", **form)
    codes = recovery_codes(done)
    assert len(set(codes)) == 10, done.text
    assert seed_of(site, site.world.ann) == new
    assert [one.actor_id for one in events(site, "Replace second factor")] == [site.world.ann]
    # Sent again, it shows nothing and changes nothing: the codes were shown once.
    again = ann.post("/portal/me/authenticator", **form)
    assert again.status == 409
    assert recovery_codes(again) == []
    assert all(one not in again.html for one in codes)
    assert seed_of(site, site.world.ann) == new
    ann.get("/portal/me/recovery-codes")
    stale = ann.send("/portal/me/recovery-codes", **typed(password=PASSWORD, code=code(site, SEED)))
    assert recovery_codes(stale) == []
    # Nothing of it stands on any later page.
    for path in ("/portal/me", "/portal/me/methods", "/portal/audit"):
        html = ann.get(path).html
        assert new not in html
        assert all(one not in html for one in codes)


def test_a_seed_belongs_to_the_session_it_was_shown_in(site: Site, ann: Browser) -> None:
    """Somebody else's form, with a seed that he knows, is not taken."""
    bob = site.browser(site.world.bob)
    planted = bob.get("/portal/me/authenticator")
    token = planted.form("/portal/me/authenticator")["seed"]
    ann.get("/portal/me/authenticator")
    proof = typed(password=PASSWORD, code=code(site))
    known = pyotp.TOTP(shown_seed(planted)).at(site.world.now)
    page = ann.send("/portal/me/authenticator", seed=token, **proof, **typed(new_code=known))
    assert page.status == 409
    assert seed_of(site, site.world.ann) == SEED
    ann.get("/portal/me/authenticator")
    site.world.now += timedelta(minutes=61)
    ann.open_session(site.world.ann)
    assert (
        "too old"
        in ann.send("/portal/me/authenticator", token=ann.token, **proof, **typed(new_code="1")).text
    )


def test_a_wrong_code_keeps_the_key_that_was_scanned(site: Site, ann: Browser) -> None:
    new = shown_seed(ann.get("/portal/me/authenticator"))
    page = ann.send("/portal/me/authenticator", **typed(password=PASSWORD, code="000000", new_code="000000"))
    assert shown_seed(page) == new
    assert seed_of(site, site.world.ann) == SEED
    now_code = code(site)  # was not used up by the try
    page = ann.send(
        "/portal/me/authenticator",
        **typed(password=PASSWORD, code=now_code, new_code=pyotp.TOTP(new).at(site.world.now)),
    )
    assert len(recovery_codes(page)) == 10


def test_a_first_authenticator_needs_the_password(site: Site) -> None:
    world = site.world
    world.write(lambda tx: set_password(tx, site.signin, world.bob, PASSWORD))
    bob = site.browser(world.bob, mfa=False)
    new = shown_seed(bob.get("/portal/me/authenticator"))
    new_code = pyotp.TOTP(new).at(world.now)
    assert bob.send("/portal/me/authenticator", **typed(password="wrong", new_code=new_code)).status >= 400
    assert seed_of(site, world.bob) is None
    page = bob.send("/portal/me/authenticator", **typed(password=PASSWORD, new_code=new_code))
    assert len(recovery_codes(page)) == 10
    assert len(events(site, "Enrol second factor")) == 1


def test_recovery_codes_are_made_anew_and_shown_once(site: Site, ann: Browser) -> None:
    ann.get("/portal/me/recovery-codes")
    form = {**ann.page.form("/portal/me/recovery-codes"), **typed(password=PASSWORD, code=code(site))}  # type: ignore[union-attr]
    first = recovery_codes(ann.post("/portal/me/recovery-codes", **form))
    assert len(set(first)) == 10
    again = ann.post("/portal/me/recovery-codes", **form)
    assert again.status in {400, 401}
    assert recovery_codes(again) == []
    # One of them stands for the lost device; it works once, and the rest is void with the next set.
    lost = {**form, **typed(code=first[0])}
    second = recovery_codes(ann.post("/portal/me/recovery-codes", **lost))
    assert len(second) == 10
    assert not set(first) & set(second)
    assert recovery_codes(ann.post("/portal/me/recovery-codes", **{**form, **typed(code=first[1])})) == []
    assert len(events(site, "Make recovery codes")) == 2


def test_an_account_without_a_password_changes_nothing(site: Site) -> None:
    bob = site.browser(site.world.bob)
    assert "no password" in bob.get("/portal/me/methods").text
    bob.get("/portal/me/authenticator")
    assert bob.send("/portal/me/authenticator", **typed(password="", new_code="1")).status >= 400
    assert bob.client.cookies.get(SESSION, domain="localhost.local") is not None
