"""Suggestions: what is found, and that nobody is told of more than the lists show him."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openpim.core.grants import Action, Provider
from openpim.core.permissions import OWNER, Permission, ResourceRole
from openpim.core.resources import Resource, ResourceKind
from openpim.services.submit import submit
from tests.faces.portal.client import Browser, Site
from tests.world import ASSIGNMENT, World, ok


def asked(browser: Browser, of: str, q: str, **more: str) -> list[dict[str, str]]:
    query = "&".join(f"{name}={value}" for name, value in {"of": of, "q": q, **more}.items())
    page = browser.get(f"/portal/pick?{query}")
    assert page.status == 200
    assert page.answer.headers["content-type"] == "application/json"
    assert page.answer.headers["cache-control"] == "no-store"
    assert page.answer.headers["x-content-type-options"] == "nosniff"
    return page.answer.json()["items"]


def names(*args: object, **more: str) -> list[str]:
    return [one["name"] for one in asked(*args, **more)]  # type: ignore[arg-type]


def test_people_groups_and_applications(site: Site) -> None:
    world = site.world
    world.user("Zoe Zander")
    world.group("Zoo keepers")
    world.app("Zoological index")
    ann = site.browser(world.ann)
    assert names(ann, "principal", "zo") == ["Zoe Zander", "Zoo keepers", "Zoological index"]
    assert names(ann, "approver", "zo") == ["Zoe Zander", "Zoo keepers"]
    assert names(ann, "person", "zo") == ["Zoe Zander"]
    assert names(ann, "group", "zo") == ["Zoo keepers"]
    person, group, app = asked(ann, "principal", "zo")
    assert person["value"] == person["more"]
    assert "@" in person["value"]
    assert (group["value"], group["more"]) == ("Zoo keepers", "Group")
    assert app["more"] == "Application"
    assert names(ann, "person", person["value"].replace("@", "%40")) == ["Zoe Zander"], "by address"
    for nothing in ("", "%20", "nobody-at-all", "%00"):
        assert ann.get(f"/portal/pick?of=principal&q={nothing}").status in {200, 400}
    assert asked(ann, "principal", "") == []
    assert asked(ann, "secrets", "zo") == []


def test_what_is_written_means_one_thing(site: Site) -> None:
    """Where a name is several groups', or would be read as several lines, the id is written."""
    world = site.world
    twins = {world.group("Twins"), world.group("Twins")}
    odd = world.group("Odd; name")
    world.group("Plain")
    ann = site.browser(world.ann)
    assert {one["value"] for one in asked(ann, "group", "twins")} == twins
    assert [one["value"] for one in asked(ann, "group", "odd")] == [odd]
    assert [one["value"] for one in asked(ann, "group", "plain")] == ["Plain"]
    assert names(ann, "group", odd) == ["Odd; name"], "an id is known too"


def test_a_few_only_and_those_that_exist(site: Site) -> None:
    world = site.world
    people = [world.user(f"Many {number:02}") for number in range(20)]
    world.delete(people[0])
    ann = site.browser(world.ann)
    found = names(ann, "person", "many")
    assert found[0] == "Many 01"
    assert len(found) == 12


def test_roles(site: Site) -> None:
    world = site.world
    world.custom_role("Teams watcher")
    ann = site.browser(world.ann)
    found = names(ann, "role", "teams")
    assert found[0].startswith("Teams")
    assert "Teams watcher" in found
    assert names(ann, "role", "watcher teams") == ["Teams watcher"]
    assert names(ann, "role", "", provider="group") == ["Member", "Owner"]
    assert "Owner" in names(ann, "role", "own", provider="resource")


def test_places(site: Site) -> None:
    world = site.world
    world.unit("Lisbon")
    world.group("Lisbon office")
    ann = site.browser(world.ann)
    (unit,) = asked(ann, "place", "lis", provider="directory")
    assert unit["value"].startswith("/administrativeUnits/")
    assert unit["more"] == "Administrative unit"
    assert asked(ann, "place", "/", provider="directory")[0]["value"] == "/"
    assert names(ann, "place", "lis", provider="group") == ["Lisbon office"]


@pytest.fixture
def tree(site: Site) -> str:
    """A subscription with a resource group, and a custom role; dan owns the subscription."""
    world = site.world
    sub = "/subscriptions/00000000-0000-4000-8000-0000000000aa"
    made = [
        Resource(id=sub, path=sub, parent_id="/", kind=ResourceKind.SUBSCRIPTION, type="Microsoft.Resources/subscriptions",
                 name=sub.rsplit("/", 1)[1], display_name="Secret project", created_at=world.now),
        Resource(id=f"{sub}/resourcegroups/vault", path=f"{sub}/resourceGroups/Vault", parent_id=sub, kind=ResourceKind.RESOURCE_GROUP,
                 type="Microsoft.Resources/resourceGroups", name="Vault", display_name="Vault", created_at=world.now),
    ]  # fmt: skip
    role = ResourceRole(world.new_id(), "Unheard of", (Permission(actions=("*/read",)),), built_in=False)

    def plant(tx: object) -> None:
        for one in made:
            tx.resources.add(one)  # type: ignore[attr-defined]
        tx.resource_roles.put(role)  # type: ignore[attr-defined]

    world.write(plant)
    ask = world.ask(Action.ADMIN_ASSIGN, world.dan, OWNER, sub, kind=ASSIGNMENT, days=30)
    ok(submit(world.deps, world.system, replace(ask, provider=Provider.RESOURCE)))
    return sub


def test_the_tree_as_far_as_one_sees_it(site: Site, tree: str) -> None:
    dan, ann = site.browser(site.world.dan), site.browser(site.world.ann)
    assert names(dan, "place", "secret", provider="resource") == ["Secret project"]
    assert names(dan, "place", f"{tree}/resourceGroups/va", provider="resource") == ["Vault"]
    for text in ("secret", "", tree, f"{tree}/resourceGroups/", f"{tree}/resourceGroups/va"):
        assert names(ann, "place", text, provider="resource") == []
    assert names(ann, "role", "unheard", provider="resource") == []
    wizard = "/portal/assignments/add?provider=resource"
    assert "Unheard of" in dan.get(wizard).text
    assert "Unheard of" not in ann.get(wizard).text


def test_guests_are_told_of_themselves_and_their_groups(site: Site) -> None:
    world = site.world
    guest = world.guest("Gus")
    world.group("Guides", [guest])
    world.group("Guards")
    world.user("Guy")
    world.unit("Guilds")
    gus = site.browser(guest)
    assert names(gus, "principal", "gu") == ["Guides", "Gus"]
    assert names(gus, "place", "gu", provider="group") == ["Guides"]
    assert names(gus, "place", "gu", provider="directory") == []
    assert names(gus, "role", "a") == []
    assert names(gus, "principal", world.ann) == [], "not by an id either"


def test_other_tenants_and_nobody(site: Site) -> None:
    world = site.world
    other = World(world.database)
    other.now = world.now
    other.user("Zoe Elsewhere")
    assert names(site.browser(world.ann), "principal", "zoe") == []
    assert site.browser().get("/portal/pick?of=principal&q=zoe").status == 401
