"""My roles: the four lists of all three providers, activating one or several, and what can be done with what one has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from openpim.core.grants import Kind, Provider, Request
from openpim.core.permissions import OWNER
from openpim.core.policy import Requirement
from openpim.faces.portal.roles import A_PAGE
from openpim.services.credentials import put_totp
from openpim.services.resources import shaping
from openpim.services.resources.shaping import Wanted
from tests.faces.portal.client import Browser, Site
from tests.world import ASSIGNMENT, ELIGIBILITY, GA, HELPDESK, READER, TEAMS, ok

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def activate(browser: Browser, name: str, **typed: str) -> Any:
    page = browser.get(f"/portal/activate?name={name}")
    assert page.status == 200, page.text
    return browser.send("/portal/activate", **{"reason": "because", **typed})


def a_subscription(site: Site, name: str) -> str:
    path = f"/subscriptions/{site.world.new_id()}"
    made = ok(shaping.put(site.world.deps, site.world.system, path, Wanted(display_name=name)))
    return made.resource.id


def eligible_elsewhere(site: Site, who: str, provider: Provider, role: str, scope: str) -> Request:
    from openpim.core.grants import Action

    ask = site.world.ask(Action.ADMIN_ASSIGN, who, role, scope, kind=Kind.ELIGIBILITY, days=30)
    return ok(site.world.submit(replace(ask, provider=provider), site.world.system))


def test_an_eligible_role_is_activated_and_ended(site: Site) -> None:
    world = site.world
    world.eligible(world.ann)
    ann = site.browser(world.ann)
    page = ann.get("/portal/roles")
    assert page.status == 200
    assert "Teams Administrator" in page.text
    assert "up to 8 h" in page.text
    link = next(one for one in page.links if one.startswith("/portal/activate?pick-"))
    assert ann.get(link).status == 200
    ann.send("/portal/activate", reason="Fix the meeting room", duration="90")
    page = ann.follow()
    assert "Active" in page.text
    assert "Fix the meeting room" in page.text
    assert world.holds(world.ann)
    assert "1 h 30 min left" in ann.get("/portal/roles/active").text
    ann.send("/portal/roles/deactivate")
    assert "less than" in ann.follow().text, "the five minutes hold here too, and the page says so"
    world.forward(minutes=6)
    ann.get("/portal/roles/active")
    ann.send("/portal/roles/deactivate")
    assert "is deactivated" in ann.follow().text
    assert not world.holds(world.ann)


def test_what_is_active_and_not_in_effect_yet_says_where(site: Site) -> None:
    world = site.world
    target, server = world.target("payroll-db")
    world.rule(target)
    for role in (TEAMS, READER):
        world.eligible(world.ann, role)
        ok(world.activate(world.ann, role, hours=1))
    ann = site.browser(world.ann)
    assert "not in effect" not in ann.get("/portal/roles/active").text, "nobody knows of it yet"
    server.down = True
    for _ in range(3):
        world.look(target)
    page = ann.get("/portal/roles/active").text
    assert page.count("not in effect yet in payroll-db") == 1
    server.down = False
    world.look(target)
    assert "not in effect" not in ann.get("/portal/roles/active").text


def test_all_three_providers_are_in_one_list(site: Site) -> None:
    world = site.world
    prod, group = a_subscription(site, "prod"), world.group("On-Call")
    world.eligible(world.ann)
    eligible_elsewhere(site, world.ann, Provider.RESOURCE, OWNER, prod)
    eligible_elsewhere(site, world.ann, Provider.GROUP, "member", group)
    ann = site.browser(world.ann)
    text = ann.get("/portal/roles").text
    for name in ("Teams Administrator", "Owner", "prod", "Member", "On-Call"):
        assert name in text
    assert "Teams Administrator" not in ann.get("/portal/roles?provider=resource").text
    found = ann.get("/portal/roles?q=own+PROD").text
    assert "Owner" in found
    assert "On-Call" not in found
    assert "Nothing fits" in ann.get("/portal/roles?q=nothing+like+it").text
    for name, scope in (("Owner@prod", prod), ("member@on-call", group)):
        activate(ann, name)
        assert "Provisioned" in ann.follow().text
        held = world.read(lambda tx: tx.schedules.of([world.ann], kind=ASSIGNMENT))
        assert scope in {one.scope for one in held}


def test_a_long_list_has_pages(site: Site) -> None:
    world = site.world
    for number in range(A_PAGE + 3):
        world.eligible(world.ann, world.custom_role(f"Role {number:02}"))
    ann = site.browser(world.ann)
    first, last = ann.get("/portal/roles"), f"Role {A_PAGE + 2:02}"
    assert "Page 1 of 2" in first.text
    assert "Role 00" in first.text
    assert last not in first.text
    assert last in ann.get("/portal/roles?page=2").text
    assert last in ann.get("/portal/roles?page=999").text, "a page too far is the last one"
    found = ann.get(f"/portal/roles?q={last.removeprefix('Role ')}").text
    assert last in found
    assert "Page " not in found


def test_several_in_one_go_and_what_is_refused_stays(site: Site) -> None:
    world = site.world
    world.eligible(world.ann)
    world.eligible(world.ann, HELPDESK)
    world.policy(HELPDESK, activation_requires=frozenset({Requirement.TICKETING, Requirement.JUSTIFICATION}))
    ids = [one.id for one in world.schedules(ELIGIBILITY)]
    ann = site.browser(world.ann)
    page = ann.get("/portal/activate?" + "&".join(f"pick-{one}=on" for one in ids))
    assert "Activate 2 roles" in page.text
    page = ann.send("/portal/activate", reason="Morning", duration="60", ticket_number="", ticket_system="")
    assert page.status == 400
    assert "Teams Administrator · world" in page.text
    assert "a ticket number and system are required" in page.text
    form = page.form("/portal/activate")
    assert form["reason"] == "Morning", "what was typed is kept"
    assert form["duration"] == "60"
    assert len([name for name in form if name.startswith("pick-")]) == 1, (
        "what is done is not asked for again"
    )
    page = ann.send("/portal/activate", ticket_number="CHG-1", ticket_system="Desk")
    assert page.status == 303
    assert world.holds(world.ann)
    assert world.holds(world.ann, HELPDESK)


def test_a_link_that_fits_several_lets_one_choose(site: Site) -> None:
    world = site.world
    world.eligible(world.ann)
    world.eligible(world.ann, HELPDESK)
    ann = site.browser(world.ann)
    page = ann.get("/portal/activate?name=administrator")
    assert "Which role?" in page.text
    assert len([one for one in page.links if one.startswith("/portal/activate?pick-")]) == 2
    page = ann.get("/portal/activate?name=no+such+thing")
    assert "None of your roles fits" in page.text
    page = ann.get("/portal/activate?name=Teams&reason=Why+not&duration=PT1H30M&ticket=T1&system=Desk")
    form = page.form("/portal/activate")
    assert (form["reason"], form["duration"], form["ticket_number"], form["ticket_system"]) == (
        "Why not", "90", "T1", "Desk",
    )  # fmt: skip
    assert not world.holds(world.ann), "a link alone does nothing"


def test_a_start_of_ones_own_in_ones_own_zone(site: Site) -> None:
    world = site.world
    world.eligible(world.ann)
    ann = site.browser(world.ann)
    activate(ann, "Teams", start="2026-11-02T15:00", offset="120", duration="60")
    assert "Scheduled" in ann.follow().text
    assert world.requests()[-1].window.start == world.now.replace(hour=13, minute=0)
    assert "Scheduled" in ann.get("/portal/roles").text
    assert "starts" in ann.get("/portal/roles/pending").text
    page = activate(ann, "Teams", start="tomorrow")
    assert page.status == 400
    assert page.form("/portal/activate")["start"] == "tomorrow"


def test_a_reduced_scope(site: Site) -> None:
    world = site.world
    unit = world.unit("Oslo")
    world.eligible(world.ann)
    ann = site.browser(world.ann)
    assert "Oslo" in ann.get("/portal/activate?name=Teams").text
    assert activate(ann, "Teams", scope=unit).status == 303
    assert world.holds(world.ann, scope=unit)
    assert not world.holds(world.ann)
    prod = a_subscription(site, "prod")
    group = ok(
        shaping.put(world.deps, world.system, f"{prod}/resourceGroups/Web", Wanted(location="westeurope"))
    ).resource
    eligible_elsewhere(site, world.ann, Provider.RESOURCE, OWNER, prod)
    assert activate(ann, "Owner", scope=group.id).status == 303
    assert activate(ann, "Owner", scope="/subscriptions/elsewhere").status == 400


def test_the_second_factor_is_asked_for_in_place(site: Site) -> None:
    world = site.world
    world.policy(TEAMS, activation_requires=frozenset({Requirement.MFA, Requirement.JUSTIFICATION}))
    world.eligible(world.ann)
    world.write(lambda tx: put_totp(tx, site.signin, world.ann, SEED))
    ann = site.browser(world.ann, mfa=False)
    page = ann.get("/portal/activate?name=Teams")
    assert "Additional verification required." in page.text
    page = ann.send("/portal/activate", reason="Kept <as> typed", duration="30")
    assert "authenticator" in page.text
    assert not world.holds(world.ann)
    import pyotp

    code = pyotp.TOTP(SEED).at(world.now)
    page = ann.post("/signin/step", **{**page.form("/signin/step"), "code": code})
    form = page.form("/portal/activate")
    assert form["reason"] == "Kept <as> typed"
    ann.post("/portal/activate", **form)
    assert "Active" in ann.follow().text
    assert world.holds(world.ann)
    # somebody else's half-done form is worth nothing in another browser
    bob = site.browser(world.bob)
    assert bob.post("/portal/activate", **form).status == 403


def test_a_context_is_proven_for_a_while(site: Site) -> None:
    world = site.world
    world.policy(TEAMS, activation_requires=frozenset(), context_enabled=True, context="c1")
    world.eligible(world.ann)
    ann = site.browser(world.ann)
    ann.get("/portal/activate?name=Teams")
    page = ann.send("/portal/activate", reason="x", duration="30")
    # the second factor was given just now: nothing is asked for, the form comes straight back
    assert page.status == 200
    ann.post("/portal/activate", **page.form("/portal/activate"))
    assert "Active" in ann.follow().text


def test_extend_renew_and_cancel(site: Site) -> None:
    world = site.world
    world.eligible(world.ann, TEAMS, days=10)
    world.eligible(world.ann, HELPDESK, hours=8)
    ann = site.browser(world.ann)
    activate(ann, "Helpdesk", duration="30")
    link = next(one for one in ann.get("/portal/roles/active").links if "/extend/" in one)
    ann.get(link)
    ann.send(link, duration="120", reason="Not done yet")
    assert "is extended" in ann.follow().text
    assert "2 h left" in ann.get("/portal/roles/active").text
    # what an administrator gave: he is asked, and that can be taken back
    eligibility = next(one for one in world.schedules(ELIGIBILITY) if one.role_id == TEAMS)
    link = f"/portal/roles/extend/{eligibility.id}"
    assert link in ann.get("/portal/roles").links
    ann.get(link)
    assert ann.send(link, until="never").status == 400
    ann.send(link, until="2026-12-24T12:00", reason="Another month")
    page = ann.follow()
    assert "Pending administrator decision" in page.text
    request = next(
        one for one in world.requests() if one.action.value == "selfExtend" and one.role_id == TEAMS
    )
    ann.send(f"/portal/requests/{request.id}/cancel")
    assert "The request is canceled." in ann.follow().text
    # what has ended is renewed
    world.forward(days=11)
    ann.open_session(world.ann)
    link = next(one for one in ann.get("/portal/roles/expired").links if one.endswith(eligibility.id))
    assert "/renew/" in link
    ann.get(link)
    ann.send(link, reason="Needed again")
    assert "Pending administrator decision" in ann.follow().text
    assert "Renewal asked for" in ann.get("/portal/roles/expired").text


def test_what_comes_through_a_group_says_so(site: Site) -> None:
    world = site.world
    group = world.group("On-Call", [world.ann])
    world.eligible(group)
    world.assigned(group, READER)
    ann = site.browser(world.ann)
    assert "through On-Call" in ann.get("/portal/roles").text
    page = ann.get("/portal/roles/active")
    assert "through On-Call" in page.text
    assert "Deactivate" not in page.text
    schedule = next(one for one in world.schedules() if one.role_id == READER)
    ann.post("/portal/roles/deactivate", schedule=schedule.id)
    assert world.holds(world.ann, READER), "an assignment is not given up here"


def test_somebody_elses_schedule_is_not_there(site: Site) -> None:
    world = site.world
    world.eligible(world.bob, hours=8)
    ok(world.activate(world.bob, hours=1))
    world.forward(minutes=6)
    ann = site.browser(world.ann)
    for schedule in (*world.schedules(), *world.schedules(ELIGIBILITY)):
        ann.post("/portal/roles/deactivate", schedule=schedule.id)
        assert ann.post(f"/portal/roles/extend/{schedule.id}", duration="60").status == 400
        assert ann.post("/portal/activate", **{f"pick-{schedule.id}": "on", "reason": "x"}).status == 400
    assert world.holds(world.bob)
    assert not world.holds(world.ann)


def test_favourites_and_bundles_are_ones_own(site: Site) -> None:
    world = site.world
    for role in (TEAMS, HELPDESK, GA):
        world.eligible(world.ann, role)
        world.eligible(world.bob, role)
    ann, bob = site.browser(world.ann), site.browser(world.bob)
    mine = {one.role_id: one.id for one in world.schedules(ELIGIBILITY) if one.principal_id == world.ann}
    first = ann.get("/portal/roles").text
    assert first.index("Global") < first.index("Teams")
    ann.post("/portal/roles/star", star=mine[TEAMS])
    starred = ann.follow().text
    assert starred.index("Teams Administrator") < starred.index("Global Administrator")
    assert bob.get("/portal/roles").text.index("Global") < bob.page.text.index("Teams")
    ann.post("/portal/roles/star", unstar=mine[TEAMS])
    assert ann.follow().text == first
    picks = {f"pick-{mine[TEAMS]}": "on", f"pick-{mine[HELPDESK]}": "on"}
    assert ann.post("/portal/bundles", **picks, bundle="  Morning  shift ").status == 303
    page = ann.follow()
    assert "The bundle Morning shift is kept." in page.text
    link = next(one for one in page.links if "bundle=" in one)
    assert "Activate 2 roles" in ann.get(link).text
    assert "Morning shift" not in bob.get("/portal/roles").text
    assert bob.get(link).status == 303
    ann.get("/portal/bundles")
    ann.send("/portal/bundles/remove")
    assert "No bundles yet" in ann.follow().text
    ann.post("/portal/bundles", **picks, bundle="x" * 61)
    assert "at most 60" in ann.follow().text


def test_recent_reasons_are_offered(site: Site) -> None:
    world = site.world
    world.eligible(world.ann)
    for reason in ("First reason", "Second reason", "First reason"):
        ok(world.activate(world.ann, justification=reason, minutes=10))
        world.forward(minutes=11)
    world.eligible(world.bob)
    ann = site.browser(world.ann)
    html = ann.get("/portal/activate?name=Teams").html
    assert html.index('<option value="First reason">') < html.index('<option value="Second reason">')
    assert "First reason" not in site.browser(world.bob).get("/portal/activate?name=Teams").html


def test_what_was_typed_outlives_the_session(site: Site) -> None:
    from openpim.services.credentials import set_password

    world = site.world
    world.policy(TEAMS, activation_requires=frozenset())
    for who in (world.ann, world.bob):
        world.eligible(who)
        world.write(lambda tx, who=who: set_password(tx, site.signin, who, "correct horse battery"))

    def sent_too_late(as_whom: str) -> Browser:
        ann = site.browser(world.ann)
        form = {**ann.get("/portal/activate?name=Teams").form("/portal/activate"), "reason": "A long story"}
        world.forward(minutes=world.deps.settings.session_idle_minutes + 1)
        page = ann.post("/portal/activate", **form)
        assert page.status == 401
        name = world.read(lambda tx: tx.users.get(as_whom)).user_principal_name
        typed = {**page.form("/signin/step"), "username": name, "password": "correct horse battery"}
        ann.post("/signin/step", **typed)
        return ann

    bob = sent_too_late(world.bob)
    assert bob.page is not None
    assert bob.page.to == "/portal/roles", "somebody else does not send her form"
    ann = sent_too_late(world.ann)
    assert ann.page is not None
    ann.post("/portal/activate", **ann.page.form("/portal/activate"))
    assert "A long story" in ann.follow().text
    assert world.holds(world.ann)
