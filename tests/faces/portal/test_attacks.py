"""The portal under attack: injected HTML, forged forms, open redirects, framing, fixation, other tenants, stale sessions."""

from __future__ import annotations

from html import escape

import pytest

from openpim.core.directory import Tenant
from openpim.core.grants import Kind
from openpim.faces.oidc.cookies import SESSION
from openpim.faces.portal import PAGES
from openpim.faces.portal.dispatch import TENANT
from openpim.services.bundles import save as keep_bundle
from tests.faces.portal.client import Site
from tests.faces.portal.test_table import name_of, request_of
from tests.world import TEAMS, World, ok

EVIL = "\"><script>alert('x')</script><img src=x onerror=alert(1)>{{7*7}}"


def test_every_name_and_reason_is_text(site: Site) -> None:
    world = site.world
    ann = world.user(EVIL, job_title=EVIL, department=EVIL)
    role, unit = world.custom_role(EVIL), world.unit(EVIL)
    group = world.group(EVIL, [ann])
    world.approval(world.dan, role=role)
    world.eligible(ann, role)
    world.eligible(group, TEAMS, unit)
    request = ok(world.activate(ann, role, justification=EVIL))
    browser = site.browser(ann)
    paths = [
        "/portal/roles",
        "/portal/roles/active",
        "/portal/roles/pending",
        "/portal/roles/expired",
        f"/portal/activate?name={EVIL}",
        "/portal/activate?name=Teams&reason=%22%3E%3Cscript%3E&duration=%3Cscript%3E&start=%3Cscript%3E",
        "/portal/roles?q=%22%3E%3Cscript%3E&provider=%22%3E%3Cscript%3E&page=%3Cscript%3E",
        f"/portal/requests/{request.id}",
        "/portal/%3Cscript%3E",
    ]
    for path in paths:
        shown(browser.get(path).html)
    ann_caller = world.caller(ann)
    item = (ok(world.give(ann, TEAMS)).provider, TEAMS, "/")
    assert keep_bundle(world.deps, ann_caller, EVIL[:50], [item]) is None
    shown(browser.get("/portal/bundles").html)
    shown(browser.get("/portal/roles").html)
    dan = site.browser(world.dan)
    shown(dan.get("/portal/approvals").html)
    shown(dan.get(f"/portal/approvals/{request.id}").html)
    shown(dan.send(f"/portal/approvals/{request.id}", verdict=EVIL, reason=EVIL).html)
    shown(dan.send(f"/portal/approvals/{request.id}", verdict="deny", reason=EVIL).html or "-")
    shown(browser.get(f"/portal/requests/{request.id}").html)
    admin = site.browser(world.ga)
    schedule = next(one for one in world.schedules(Kind.ELIGIBILITY) if one.principal_id == ann)
    for path in (
        "?who=Some",
        "?tab=active",
        f"/{schedule.id}/update",
        f"/{schedule.id}/remove",
        "/json?who=x",
    ):
        shown(admin.get(f"/portal/assignments{path}").html)
    shown(admin.get(f"/portal/assignments?who={EVIL}&role={EVIL}&scope={EVIL}").html)
    add = {
        "provider": "directory",
        "role": role,
        "scope": unit,
        "go": "find",
        "find": EVIL[:5],
        "members": EVIL,
    }
    shown(admin.post("/portal/assignments/add", **add).html)
    shown(admin.post("/portal/assignments/add", **{**add, "go": "setting", "members": ann}).html)
    shown(admin.post("/portal/assignments/add", **{**add, "scope": EVIL, "role": EVIL}).html)
    row = ",".join('"' + one.replace('"', '""') + '"' for one in (EVIL, EVIL, "eligible", EVIL))
    shown(admin.post("/portal/assignments/import", csv=f"role,member,type,end\n{row}").html)


