"""openPim/notifications, the organisation's choices about them, and a person's own, over Graph."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openpim.ports.channels import Outcome
from tests.faces.graph.client import Graph
from tests.services.notices.conftest import SETTINGS
from tests.services.notices.telling import Telling
from tests.world import World

BETA = "/beta/openPim"
MINE, ALL = f"{BETA}/notificationPreferences", f"{BETA}/notifications"
CHOICES = f"{BETA}/notificationSettings"


@pytest.fixture
def graph(database_url: str) -> Iterator[Graph]:
    world = World(database_url, settings=SETTINGS)
    yield Graph(world)
    world.close()


def test_a_person_chooses(graph: Graph) -> None:
    ann = graph.world.ann
    found = graph.get(MINE, ann).json()
    assert found["channels"] == ["mail"]
    assert found["availableChannels"] == [{"id": "mail", "displayName": "Mail"}]
    wanted = {"quietHours": {"begins": "22:00", "ends": "07:00", "timeZone": "Europe/Oslo"}}
    assert graph.patch(MINE, ann, wanted).json()["quietHours"] == wanted["quietHours"]
    assert graph.patch(MINE, ann, {"channels": []}).json()["quietHours"] == wanted["quietHours"]
    assert graph.get(MINE, ann).json()["channels"] == []
    assert graph.patch(MINE, ann, {"quietHours": None}).json()["quietHours"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"channels": "mail"}, {"channels": ["fax"]}, {"channels": [1]}, {"quietHours": "night"}, {"quietHours": {}},
        {"quietHours": {"begins": "22", "ends": "07:00"}}, {"quietHours": {"begins": "22:00", "ends": None}},
        {"timeZone": "Nowhere/At/All"}, {"timeZone": 5}, {"timeZone": "x" * 100}, {"channels": ["\x00"]},
    ],
)  # fmt: skip
def test_nonsense_is_refused(graph: Graph, wrong: dict[str, object]) -> None:
    answer = graph.patch(MINE, graph.world.ann, wrong)
    assert answer.status_code == 400, answer.text
    assert graph.get(MINE, graph.world.ann).json()["channels"] == ["mail"]


def test_administrators_see_and_retry(graph: Graph) -> None:
    world = graph.world
    telling = Telling(world)
    world.eligible(world.ann)
    telling.plan()
    telling.office.outcomes = [Outcome(sent=False, reason="550 no", retry=False)] * 3
    telling.send()
    dead = graph.get(f"{ALL}?$filter=status eq 'dead'&$top=1", world.pra).json()
    assert dead["value"][0]["reason"] == "550 no"
    assert "@odata.nextLink" in dead
    one = dead["value"][0]["id"]
    assert graph.get(ALL, world.ann).status_code == 403
    assert graph.post(f"{ALL}/{one}/retry", world.ann).status_code == 403
    assert graph.post(f"{ALL}/{one}/retry", world.pra).json()["status"] == "waiting"
    assert graph.post(f"{ALL}/{one}/retry", world.pra).status_code in {400, 409}
    assert graph.post(f"{ALL}/nothing/retry", world.pra).status_code == 404


def test_the_organisations_choices(graph: Graph) -> None:
    world = graph.world
    assert graph.get(CHOICES, world.pra).json()["isWeeklyDigestEnabled"] is True
    body = {"isWeeklyDigestEnabled": False, "breakGlassAccountIds": [world.dan]}
    found = graph.patch(CHOICES, world.pra, body).json()
    assert (found["isWeeklyDigestEnabled"], found["breakGlassAccountIds"]) == (False, [world.dan])
    assert graph.patch(CHOICES, world.ann, body).status_code == 403
    assert graph.patch(CHOICES, world.pra, {"breakGlassAccountIds": ["nobody"]}).status_code in {400, 404}
    assert graph.post(f"{ALL}/sendTest", world.pra).status_code == 202
