"""Setting up a real system in the portal: its form, its credentials, its mappings and what they would change, and the ways out."""

from __future__ import annotations

import pytest

from openpim.core.connecting import Foreign
from openpim.services.connecting.opening import secrets_of
from openpim.services.signin.events import Origin
from openpim.services.signin.flow import Browser as Nobody
from openpim.services.signin.portal import sign_in_again
from tests.faces.portal.client import ORIGIN, Browser, Shown, Site
from tests.faces.portal.pages import TARGET_FORM
from tests.world import ASSIGNMENT, READER, TEAMS, ok

NEW = "/portal/targets/new"
READER_OF_RESOURCES = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
PASSWORD = " pass word "  # spaces are part of it
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser(site.world.ga)


def add(admin: Browser, **typed: str) -> Shown:
    admin.get(f"{NEW}?kind=twin")
    return admin.send(NEW, **{**TARGET_FORM, "name": "payroll-db", "secret-password": PASSWORD, **typed})


def target_of(site: Site) -> object:
    (found,) = site.world.read(lambda tx: tx.targets.all())
    return found


def password_of(site: Site) -> str | None:
    deps, target = site.world.deps, target_of(site)
    kind = deps.connectors.load("twin")
    return (secrets_of(deps, kind, target) or {}).get("password")  # type: ignore[arg-type]


def test_added_and_asked_what_it_answers(site: Site, admin: Browser) -> None:
    server = site.world.twins.at("payroll")
    server.lacks = ("It may not read anything.",)
    server.excess = ("It is a superuser.",)
    assert "/portal/targets/new?kind=twin" in admin.get(NEW).links
    page = admin.get(f"{NEW}?kind=twin")
    assert [attrs["type"] for tag, attrs in page.tags if attrs.get("name") == "secret-password"] == [
        "password"
    ]
    for words in ("Host", "Which twin.", "More settings", "Whether it ends access by itself."):
        assert words in page.text
    add(admin)
    page = admin.follow()
    for words in (
        "payroll-db is added",
        "It may not read anything.",
        "too many rights",
        "It is a superuser.",
        "twin 1",
    ):
        assert words in page.text
    target = target_of(site)
    assert (target.name, dict(target.settings)["host"], target.managed) == (  # type: ignore[attr-defined]
        "payroll-db", "payroll", ("payroll_admin",),
    )  # fmt: skip
    assert password_of(site) == PASSWORD
    server.down = True
    page = admin.get(f"/portal/targets/{target.id}/check")  # type: ignore[attr-defined]
    assert (page.status, "The twin is down." in page.text, "would be done" in page.text) == (200, True, False)


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("setting-host", "", "Set it"),
        ("setting-end", "never", "Choose one of"),
        ("managed", "root", "plain name"),
        ("subject", "anna", "Write a pattern"),
        ("name", "", "Give it a name"),
        ("name", "x" * 61, "at most 60"),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_what_was_typed_stays(
    site: Site, admin: Browser, field: str, typed: str, said: str
) -> None:
    page = add(admin, **{"setting-host": "payroll", "managed": "payroll_admin", field: typed})
    assert page.status == 400
    assert f'id="{field}-error"' in page.html
    assert said in page.text
    assert PASSWORD.strip() not in page.html
    assert "is not shown again" in page.text
    if field != "setting-host":
        assert page.form(NEW)["setting-host"] == "payroll"
    assert site.world.read(lambda tx: tx.targets.all()) == []


def test_changed_with_care(site: Site, admin: Browser) -> None:
    add(admin)
    target = target_of(site)
    here = f"/portal/targets/{target.id}"  # type: ignore[attr-defined]
    edit = f"{here}/edit"
    form = admin.get(edit).form(edit)
    assert (form["setting-host"], form["secret-password"], form["subject"]) == ("payroll", "", "{localPart}")
    assert PASSWORD.strip() not in admin.get(edit).html
    # Elsewhere: the secret is not sent there unless it is given again.
    page = admin.post(edit, **{**form, "managed": "payroll_admin", "setting-host": "evil"})
    assert page.status == 400
    assert 'id="secret-password-error"' in page.html
    assert target_of(site) == target
    # Its own settings, and the secret stays.
    done = admin.post(edit, **{**form, "managed": "payroll_admin\r\nclerk", "setting-end": "full"})
    assert done.status == 303
    assert password_of(site) == PASSWORD
    assert target_of(site).managed == ("payroll_admin", "clerk")  # type: ignore[attr-defined]
    # Who has not seen that does not undo it.
    late = admin.post(edit, **{**form, "managed": "payroll_admin"})
    assert late.status == 409
    assert "Somebody else has changed" in late.text
    assert target_of(site).managed == ("payroll_admin", "clerk")  # type: ignore[attr-defined]


