"""My notifications and Settings → Notifications; and the link in a mail, which leads through the sign-in to the request."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from openpim.core.deliveries import DeliveryStatus
from openpim.core.notification_preferences import Preferences, Quiet
from openpim.ports.channels import Outcome
from openpim.services.credentials import set_password
from tests.faces.portal.client import Site
from tests.services.notices.conftest import SETTINGS
from tests.services.notices.telling import Telling
from tests.world import World, ok

MINE, ADMIN = "/portal/me/notifications", "/portal/notifications"


@pytest.fixture
def site(database_url: str) -> Iterator[Site]:
    world = World(database_url, settings=SETTINGS)
    yield Site(world)
    world.close()


def chosen(site: Site, person: str) -> Preferences | None:
    return site.world.read(lambda tx: tx.notification_preferences.get(person))


def test_i_choose_how_i_am_told(site: Site) -> None:
    ann = site.browser(site.world.ann)
    page = ann.get(MINE)
    assert page.form(MINE)["use-mail"] == "on"
    assert "quiet" not in page.form(MINE)
    done = ann.post(MINE, quiet="on", begins="21:30", ends="06:15", zone="Asia/Tokyo")
    assert done.to == MINE
    assert chosen(site, site.world.ann) == Preferences(
        (), Quiet("21:30", "06:15", "Asia/Tokyo"), "Asia/Tokyo"
    )
    again = ann.get(MINE).form(MINE)
    assert "use-mail" not in again
    assert (again["begins"], again["quiet"], again["zone"]) == ("21:30", "on", "Asia/Tokyo")


@pytest.mark.parametrize(
    "typed",
    [
        {"begins": "25:00"},
        {"ends": "<b>"},
        {"zone": "Mars"},
        {"begins": "07:00", "ends": "07:00"},
        {"zone": "\x01"},
        {"begins": ""},
    ],
)
def test_what_cannot_be_is_said_beside_the_field(site: Site, typed: dict[str, str]) -> None:
    ann = site.browser(site.world.ann)
    fields = {
        "token": ann.token,
        "use-mail": "on",
        "quiet": "on",
        "begins": "20:00",
        "ends": "07:00",
        "zone": "",
    } | typed
    page = ann.post(MINE, **fields)
    assert page.status == 400
    assert 'aria-invalid="true"' in page.html
    assert chosen(site, site.world.ann) is None


def test_a_channel_that_is_not_offered_cannot_be_chosen(site: Site) -> None:
    ann = site.browser(site.world.ann)
    fields = {"token": ann.token, "use-mail": "on", "use-chat:nothing": "on"}
    assert ann.post(MINE, **fields).status == 303
    assert chosen(site, site.world.ann) == Preferences()


def test_administrators_see_what_was_not_delivered_and_have_it_tried_again(site: Site) -> None:
    world = site.world
    telling = Telling(world)
    world.eligible(world.ann)
    telling.plan()
    telling.office.outcomes = [Outcome(sent=False, reason="550 <b>no</b> such user", retry=False)] * 3
    telling.send()
    pra = site.browser(world.pra)
    page = pra.get(ADMIN)
    assert page.status == 200
    assert "550 <b>no</b> such user" in page.text  # as text
    assert "<b>no" not in page.html
    dead = next(one for one in telling.deliveries() if one.status is DeliveryStatus.DEAD)
    assert pra.post(f"{ADMIN}/{dead.id}/retry", token=pra.token).to == ADMIN
    assert pra.post(f"{ADMIN}/{dead.id}/retry", token=pra.token).status == 303  # said, not done
    assert site.browser(world.ann).post(f"{ADMIN}/{dead.id}/retry", token="x").status == 403
    telling.send()
    assert len(telling.office.letters) == 1
    for which in ("dead", "waiting", "sent", "dropped", "nonsense", "sent&after=nonsense"):
        assert pra.get(f"{ADMIN}?list={which}").status == 200


def test_digest_and_emergency_accounts(site: Site) -> None:
    world = site.world
    pra = site.browser(world.pra)
    dan = world.read(lambda tx: tx.users.get(world.dan)).user_principal_name
    done = pra.post(ADMIN, token=pra.token, break_glass=f" {dan} \n\n")
    assert done.to == ADMIN
    settings = world.read(lambda tx: tx.organisation_settings.get())
    assert (settings.weekly_digest, settings.break_glass) == (False, (world.dan,))
    assert dan in pra.get(ADMIN).html
    wrong = pra.post(ADMIN, token=pra.token, break_glass=f"{dan}\nNobody <i>at all</i>", digest="on")
    assert wrong.status == 400
    assert "Nobody &lt;i&gt;at all" in wrong.html
    assert world.read(lambda tx: tx.organisation_settings.get()) == settings


def test_a_test_mail(site: Site) -> None:
    telling = Telling(site.world)
    pra = site.browser(site.world.pra)
    assert pra.post(f"{ADMIN}/test", token=pra.token).status == 303
    assert telling.told() == {"Petra": ["test"]}


def test_nobody_else_opens_the_settings(site: Site) -> None:
    ann = site.browser(site.world.ann)
    assert ann.get(ADMIN).status == 403
    assert "Notifications" not in ann.get("/portal/roles").links


def test_the_link_in_the_mail_leads_through_the_sign_in_to_the_request(site: Site) -> None:
    world = site.world
    telling = Telling(world)
    world.approval(world.bob)
    world.eligible(world.ann)
    telling.told()
    request = ok(world.activate(world.ann, hours=1))
    (letter,) = telling.tell()
    path = urlsplit(letter.link).path
    assert path == f"/portal/approvals/{request.id}"
    world.write(lambda tx: set_password(tx, site.signin, world.bob, "correct horse battery"))
    name = world.read(lambda tx: tx.users.get(world.bob)).user_principal_name
    browser = site.browser()
    asked = browser.get(path)
    assert asked.status == 401
    assert "because" not in asked.text
    typed = asked.form("/signin/step") | {"username": name, "password": "correct horse battery"}
    assert browser.post("/signin/step", **typed).to == path
    page = browser.follow()
    assert page.status == 200
    assert "because" in page.text
    # Forwarded to somebody else, it shows nothing.
    assert site.browser(world.cyd).get(path).status == 403