def shown(html: str) -> None:
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert '"><script>' not in html
    assert ">49<" not in html
    assert "onerror=alert(1)>" not in html.replace(escape(EVIL), "")


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_every_answer_has_its_guards(site: Site) -> None:
    browser = site.browser(site.world.ga)
    for page in PAGES:
        path, fields = request_of(page, site)
        answer = (browser.get(path) if page.method == "GET" else browser.post(path, **fields)).answer
        if page.path == "/portal/sign-out":
            browser.sign_in_again()
        assert answer.headers["cache-control"] == "no-store", name_of(page)
        if answer.status_code == 303:
            continue
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';"), name_of(page)
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        if "text/html" in answer.headers["content-type"]:
            assert " style=" not in answer.text, f"{name_of(page)}: a style in the page"
            assert " onclick=" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "/portal/..//evil.example",
        "/portal/%5c%5cevil.example",
        "/portal/roles?x=//evil",
    ],
)
def test_sign_in_leads_back_to_our_own_pages_only(site: Site, path: str) -> None:
    from openpim.services.signin.flow import local_path

    assert local_path("//evil.example") == "/"
    assert local_path("/\\evil.example") == "/"
    assert local_path("https://evil.example") == "/"
    assert local_path("/a\r\nSet-Cookie: x=1") == "/"
    assert local_path("/a\tb") == "/"
    nobody = site.browser()
    page = nobody.get(path)
    assert page.status in {401, 404}
    assert "evil" not in page.to


def test_a_session_is_renewed_when_somebody_signs_in(site: Site) -> None:
    """What was in the browser before does not become somebody's session (fixation)."""
    world = site.world
    from openpim.services.credentials import set_password

    world.write(lambda tx: set_password(tx, site.signin, world.ann, "correct horse battery"))
    browser = site.browser()
    browser.client.cookies.set(SESSION, "planted-by-an-attacker", domain="localhost.local", path="/")
    page = browser.get("/portal/roles")
    assert page.status == 401
    name = world.read(lambda tx: tx.users.get(world.ann)).user_principal_name
    answer = browser.post(
        "/signin/step", **{**page.form("/signin/step"), "username": name, "password": "correct horse battery"}
    )
    assert answer.status == 303
    assert answer.to == "/portal/roles"
    cookies = [value for name, value in answer.answer.headers.multi_items() if name == "set-cookie"]
    mine = next(one for one in cookies if one.startswith(SESSION))
    assert "planted" not in mine
    for guard in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert guard in mine
    assert "Domain" not in mine


def test_another_tenant_is_another_world(site: Site) -> None:
    world = site.world
    other = World(world.database)
    other.now = world.now
    other.approval(other.dan)
    other.eligible(other.ann)
    request = ok(other.activate(other.ann))
    admin = site.browser(world.ga)
    admin.client.cookies.set(TENANT, other.tenant_id, domain="localhost.local", path="/")
    page = admin.get("/portal/approvals")
    assert page.status == 200
    assert world.read(lambda tx: tx.tenants.current()).name in page.text, "he stays at home"
    for path in (f"/portal/requests/{request.id}", f"/portal/approvals/{request.id}"):
        assert admin.get(path).status == 404
    assert admin.post("/portal/tenant", tenant=other.tenant_id).status == 404
    assert admin.post(f"/portal/approvals/{request.id}", verdict="approve", reason="x").status == 404
    answer = admin.get(f"/portal/roles?tenant={other.tenant_id}")
    assert answer.status == 303
    assert "set-cookie" not in answer.answer.headers


def test_a_guest_chooses_where_he_is(site: Site) -> None:
    world = site.world
    other = World(world.database)
    other.now = world.now
    guest = other.user("Ann abroad", home_tenant_id=world.tenant_id, home_user_id=world.ann)
    other.eligible(guest)
    ann = site.browser(world.ann)
    assert "You are not eligible" in ann.get("/portal/roles").text
    name = other.read(lambda tx: tx.tenants.current())
    assert isinstance(name, Tenant)
    ann.send("/portal/tenant", tenant=other.tenant_id)
    page = ann.follow()
    assert "Teams Administrator" in page.text
    ann.send("/portal/tenant", tenant=world.tenant_id)
    assert "You are not eligible" in ann.follow().text
    # a link says where it leads
    assert ann.get(f"/portal/roles?q=x&tenant={name.domain}").to == "/portal/roles?q=x"
    assert "Nothing fits" in ann.follow().text


