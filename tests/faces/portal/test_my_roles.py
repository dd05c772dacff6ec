"""My roles: the four lists, activating, deactivating, and a request's line."""

from __future__ import annotations

from tests.faces.portal.client import Site


def test_an_eligible_role_is_activated_and_ended(site: Site) -> None:
    world = site.world
    world.eligible(world.ann)
    ann = site.browser(world.ann)
    page = ann.get("/portal/roles")
    assert page.status == 200
    assert "Teams Administrator" in page.text
    assert "up to 8 h" in page.text
    link = next(one for one in page.links if one.startswith("/portal/activate?pick-"))
    page = ann.get(link)
    assert page.status == 200, page.text
    ann.send("/portal/activate", reason="Fix the meeting room", duration="90")
    page = ann.follow()
    assert "Active" in page.text
    assert "Fix the meeting room" in page.text
    assert world.holds(world.ann)
    page = ann.get("/portal/roles/active")
    assert "1 h 30 min left" in page.text
    world.forward(minutes=6)
    ann.get("/portal/roles/active")
    ann.send("/portal/roles/deactivate")
    assert "is deactivated" in ann.follow().text
    assert not world.holds(world.ann)
