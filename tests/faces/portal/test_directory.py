"""People, groups, units and the tree in the portal: found by name, page by page; who can become what; who sees it."""

from __future__ import annotations

import pytest

from openpim.core.ask import Ask
from openpim.core.grants import Action, Kind, Provider
from openpim.core.resources import Resource, ResourceKind
from openpim.services import becoming, submit
from tests.faces.portal.client import Site
from tests.world import ASSIGNMENT, ELIGIBILITY, HELPDESK, READER, TEAMS, World, ok, window

RBAC_READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
SUBSCRIPTION = "/subscriptions/11111111-1111-4111-8111-111111111111"
LISTS = ("/portal/people", "/portal/groups", "/portal/units", "/portal/resources")


def give(world: World, who: str, provider: Provider, role: str, scope: str, kind: Kind = ELIGIBILITY) -> None:
    when = window(days=30)
    ask = Ask(kind, provider, Action.ADMIN_ASSIGN, who, role, scope, justification="because", window=when)
    ok(submit.submit(world.deps, world.system, ask))


def a_tree(world: World) -> None:
    def place(id: str, parent: str, kind: ResourceKind, name: str) -> Resource:
        return Resource(id, id, parent, kind, kind.value, name, name, world.now)

    group = f"{SUBSCRIPTION}/resourcegroups/rg-web"
    vm = f"{group}/providers/microsoft.compute/virtualmachines/vm1"
    world.write(
        lambda tx: tx.resources.add(
            place(SUBSCRIPTION, "/", ResourceKind.SUBSCRIPTION, "Shop"),
            place(group, SUBSCRIPTION, ResourceKind.RESOURCE_GROUP, "rg-web"),
            place(vm, group, ResourceKind.RESOURCE, "vm1"),
        )
    )


def test_people_are_found_and_paged(site: Site) -> None:
    for number in range(60):
        site.world.user(f"Worker {number:02}")
    ann = site.browser(site.world.ann)
    page = ann.get("/portal/people?q=worker")
    assert "Worker 00" in page.text
    assert "Worker 59" not in page.text
    assert "Gala" not in page.text
    following = ann.get(next(link for link in page.links if "after=" in link))
    assert "Worker 59" in following.text
    assert "Worker 00" not in following.text
    assert "Worker 33" in ann.get("/portal/people?q=ker+33").text, "anywhere in the name"
    assert "Nobody fits" in ann.get("/portal/people?q=%25").text, "a percent sign is not a wildcard"


def test_what_a_person_can_become(site: Site) -> None:
    world = site.world
    outer = world.group("Crew")
    inner = world.group("Watch", [world.ann])
    world.eligible(world.ann, TEAMS)
    world.eligible(inner, HELPDESK)
    give(world, inner, Provider.GROUP, "member", outer)
    world.assigned(outer, READER)
    page = site.browser(world.pra).get(f"/portal/people/{world.ann}")
    can, holds = page.text.split("Can become", 1)[1].split("Holds", 1)
    assert "Teams Administrator Directory" in can
    assert "through Watch" in can
    assert "Watch → Crew after activation" in can
    assert "Global Reader" in can, "the group that can be joined has it"
    assert "No active assignments" in holds
    ok(world.activate(world.ann, TEAMS))
    page = site.browser(world.pra).get(f"/portal/people/{world.ann}")
    assert "Teams Administrator Activated" in page.text.split("Holds", 1)[1]


def test_who_can_become_what_in_a_group_and_a_unit(site: Site) -> None:
    world = site.world
    crew = world.group("Crew", [world.dan])
    ops = world.group("Operations", [world.cyd])
    unit = world.unit("Lisbon")
    give(world, world.ann, Provider.GROUP, "owner", crew)
    world.eligible(world.bob, HELPDESK, unit)
    world.eligible(ops, TEAMS)
    reader = site.browser(world.pra)
    page = reader.get(f"/portal/groups/{crew}")
    assert "ann Owner here" in page.text
    assert "dan" in page.text.split("Members now")[1].split("Who can")[0]
    page = reader.get(f"/portal/units/{unit.rsplit('/', 1)[1]}")
    assert "bob Helpdesk Administrator here" in page.text
    assert "Operations Group so also cyd Teams Administrator" in page.text
    assert "inherited" in page.text
    plain = site.browser(world.dan).get(f"/portal/units/{unit.rsplit('/', 1)[1]}")
    assert "bob" not in plain.text
    assert "You see what is your own" in plain.text


