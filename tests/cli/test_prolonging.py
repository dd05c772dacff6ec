"""`pim extend` and `pim renew`, against the faces of a world whose clock is moved by hand."""

from __future__ import annotations

from typing import Any

import pytest

from openpim.cli import __main__ as cli
from openpim.client import clock
from openpim.client.http11 import Response
from openpim.client.instants import instant
from openpim.client.profiles import write_profile
from openpim.core.approval import Verdict
from openpim.core.grants import Action
from tests.cli import fake as f
from tests.cli.running import Ran
from tests.faces.arm import client as arm_face
from tests.faces.graph import client as graph_face
from tests.world import APPROVE, DENY, READER, World, ok

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

ROLE = "Teams Administrator"
READER_THERE = arm_face.READER
DAY = 86400


class Wire:
    """In the place of `pim`'s connections: straight into the two faces."""

    def __init__(self, graph: Any, arm: Any) -> None:
        self.graph, self.arm = graph, arm
        self.begun: dict[Any, Any] = {}

    def __call__(self, **_: Any) -> Wire:
        return self

    def begin(self, *request: Any) -> None:
        pass

    def send(
        self, method: str, url: str, headers: Any = None, body: bytes | None = None, **_: Any
    ) -> Response:
        face = self.arm if url.startswith(arm_face.ORIGIN) else self.graph
        answer = face.client.request(method, url, headers=headers, content=body)
        return Response(answer.status_code, dict(answer.headers), answer.content)

    def close(self) -> None:
        pass


class Office:
    """People of one world, each at a `pim` of one's own."""

    def __init__(self, world: World, monkeypatch: Any, capsys: Any) -> None:
        self.world, self._patch, self._capsys = world, monkeypatch, capsys
        self.graph, self.arm = graph_face.Graph(world), arm_face.Arm(world)
        self.arm.plant()
        self.meanwhile: list[Any] = []  # what others do while `pim` waits
        monkeypatch.setattr("openpim.client.transport.Transport", Wire(self.graph, self.arm))
        for name in ("now", "monotonic"):
            monkeypatch.setattr(clock, name, self._now)
        monkeypatch.setattr(clock, "sleep", self._pass)
        write_profile("test", server=graph_face.ORIGIN, arm=arm_face.ORIGIN, tenant="common")

    def _now(self) -> float:
        return self.world.now.timestamp()

    def _pass(self, seconds: float) -> None:
        self.world.forward(seconds=max(1.0, seconds))
        if self.meanwhile:
            self.meanwhile.pop(0)()

    def __call__(self, who: str, *argv: str) -> Ran:
        token = f.jwt({"oid": who, "aud": graph_face.ORIGIN})
        self.graph.known[token], self.arm.known[token] = graph_face.Who(who), arm_face.Who(who)
        self._patch.setenv("PIM_ACCESS_TOKEN", token)
        self._patch.setenv("PIM_ARM_ACCESS_TOKEN", token)
        self._capsys.readouterr()
        code = cli.main(list(argv))
        said = self._capsys.readouterr()
        return Ran(code, said.out, said.err)

    def done(self, who: str, *argv: str) -> Ran:
        ran = self(who, *argv)
        assert ran.code == 0, ran
        return ran

    def left(self, who: str, what: str, role: str) -> float:
        """Days until it ends."""
        rows = self.done(who, "list", what, "-o", "json").json
        ends = next(row["end"] for row in rows if row["role"] == role)
        return ((instant(ends) or 0.0) - clock.now()) / DAY


@pytest.fixture
def office(database_url: str, home: Any, monkeypatch: Any, capsys: Any) -> Any:
    world = World(database_url)
    yield Office(world, monkeypatch, capsys)
    world.close()


def test_a_running_activation_lasts_longer(office: Office) -> None:
    world, ann = office.world, office.world.ann
    world.eligible(ann)
    office.done(ann, "activate", ROLE, "-d", "1h", "-j", "x")
    world.forward(minutes=50)
    ran = office(ann, "extend", "teams", "-d", "3h", "-j", "still at it")
    assert (ran.code, f"{ROLE} is extended until" in ran.out, "3 h left" in ran.out) == (0, True, True), ran
    assert office.left(ann, "active", ROLE) == pytest.approx(3 / 24)
    assert "allows at most 8 h" in office.done(ann, "extend", ROLE, "-d", "1d", "-j", "x").err
    sooner = office(ann, "extend", ROLE, "-d", "1h", "-j", "x")
    assert (sooner.code, "not be later than the present one" in sooner.err) == (2, True), sooner
    row = office.done(ann, "requests", "-o", "json").json[0]
    assert (row["action"], row["status"]) == ("selfExtend", "Provisioned")