def test_new_credentials(site: Site, admin: Browser) -> None:
    add(admin)
    here = f"/portal/targets/{target_of(site).id}"  # type: ignore[attr-defined]
    admin.get(f"{here}/secrets")
    page = admin.send(f"{here}/secrets")
    assert (page.status, "Type at least one" in page.text) == (400, True)
    admin.get(f"{here}/secrets")
    assert admin.send(f"{here}/secrets", **{"secret-password": "fresh"}).status == 303
    assert "has new secrets" in admin.follow().text
    assert password_of(site) == "fresh"
    assert admin.post(f"{here}/rotate").status == 400, "a twin does not make its own"
    # A form that came back from a sign-in has lost them, and says so.
    page = admin.post(f"{here}/secrets")
    assert (page.status, "not kept while you signed in" in page.text) == (400, True)


def test_a_secret_is_not_carried_through_a_sign_in(site: Site, admin: Browser) -> None:
    kept = {"token": admin.token, "name": "payroll-db", "secret-password": PASSWORD}
    turn = sign_in_again(site.signin, Nobody("", Origin(ORIGIN)), path="/portal", action=NEW, form=kept)
    assert "payroll-db" in repr(turn)
    assert PASSWORD not in repr(turn)


def test_a_mapping_is_shown_before_it_is_there(site: Site, admin: Browser) -> None:
    world = site.world
    target, server = world.target("payroll-db")
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1, justification="wages"))
    form = f"/portal/targets/{target}/rules/new"
    ann = world.name_in_target(world.ann)
    admin.get(f"/portal/targets/{target}")
    assert form in admin.page.links  # type: ignore[union-attr]
    admin.get(form)
    page = admin.send(form, go="preview", role=TEAMS)
    assert page.status == 200
    for words in ("Teams Administrator", "payroll_admin", "Given", ann):
        assert words in page.text
    assert world.read(lambda tx: tx.targets.rules(target)) == []
    assert server.writes == []
    assert admin.send(form, go="add").status == 303
    assert ann in admin.follow().text
    (rule,) = world.read(lambda tx: tx.targets.rules(target))
    assert (rule.role_id, rule.scope, rule.entitlement) == (TEAMS, "/", "payroll_admin")
    again = admin.post(form, provider="directory", role=TEAMS, scope="/", entitlement="payroll_admin")
    assert (again.status, "there already" in again.text) == (409, True)
    world.look(target)
    assert server.may(ann, "payroll_admin")
    # And away again.
    remove = f"/portal/targets/{target}/rules/{rule.id}/remove"
    page = admin.get(remove)
    assert ("Taken away" in page.text, ann in page.text) == (True, True)
    assert server.may(ann, "payroll_admin")
    assert "still have access" in admin.post(f"/portal/targets/{target}/remove").text
    admin.get(remove)
    admin.send(remove)
    assert ann in admin.follow().text
    world.look(target)
    assert not server.may(ann, "payroll_admin")
    assert admin.get(remove).status == 404
    admin.get(f"/portal/targets/{target}/remove")
    admin.send(f"/portal/targets/{target}/remove")
    assert "payroll-db is removed." in admin.follow().text


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"entitlement": "superuser"}, "entitlement"),
        ({"role": "no such role"}, "role"),
        ({"scope": "/administrativeUnits/x"}, "scope"),
        ({"provider": "group", "role": "member", "scope": "no such group"}, "scope"),
        ({"provider": "group", "role": "guest", "scope": "Crew"}, "role"),
        ({"provider": "resource", "role": READER_OF_RESOURCES, "scope": "somewhere"}, "scope"),
    ],
)
@pytest.mark.parametrize("go", ["preview", "add"])
def test_a_mapping_that_cannot_be(
    site: Site, admin: Browser, typed: dict[str, str], field: str, go: str
) -> None:
    target, _ = site.world.target("payroll-db")
    site.world.group("Crew")
    fields = {"provider": "directory", "role": TEAMS, "scope": "/", "entitlement": "payroll_admin", "go": go}
    page = admin.post(f"/portal/targets/{target}/rules/new", **{**fields, **typed})
    assert page.status in {400, 404}
    assert f'id="{field}-error"' in page.html
    assert site.world.read(lambda tx: tx.targets.rules(target)) == []


def test_groups_are_named_by_people(site: Site, admin: Browser) -> None:
    world = site.world
    target, server = world.target("payroll-db")
    crew = world.group("Crew", members=[world.ann])
    form = f"/portal/targets/{target}/rules/new"
    admin.get(f"{form}?provider=group")
    page = admin.send(form, go="preview", scope="Crew", role="member")
    assert world.name_in_target(world.ann) in page.text
    admin.send(form, go="add")
    (rule,) = world.read(lambda tx: tx.targets.rules(target))
    assert rule.scope == crew
    world.look(target)
    assert server.may(world.name_in_target(world.ann), "payroll_admin")


