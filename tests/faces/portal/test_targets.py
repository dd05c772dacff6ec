"""Real systems in the portal: the list, one of them, and the line of a request down to the proof."""

from __future__ import annotations

from tests.faces.portal.client import Site
from tests.world import ok


def test_from_the_mapping_to_the_proof(site: Site) -> None:
    world = site.world
    target, server = world.target("payroll-db")
    world.rule(target)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1, justification="wages"))
    admin, ann = site.browser(world.ga), site.browser(world.ann)
    page = admin.get("/portal/targets").text
    assert "payroll-db" in page
    server.failures.append("before")
    here = f"/portal/targets/{target}"
    for said in ("The twin hung up.", "1 changed"):
        admin.get(here)
        assert admin.post(f"{here}/look").status == 303
        assert said in admin.get(here).text
    page = admin.get(f"/portal/targets/{target}").text
    for words in ("Teams Administrator", "payroll_admin", "Effective", world.name_in_target(world.ann)):
        assert words in page
    line = ann.get(f"/portal/requests/{request.id}").text
    assert "In effect in payroll-db" in line
    world.forward(hours=1)
    world.look(target)
    line = ann.get(f"/portal/requests/{request.id}").text
    assert "Taken away in payroll-db, and seen to be" in line
    assert ann.get("/portal/targets").status == 403


def test_names_of_others_are_text(site: Site) -> None:
    world = site.world
    target, server = world.target("x", name="<b>payroll</b>")
    server.give("<i>eve</i>", "payroll_admin")
    server.down = True
    world.look(target)
    server.down = False
    world.look(target)
    page = site.browser(world.ga).get(f"/portal/targets/{target}").html
    assert "<b>" not in page
    assert "<i>" not in page
    assert "&lt;i&gt;eve" in page