def test_never_longer_than_the_eligibility(office: Office) -> None:
    world, ann = office.world, office.world.ann
    world.eligible(ann, hours=4)
    office.done(ann, "activate", ROLE, "-d", "1h", "-j", "x")
    ran = office.done(ann, "extend", ROLE, "-d", "6h", "-j", "x", "-o", "json").json[0]
    assert (ran["state"], ran["left"]) == ("extended", "4 h")


def test_what_its_role_demands_is_demanded_again(office: Office) -> None:
    world, ann = office.world, office.world.ann
    world.eligible(ann, days=10)
    office.done(ann, "activate", ROLE, "-d", "1h", "-j", "x")
    world.approval(world.bob)
    world.forward(minutes=10)
    lacking = office(ann, "extend", ROLE)
    assert (lacking.code, "-j TEXT" in lacking.err) == (8, True), lacking
    ran = office(ann, "extend", ROLE, "-d", "2h", "-j", "x", "--no-wait")
    assert (ran.code, f"{ROLE} waits for approval by" in ran.out) == (3, True), ran
    again = office(ann, "extend", ROLE, "-d", "2h", "-j", "x", "--no-wait", "-o", "json")
    assert (again.code, again.json[0]["state"], again.json[0]["kind"]) == (3, "waiting", "activation"), again
    assert len(office.done(ann, "requests", "--pending", "-o", "json").json) == 1
    other = office(ann, "extend", ROLE, "--eligible", "--no-wait", "-o", "json").json[0]  # another matter
    assert (other["kind"], other["request"] != again.json[0]["request"]) == ("eligibility", True)
    office.done(world.bob, "approve", "--all", "-y", "-j", "fine")
    assert office.left(ann, "active", ROLE) == pytest.approx(2 / 24)


def test_an_eligibility_that_ends_soon_waits_for_a_decision(office: Office) -> None:
    world, ann = office.world, office.world.ann
    world.eligible(ann, days=30)
    early = office(ann, "extend", ROLE)
    assert (early.code, "within the last 14 days" in early.err, "it ends" in early.err) == (2, True, True), (
        early
    )
    world.forward(days=20)
    office.done(ann, "activate", ROLE, "-d", "1h", "-j", "x")
    ran = office(ann, "extend", ROLE, "--eligible", "-d", "90d", "-j", "goes on", "--no-wait")
    assert (ran.code, f"{ROLE} (eligibility) waits for a decision by" in ran.out) == (3, True), ran
    assert "pim requests --eligibility" in ran.out
    assert office.left(ann, "eligible", ROLE) == pytest.approx(10)
    assert "extend eligibility" in office.done(world.pra, "inbox").out
    office.done(world.pra, "approve", "--all", "-y", "-j", "fine")
    assert office.left(ann, "eligible", ROLE) == pytest.approx(90)


@pytest.mark.parametrize("verdict", [APPROVE, DENY])
def test_the_decision_is_waited_for(office: Office, verdict: Verdict) -> None:
    world, ann = office.world, office.world.ann
    world.eligible(ann, days=10)

    def decide() -> None:
        waiting = next(one for one in world.requests() if one.action is Action.SELF_EXTEND)
        ok(world.review(waiting, world.pra, verdict))

    office.meanwhile += [lambda: None, decide]  # it is looked at once before
    ran = office(ann, "extend", ROLE, "-o", "json")
    row = ran.json[0]
    assert (row["role"], row["kind"]) == (ROLE, "eligibility")
    if verdict is APPROVE:
        assert (ran.code, row["state"], row["status"]) == (0, "extended", "Provisioned")
        longest = (instant(row["end"]) or 0) - clock.now()  # as the policy has it
        assert longest == pytest.approx(office.left(ann, "eligible", ROLE) * DAY)
    else:
        assert (ran.code, row["state"], row["error"]) == (4, "denied", "denied")
    assert (office.left(ann, "eligible", ROLE) > 59) == (verdict is APPROVE)


def test_nobody_decides(office: Office) -> None:
    world, ann = office.world, office.world.ann
    world.eligible(ann, days=10)
    ran = office(ann, "extend", ROLE, "--timeout", "1m")
    assert (ran.code, "is not decided yet" in ran.err, "the request goes on" in ran.err) == (9, True, True), (
        ran
    )


def test_what_comes_through_a_group_is_not_ones_own(office: Office) -> None:
    world, ann = office.world, office.world.ann
    world.eligible(world.group("On-Call", [ann]), days=5)
    ran = office(ann, "extend", ROLE, "-j", "x")
    assert (ran.code, "comes through On-Call" in ran.err) == (6, True), ran
    assert not world.read(lambda tx: tx.requests.open_of(ann))


