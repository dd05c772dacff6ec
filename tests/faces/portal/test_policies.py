"""Role settings in the portal: the list, the three tabs beside their defaults, editing, copying."""

from __future__ import annotations

import pytest

from openpim.core.grants import Action, Provider
from openpim.core.policy import Policy, Requirement
from openpim.core.refusals import Code
from tests.faces.portal.client import Browser, Site
from tests.world import ELIGIBILITY, READER, TEAMS, refused

EXCHANGE = "29232cdf-9323-42fd-ade2-1d097af3e4de"
EDIT = f"/portal/policies/directory/{TEAMS}/edit"
SHOWN = f"/portal/policies/directory/{TEAMS}"


def stored(site: Site, role: str = TEAMS) -> Policy | None:
    return site.world.read(lambda tx: tx.policies.get(Provider.DIRECTORY, role, "/"))


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser(site.world.ga)


def edit(admin: Browser, tab: str, **typed: str):
    assert admin.get(f"{EDIT}?tab={tab}").status == 200
    return admin.send(EDIT, **typed)


def test_the_list_says_who_changed_what(site: Site, admin: Browser) -> None:
    assert "Modified" not in admin.get("/portal/policies?q=teams+admin").text
    edit(admin, "activation", maximum="120")
    page = admin.get("/portal/policies?changed=1")
    assert "Teams Administrator" in page.text
    assert "Exchange Administrator" not in page.text
    assert "up to 2 h" in page.text


def test_every_setting_of_activation(site: Site, admin: Browser) -> None:
    ben_id = site.world.user("Ben")
    ben = site.world.read(lambda tx: tx.users.get(ben_id))
    dan = site.world.read(lambda tx: tx.users.get(site.world.dan))
    edit(
        admin, "activation", maximum="90", proof="context", context="c2", ticket="on", approval="on",
        stage1_who=f"{ben.user_principal_name}\n{dan.display_name}", stage1_quorum="2", stage1_hours="3",
        stage1_then=site.world.ga, stage1_after="1",
    )  # fmt: skip
    page = admin.follow()
    assert "The settings of Teams Administrator are changed" in page.text
    policy = stored(site)
    assert policy.activation.maximum.seconds == 5400
    assert policy.activation_requires == {Requirement.JUSTIFICATION, Requirement.TICKETING}
    assert (policy.context_enabled, policy.context) == (True, "c2")
    (stage,) = policy.approval.stages
    assert set(stage.primary.users) == {ben_id, site.world.dan}
    assert (stage.quorum, stage.timeout_minutes, stage.escalate_after_minutes) == (2, 180, 60)
    assert stage.escalation.users == (site.world.ga,)
    for words in ("1 h 30 min", "authentication context c2", "2 of", "8 h", "after 1 h also"):
        assert words in page.text
    assert "the same" not in page.text  # as the default: not even approvers, which that has none of
    again = admin.get(f"{EDIT}?tab=activation").form(EDIT)
    assert again["stage1_quorum"] == "2"
    assert again["maximum"] == "90"


def test_what_is_saved_unchanged_stays_what_it_was(site: Site, admin: Browser) -> None:
    for tab in ("activation", "assignment", "notification"):
        edit(admin, tab)
        assert "are changed" in admin.follow().text
    policy = stored(site)
    default = Policy(id="x", role_id=TEAMS)
    for name in (
        "activation", "activation_requires", "approval", "eligibility", "assignment", "assignment_requires",
        "eligibility_requires", "notifications", "context_enabled",
    ):  # fmt: skip
        assert getattr(policy, name) == getattr(default, name), name


def test_assignment_and_mail(site: Site, admin: Browser) -> None:
    edit(admin, "assignment", eligible_permanent="", eligible_limit="P90D", active_mfa="on")
    edit(admin, "notification", level_Admin_EndUser_Assignment="Critical",
         more_Admin_EndUser_Assignment="ops@example.com; soc@example.com")  # fmt: skip
    page = admin.follow()
    assert "Critical mail only" in page.text
    assert "ops@example.com" in page.text
    policy = stored(site)
    assert policy.eligibility.maximum.iso == "P90D"
    assert Requirement.MFA in policy.assignment_requires
    assert policy.notifications["Admin_EndUser_Assignment"].recipients == (
        "ops@example.com",
        "soc@example.com",
    )