def test_the_tree(site: Site) -> None:
    world = site.world
    a_tree(world)
    assert "Shop" not in site.browser(world.dan).get("/portal/resources").text
    give(world, world.ann, Provider.RESOURCE, RBAC_READER, SUBSCRIPTION, ASSIGNMENT)
    give(world, world.bob, Provider.RESOURCE, RBAC_READER, SUBSCRIPTION)
    ann = site.browser(world.ann)
    assert "Shop Subscription" in ann.get("/portal/resources").text
    page = ann.get(f"/portal/resources/place?at={SUBSCRIPTION}")
    assert "rg-web" in page.text
    assert "bob Reader here" in page.text
    assert "rg-web" not in ann.get(f"/portal/resources/place?at={SUBSCRIPTION}&q=fish").text
    page = ann.get(f"/portal/resources/place?at={SUBSCRIPTION}/resourceGroups/RG-web&kind=active")
    assert "ann Reader Shop inherited" in page.text
    assert "vm1" in page.text
    assert site.browser(world.dan).get(f"/portal/resources/place?at={SUBSCRIPTION}").status == 403


def test_who_sees_whom(site: Site) -> None:
    world = site.world
    world.eligible(world.ann, TEAMS)
    guest = world.guest("Guy")
    plain = site.browser(world.bob)
    page = plain.get(f"/portal/people/{world.ann}")
    assert page.status == 200
    assert "Teams Administrator" not in page.text
    assert "Only what you may read" in page.text
    assert "Teams Administrator" in site.browser(world.ann).get(f"/portal/people/{world.ann}").text
    visiting = site.browser(guest)
    assert visiting.get(f"/portal/people/{world.ann}").status == 403
    assert "ann" not in visiting.get("/portal/people").text.split("Work")[1]
    assert visiting.get("/portal/units").status == 403
    other = World(world.database)
    other.now = world.now
    assert plain.get(f"/portal/people/{other.ann}").status == 404


@pytest.mark.parametrize(
    "value", ["'\"><script>x</script>", "%00", "x" * 3000, "%ff", "{{7*7}}", "../../x", "[]", "MTI"]
)
def test_hostile_input(site: Site, value: str) -> None:
    a_tree(site.world)
    admin = site.browser(site.world.ga)
    group, unit = site.world.group("G"), site.world.unit("U").rsplit("/", 1)[1]
    give(site.world, site.world.ga, Provider.RESOURCE, RBAC_READER, SUBSCRIPTION, ASSIGNMENT)
    paths = [f"{path}?{name}={value}" for path in LISTS for name in ("q", "after", "in")]
    paths += [f"/portal/groups/{group}?{name}={value}" for name in ("members", "rights", "kind")]
    paths += [f"/portal/units/{unit}?{name}={value}" for name in ("members", "rights", "kind")]
    paths += [
        f"/portal/resources/place?at={SUBSCRIPTION}&{name}={value}" for name in ("q", "after", "rights")
    ]
    paths += [
        f"/portal/resources/place?at={value}",
        "/portal/resources/place",
        "/portal/resources/place?at=/",
    ]
    paths += [f"{path}/{value.replace('/', '')}" for path in LISTS[:3]]
    for path in paths:
        page = admin.get(path)
        assert page.status < 500, path
        assert "<script>x" not in page.html, path


def test_what_a_person_can_become_has_pages(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    world = site.world
    monkeypatch.setattr(becoming, "RIGHTS", 2)
    for role in (TEAMS, HELPDESK, READER):
        world.eligible(world.ann, role)
        world.assigned(world.ann, role, world.unit(f"Unit {role[:2]}"))
    reader = site.browser(world.pra)
    page = reader.get(f"/portal/people/{world.ann}")
    can, holds = page.text.split("Can become", 1)[1].split("Holds", 1)
    assert can.strip().startswith("3"), "all of them are counted"
    assert "Global Reader" in can
    assert "Teams Administrator" not in can
    page = reader.get(next(link for link in page.links if "can=2" in link))
    can, holds = page.text.split("Can become", 1)[1].split("Holds", 1)
    assert "Teams Administrator" in can
    assert "Global Reader" not in can
    assert "Global Reader" in holds, "the other list stays where it was"
    for hostile in ("can=99999", "can=-1", "can=x", "holds=0"):
        assert reader.get(f"/portal/people/{world.ann}?{hostile}").status == 200