def test_permanent_and_nothing_at_all(office: Office) -> None:
    world, ann = office.world, office.world.ann
    world.eligible(ann)
    ran = office(ann, "extend", ROLE)
    assert (ran.code, "nothing to extend" in ran.err) == (2, True), ran
    assert office(world.bob, "extend", ROLE).code == 6


def test_what_has_ended_is_given_again(office: Office) -> None:
    world, ann = office.world, office.world.ann
    world.eligible(ann, days=5)
    world.assigned(ann, READER, days=5)
    lasts = office(ann, "renew", "teams", "--no-wait")
    assert (lasts.code, "has not ended" in lasts.err, "pim extend" in lasts.err) == (4, True, True), lasts
    world.forward(days=6)
    over = office(ann, "extend", ROLE)
    assert (over.code, "pim renew" in over.err) == (6, True), over
    ran = office(ann, "renew", "teams", "-d", "30d", "-j", "needed again", "--no-wait")
    assert (ran.code, f"{ROLE} (eligibility) waits for a decision by" in ran.out) == (3, True), ran
    active = office(ann, "renew", "global reader", "--active", "--no-wait", "-o", "json")
    assert (active.code, active.json[0]["kind"]) == (3, "assignment"), active
    office.done(world.pra, "approve", "--all", "-y", "-j", "fine")
    assert office.left(ann, "eligible", ROLE) == pytest.approx(30)
    assert office.left(ann, "active", "Global Reader") > 30
    world.forward(days=65)
    late = office(ann, "renew", ROLE, "--no-wait")
    assert (late.code, "more than 30 days ago" in late.err) == (2, True), late
    never = office(ann, "renew", "Exchange Administrator", "--no-wait")
    assert (never.code, "nothing of yours has expired there" in never.err) == (6, True), never
    assert office(ann, "renew", "nothing of the sort").code == 6


def test_groups(office: Office) -> None:
    world, ann = office.world, office.world.ann
    world.group("sg-admins")
    name = world.read(lambda tx: tx.users.get(ann)).user_principal_name
    for what in ("sg-admins", "sg-admins:owner"):
        office.done(world.ga, "assign", what, name, "-d", "10d", "-j", "x")
    office.done(ann, "activate", "sg-admins", "-d", "30m", "-j", "x")
    both = office(
        ann, "extend", "sg-admins", "sg-admins:owner", "-d", "60m", "-j", "x", "-o", "json", "--no-wait"
    )
    assert (both.code, [row["state"] for row in both.json]) == (10, ["extended", "failed"]), both
    owner = office(ann, "extend", "sg-admins:owner", "-d", "60d", "--no-wait")
    assert (owner.code, "sg-admins:owner (eligibility) waits for a decision" in owner.out) == (3, True), owner
    office.done(world.ga, "approve", "--all", "-y", "-j", "fine")
    assert office.left(ann, "eligible", "sg-admins:owner") == pytest.approx(60)
    world.forward(days=12)
    ran = office(ann, "renew", "sg-admins", "--no-wait")
    assert (ran.code, "sg-admins (eligibility) waits for a decision" in ran.out) == (3, True), ran
    office.done(world.ga, "approve", "--all", "-y", "-j", "fine")
    assert office.left(ann, "eligible", "sg-admins") > 60


def test_roles_on_resources(office: Office) -> None:
    world, ann, arm = office.world, office.world.ann, office.arm
    arm.eligible(ann, READER_THERE, arm.prod, days=10)
    office.done(ann, "activate", "Reader@Production/Web", "-d", "30m", "-j", "x")
    world.forward(minutes=10)
    ran = office(ann, "extend", "Reader", "-d", "2h", "-j", "x")  # the one that runs, of two that fit
    assert (ran.code, "Reader@Web is extended until" in ran.out, "2 h left" in ran.out) == (0, True, True), (
        ran
    )
    office.done(ann, "extend", "Reader@Production/Web", "-d", "3h", "-j", "x")
    assert office.left(ann, "active", "Reader") == pytest.approx(3 / 24)
    ran = office(ann, "extend", "Reader@Production", "-d", "60d", "-o", "json", "--no-wait")
    row = ran.json[0]
    assert (ran.code, row["provider"], row["kind"], row["scopeName"]) == (
        3,
        "resource",
        "eligibility",
        "Production",
    )
    office.done(arm.owner, "approve", "--all", "-y", "-j", "fine")
    assert office.left(ann, "eligible", "Reader") == pytest.approx(60)
    world.forward(days=61)
    ran = office(ann, "renew", "Reader@Production", "-d", "20d", "--no-wait")
    assert (ran.code, "Reader@Production (eligibility) waits for" in ran.out) == (3, True), ran
    office.done(arm.owner, "approve", "--all", "-y", "-j", "fine")
    assert office.left(ann, "eligible", "Reader") == pytest.approx(20)