def test_a_session_ends_when_it_is_idle_old_or_its_person_disabled(site: Site) -> None:
    world = site.world
    settings = world.deps.settings
    idle, old, gone, out = (site.browser(world.ann) for _ in range(4))
    assert idle.get("/portal/roles").status == 200
    world.forward(minutes=settings.session_idle_minutes - 1)
    assert old.get("/portal/roles").status == 200, "used in time"
    world.forward(minutes=2)
    assert idle.get("/portal/roles").status == 401
    assert old.get("/portal/roles").status == 200
    for _ in range(settings.session_max_hours):
        world.forward(hours=1)
        old.get("/portal/roles")
    assert old.get("/portal/roles").status == 401
    for browser in (gone, out):
        browser.open_session(world.ann)
    out.get("/portal/roles")
    kept = dict(out.client.cookies)
    assert out.send("/portal/sign-out").status == 303
    for name, value in kept.items():
        out.client.cookies.set(name, value, domain="localhost.local", path="/")
    assert out.get("/portal/roles").status == 401, "the cookie is worth nothing after signing out"
    world.disable(world.ann)
    assert gone.get("/portal/roles").status == 401


def test_a_page_that_only_waits_does_not_keep_a_session_alive(site: Site) -> None:
    from openpim.services.signin.events import Origin
    from openpim.services.signin.portal import enter

    world = site.world
    browser = site.browser()
    cookie = browser.open_session(world.ann)
    idle = world.deps.settings.session_idle_minutes
    for _ in range(idle // 10 + 1):
        world.forward(minutes=10)
        enter(site.signin, cookie, "", Origin("https://localhost:8443"), used=False)
    assert browser.get("/portal/roles").status == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/portal/roles?q=%ff", None),
        ("GET", "/portal/roles?q=a&q=b", None),
        ("GET", "/portal/roles?page=99999999999999999999", None),
        ("GET", "/portal/requests/%00", None),
        ("GET", "/portal/requests/" + "x" * 5000, None),
        ("GET", "/portal/activate?pick-" + "x" * 3000 + "=on", None),
        (
            "GET",
            "/portal/activate?name=Teams&duration=PT99999999999H&start=0001-01-01T00:00&offset=-840",
            None,
        ),
        ("POST", "/portal/activate", b"\xff\xfe"),
        ("POST", "/portal/activate", b"token=%00"),
        ("POST", "/portal/activate", b"a=1&a=2"),
        ("POST", "/portal/activate", b"x" * 300_000),
        ("POST", "/portal/approvals", b"&".join(b"f%d=1" % n for n in range(200))),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_nothing_a_browser_sends_breaks_it(site: Site, method: str, path: str, body: bytes | None) -> None:
    site.world.eligible(site.world.ann)
    browser = site.browser(site.world.ann)
    headers = {"content-type": "application/x-www-form-urlencoded"} if body is not None else {}
    answer = browser.client.request(method, path, content=body, headers=headers)
    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize(
    "field", ["reason", "ticket_number", "start", "scope", "duration", "offset", "bundle", "verified"]
)
@pytest.mark.parametrize(
    "value",
    ["\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "x" * 20_000, "-1", "\x01\x02", "%"],
)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_nothing_that_is_typed_breaks_an_activation(site: Site, field: str, value: str) -> None:
    world = site.world
    world.eligible(world.ann)
    ann = site.browser(world.ann)
    ann.get("/portal/activate?name=Teams")
    assert ann.send("/portal/activate", **{"reason": "x", field: value}).status in {200, 303, 400, 404, 409}


def test_forms_ask_once_however_often_they_are_sent(site: Site) -> None:
    world = site.world
    world.eligible(world.ann)
    ann = site.browser(world.ann)
    page = ann.get("/portal/activate?name=Teams")
    form = {**page.form("/portal/activate"), "reason": "once"}
    first, second = ann.post("/portal/activate", **form), ann.post("/portal/activate", **form)
    assert first.to == second.to
    assert len([one for one in world.requests() if one.justification == "once"]) == 1


def test_compression_gives_nothing_away(site: Site) -> None:
    """The proof in the forms: nothing of it stays the same from page to page, so its length tells nobody anything."""
    browser = site.browser(site.world.ann)
    cookie = browser.open_session(site.world.ann)
    proofs = [browser.token for _ in range(20)]
    assert len({len(one) for one in proofs}) == 1
    alike = [at for at, letters in enumerate(zip(*proofs, strict=True)) if len(set(letters)) == 1]
    assert len(alike) < 8, "more than a version and padding stays the same"
    answer = browser.get("/portal/roles").answer
    assert answer.headers["content-encoding"] == "gzip"
    assert cookie not in answer.text
