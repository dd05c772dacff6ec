"""What an application is told, its roles and who has them, by the forms of the portal."""

from __future__ import annotations

from openpim.core.relying import BY_NAME, DEFAULT_ROLE, LogoutWhen, Named, Place, placed
from openpim.services.directory import app_roles
from openpim.services.directory.applications import update_application
from openpim.services.directory.performing import stamp
from tests.faces.portal.client import Site
from tests.faces.portal.pages import face_of, registered
from tests.world import ok

HERE, ENTERPRISE = "/portal/applications", "/portal/enterprise"


def test_where_each_claim_stands(site: Site) -> None:
    world, admin = site.world, site.browser(site.world.ga)
    made = registered(world)
    ok(
        update_application(
            world.deps, world.system, made.id, {"claims": {"id_token": (Named("email"), Named("groups"))}}
        )
    )
    page = admin.get(f"{HERE}/{made.id}/claims")
    assert 'name="id_token-groups" value="on" checked' in page.html
    assert 'name="id_token-wids" value="on" checked' not in page.html
    assert 'name="userinfo-wids" value="on" checked' in page.html  # what works without having been said
    seen = stamp(world.read(lambda tx: tx.applications.get(made.id)))
    answer = admin.post(
        f"{HERE}/{made.id}/claims",
        **{"id_token-roles": "on", "userinfo-groups": "on", "userinfo-by-name": "on", "source": "SecurityGroup",
           "when": "loss", "seen": seen},
    )  # fmt: skip
    assert answer.status == 303
    saved = world.read(lambda tx: tx.applications.get(made.id)).claims
    assert saved.id_token == (Named("email"), Named("roles"))
    assert saved.access_token == ()
    assert saved.userinfo == (Named("groups", (BY_NAME,)),)
    assert (saved.group_claims, saved.logout_when, saved.only_named) == (
        "SecurityGroup",
        LogoutWhen.LOSS,
        True,
    )
    assert {one.value for one in placed(saved, Place.USERINFO, has_roles=True).claims} == {"groups"}
    shown = admin.get(f"{HERE}/{made.id}/claims")
    assert 'name="userinfo-by-name" value="on" checked' in shown.html
    assert 'value="loss" checked' in shown.html


def test_who_was_overtaken_is_told_so(site: Site) -> None:
    made = registered(site.world)
    answer = site.browser(site.world.ga).post(f"{HERE}/{made.id}/claims", source="All", seen="0" * 16)
    assert answer.status == 409
    assert "Somebody has changed this meanwhile" in answer.text


def test_nonsense_is_no_500(site: Site) -> None:
    world, admin = site.world, site.browser(site.world.ga)
    made = registered(world)
    fields = {"source": "Everything' --", "when": "<b>", "id_token-sub": "on", "seen": stamp(made)}
    assert admin.post(f"{HERE}/{made.id}/claims", **fields).status == 303
    saved = world.read(lambda tx: tx.applications.get(made.id)).claims
    assert (saved.group_claims, saved.id_token) == (None, ())


def test_the_life_of_a_role(site: Site) -> None:
    world, admin = site.world, site.browser(site.world.ga)
    made = registered(world)
    bad = admin.post(
        f"{HERE}/{made.id}/roles/new", name="Payroll writer", value="has space", seen=stamp(made)
    )
    assert bad.status == 400
    assert "without spaces" in bad.text
    added = admin.post(
        f"{HERE}/{made.id}/roles/new",
        name="Payroll writer",
        value="Payroll.Write",
        members="people",
        seen=stamp(made),
    )
    assert added.status == 303
    found = world.read(lambda tx: tx.applications.get(made.id))
    (role,) = found.app_roles
    assert (role.value, role.members, role.enabled) == ("Payroll.Write", ("User",), True)
    face = face_of(world, made)
    crew = world.group("Payroll crew", role_assignable=False)
    given = admin.post(f"{ENTERPRISE}/{face}/roles/assign", who="Payroll crew", role=role.id)
    assert given.status == 303
    page = admin.get(f"{ENTERPRISE}/{face}/roles")
    assert "Payroll crew" in page.text
    assert "Payroll.Write" in page.text
    twice = admin.post(f"{ENTERPRISE}/{face}/roles/assign", who="Payroll crew", role=role.id)
    assert twice.status == 409
    nobody = admin.post(f"{ENTERPRISE}/{face}/roles/assign", who="Nobody at all", role=role.id)
    assert nobody.status == 400
    assert "Nobody, or more than one" in nobody.text
    form = {"role": role.id, "seen": stamp(found)}
    assert admin.post(f"{HERE}/{made.id}/roles/remove", **form).status == 400  # switched on
    assert admin.post(f"{HERE}/{made.id}/roles/switch", on="no", **form).status == 303
    off = world.read(lambda tx: tx.applications.get(made.id))
    assert admin.post(f"{HERE}/{made.id}/roles/remove", role=role.id, seen=stamp(off)).status == 303
    assert world.read(lambda tx: tx.app_role_assignments.of([crew], face)) == []


def test_owners_give_its_roles_and_others_do_not(site: Site) -> None:
    from openpim.services.directory.application_owners import add_owner

    world = site.world
    made = registered(world)
    face = face_of(world, made)
    ok(add_owner(world.deps, world.system, made.id, world.bob))
    given = ok(app_roles.assign(world.deps, world.system, world.cyd, face, DEFAULT_ROLE))
    ann, bob = site.browser(world.ann), site.browser(world.bob)
    assert ann.post(f"{ENTERPRISE}/{face}/roles/unassign", assignment=given.assignment.id).status == 403
    assert "cyd" not in ann.get(f"{ENTERPRISE}/{face}/roles").text
    assert bob.get(f"{ENTERPRISE}/{face}/roles").status == 200
    assert bob.post(f"{ENTERPRISE}/{face}/roles/unassign", assignment=given.assignment.id).status == 303


def test_the_page_of_the_application_says_what_it_is_told(site: Site) -> None:
    made = registered(site.world)
    text = site.browser(site.world.ga).get(f"{HERE}/{made.id}").text
    assert "What it is told of people" in text
    assert "group_names" in text
    assert "Roles of its own" in text