def test_what_an_eligible_assignment_asks_of_who_gives_it(site: Site, admin: Browser) -> None:
    """Entra's portal has no field for this rule; its API has the rule, and so we have both."""
    edit(admin, "assignment", eligible_justification="on", eligible_mfa="on")
    page = admin.follow()
    assert "On eligible assignment, require" in page.text
    policy = stored(site)
    assert policy.eligibility_requires == {Requirement.MFA, Requirement.JUSTIFICATION}
    assert policy.assignment_requires == {Requirement.JUSTIFICATION}, "the other one is as it was"
    world = site.world
    ask = world.ask(Action.ADMIN_ASSIGN, world.ann, TEAMS, kind=ELIGIBILITY, justification=None, days=3)
    refusal = refused(world.submit(ask, world.caller(world.ga, mfa=False)), Code.POLICY)
    assert set(refusal.rules) == {"MfaRule", "JustificationRule"}
    again = admin.get(f"{EDIT}?tab=assignment").form(EDIT)
    assert {"eligible_mfa", "eligible_justification", "active_justification"} <= again.keys()
    assert "active_mfa" not in again


@pytest.mark.parametrize(
    ("tab", "typed", "said"),
    [
        ("activation", {"maximum": "2"}, "from 5 to 1440"),
        ("activation", {"maximum": "x" * 500}, "from 5 to 1440"),
        ("activation", {"proof": "context", "context": "zz"}, "c1 to c99"),
        ("activation", {"approval": "on", "stage1_who": "nobody@nowhere"}, "is the name of nobody"),
        ("activation", {"approval": "on", "stage1_hours": "0"}, "from 1 to 1440"),
        ("assignment", {"eligible_limit": "P1000Y"}, "Choose one of the list"),
        ("assignment", {"eligible_permanent": "", "eligible_limit": ""}, "needs a maximum duration"),
        ("notification", {"more_Admin_EndUser_Assignment": "<script>"}, "is not a mail address"),
        ("notification", {"level_Admin_EndUser_Assignment": "Shout"}, "Choose one of the list"),
    ],
)
def test_what_is_wrong_is_said_where_it_was_typed(site: Site, admin: Browser, tab: str, typed: dict[str, str], said: str) -> None:  # fmt: skip
    page = edit(admin, tab, **typed)
    assert page.status == 400
    assert said in page.text
    assert "<script>" not in page.html.replace('<script type="module"', "")
    assert stored(site) is None


def test_two_at_once(site: Site, admin: Browser) -> None:
    other = site.browser(site.world.ga)
    other.get(f"{EDIT}?tab=activation")
    edit(admin, "activation", maximum="60")
    page = other.send(EDIT, maximum="240")
    assert page.status == 400
    assert "has changed these settings meanwhile" in page.text
    assert stored(site).activation.maximum.seconds == 3600


def test_only_who_may(site: Site) -> None:
    ann = site.browser(site.world.ann)
    assert "Edit" not in [part.strip() for part in ann.get(SHOWN).text.split()]
    assert edit(ann, "activation", maximum="60").status == 400
    assert stored(site) is None


def test_copies(site: Site, admin: Browser) -> None:
    edit(admin, "activation", maximum="60", ticket="on")
    admin.get(f"{SHOWN}/copy")
    admin.send(f"{SHOWN}/copy", **{f"pick-{EXCHANGE}": "on", f"pick-{READER}": "on"})
    assert "copied to 2 roles" in admin.follow().text
    for role in (EXCHANGE, READER):
        policy = stored(site, role)
        assert policy.activation.maximum.seconds == 3600
        assert policy.role_id == role
    assert stored(site, EXCHANGE).id != stored(site).id


def test_groups_and_places(site: Site, admin: Browser) -> None:
    group = site.world.group("Crane drivers")
    assert "Crane drivers" in admin.get("/portal/policies/groups?q=crane").text
    page = admin.get(f"/portal/policies/groups?group={group}")
    assert "Member" in page.text
    assert "Owner" in page.text
    path = "/portal/policies/group/owner/edit"
    admin.get(f"{path}?scope={group}")
    admin.send(path, maximum="60")
    assert "are changed" in admin.follow().text
    assert site.world.read(lambda tx: tx.policies.get(Provider.GROUP, "owner", group)).activation.maximum.seconds == 3600  # fmt: skip
    assert admin.get("/portal/policies/resources").status == 200
    for wrong in ("/portal/policies/groups?group=nope", "/portal/policies/resources?scope=/subscriptions/nope",
                  "/portal/policies/fish/member", "/portal/policies/directory/nope"):  # fmt: skip
        assert admin.get(wrong).status in {400, 403, 404}, wrong