def test_who_may_only_look_is_told_of_no_mapping_that_might_be(site: Site) -> None:
    world = site.world
    target, server = world.target("payroll-db")
    reader = world.user("Rhea")
    ok(world.give(reader, READER, ASSIGNMENT, permanent=True))
    fields = {"provider": "directory", "role": TEAMS, "scope": "/", "entitlement": "payroll_admin"}
    page = site.browser(reader).post(f"/portal/targets/{target}/rules/new", go="preview", **fields)
    assert (page.status, server.reads) == (403, 0)


def test_the_system_that_is_down_does_not_stop_a_mapping(site: Site, admin: Browser) -> None:
    target, server = site.world.target("payroll-db")
    server.down = True
    form = f"/portal/targets/{target}/rules/new"
    admin.get(form)
    page = admin.send(form, go="preview", role=TEAMS)
    assert ("The twin is down." in page.text, "all the same" in page.text) == (True, True)
    assert admin.send(form, go="add").status == 303


def test_paused_and_going_on(site: Site, admin: Browser) -> None:
    world = site.world
    target, server = world.target("payroll-db")
    here = f"/portal/targets/{target}"
    world.rule(target)
    admin.get(here)
    admin.send(f"{here}/switch")
    page = admin.follow()
    assert "payroll-db is paused." in page.text
    assert "nothing is given or taken away" in page.text
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1, justification="wages"))
    world.look(target)
    assert server.writes == []
    admin.get(here)
    admin.send(f"{here}/switch")
    world.look(target)
    assert server.may(world.name_in_target(world.ann), "payroll_admin")
    assert admin.post(f"{here}/switch", on="maybe").status == 400
    # Paused again: what has ended meanwhile is still there, and that is said.
    admin.get(here)
    admin.send(f"{here}/switch")
    page = admin.follow()
    assert "1 access stays there until it goes on" in page.text
    assert "still there" not in page.text
    world.forward(hours=1)
    admin.sign_in_again()
    page = admin.get(here)
    assert ("1 access has ended and is still there" in page.text, "Ended, still there" in page.text) == (
        True,
        True,
    )
    admin.send(f"{here}/switch")
    world.look(target)
    assert "still there" not in admin.follow().text
    assert not server.may(world.name_in_target(world.ann), "payroll_admin")
    # What is over is not counted.
    assert "Access there now 0" in admin.get(f"{here}/remove").text
    admin.get(here)
    admin.send(f"{here}/switch")
    assert "stays there" not in admin.follow().text


def test_access_from_elsewhere(site: Site, admin: Browser) -> None:
    world = site.world
    target, server = world.target("payroll-db")
    server.give("eve", "payroll_admin")
    world.look(target)
    here = f"/portal/targets/{target}"
    assert "eve" in admin.get(here).text
    page = admin.get(f"{here}/foreign")
    assert ("eve" in page.text, "1 access is there now" in page.text) == (True, True)
    assert admin.post(f"{here}/foreign", foreign="burn").status == 400
    assert admin.post(f"{here}/foreign", foreign="remove").status == 303
    assert target_of(site).foreign is Foreign.REMOVE  # type: ignore[attr-defined]
    world.look(target)
    assert not server.may("eve", "payroll_admin")


def test_names_of_their_own(site: Site, admin: Browser) -> None:
    world = site.world
    target, _ = world.target("payroll-db")
    here = f"/portal/targets/{target}"
    upn = world.read(lambda tx: tx.users.get(world.ann)).user_principal_name
    admin.get(here)
    assert admin.post(f"{here}/names", who=upn, subject="root").status == 400
    assert 'id="subject-error"' in admin.page.html  # type: ignore[union-attr]
    assert admin.post(f"{here}/names", who="nobody at all", subject="x").status == 400
    assert admin.post(f"{here}/names", who=upn, subject="aschmidt").status == 303
    assert "aschmidt" in admin.follow().text
    assert world.read(lambda tx: tx.targets.subjects(target)) == {world.ann: "aschmidt"}
    assert admin.post(f"{here}/names", who=world.ann, subject="").status == 303
    assert world.read(lambda tx: tx.targets.subjects(target)) == {}


def test_what_others_wrote_is_text(site: Site, admin: Browser) -> None:
    site.world.twins.at("<b>x").excess = ("<i>much</i>",)
    add(admin, **{"setting-host": "<b>x", "name": "<u>db</u>", "managed": "<s>clerk"})
    page = admin.follow()
    target = target_of(site).id  # type: ignore[attr-defined]
    for html in (
        page.html,
        admin.get(f"/portal/targets/{target}").html,
        admin.get(f"/portal/targets/{target}/edit").html,
    ):
        for tag in ("<b>", "<i>", "<u>", "<s>"):
            assert tag not in html
