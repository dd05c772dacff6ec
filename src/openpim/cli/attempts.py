"""One name of `pim activate`, `extend` or `renew` on its way: what it stands for, what was asked, waiting for it, what came
of it."""

from __future__ import annotations

from openpim.cli.choosing import label_at
from openpim.cli.deciding import failure, is_settled, watch, who_approves
from openpim.cli.exits import combined, exit_code
from openpim.cli.output import left, local
from openpim.client.errors import PimError
from openpim.client.instants import iso
from openpim.client.policy import Demand, policies_of, resource_policies, stricter
from openpim.client.roles import APPROVAL, AWAITING, Asked, Holding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openpim.cli.context import Context
    from openpim.client.pim import Pim

    Row = dict[str, Any]

__all__ = ["Attempt", "await_all", "demands", "show", "take_active"]

COLUMNS = (
    ("role", "ROLE"), ("scopeName", "SCOPE"), ("state", "STATE"), ("end", "UNTIL", "time"),
    ("left", "LEFT"), ("request", "REQUEST"), ("message", ""),
)  # fmt: skip
_DONE = {"selfActivate": "active", "selfExtend": "extended", "selfRenew": "renewed"}


class Attempt:
    """One name on its way: what it stands for, what was asked, what came of it."""

    def __init__(self, name: str, action: str = "selfActivate") -> None:
        self.name = name
        self.action = action
        self.held: Holding | None = None
        self.scope = ""
        self.scope_name = ""
        self.demand = Demand(None)
        self.body: Row | None = None
        self.asked: Asked | None = None
        self.ends: float | None = None
        self.state = ""
        self.error: PimError | None = None
        self.raced = False
        self.linked = True  # the request names the eligibility that it rests on

    @property
    def holding(self) -> Holding:
        """What the name stands for; only once that is known."""
        if self.held is None:
            raise PimError("unexpected", f"{self.name!r} stands for nothing")
        return self.held

    @property
    def kind(self) -> str:
        """What is asked for: `activation`, or the `eligibility` or `assignment` that is to last longer."""
        if self.action == "selfActivate" or self.holding.activated:
            return "activation"
        return "eligibility" if self.holding.eligible else "assignment"

    @property
    def label(self) -> str:
        """What is asked for, where: `Teams Administrator`, `Owner@prod (eligibility)`."""
        if self.held is None:
            return self.name
        label = label_at(self.held.provider, self.held.role, self.scope, self.scope_name)
        return label if self.kind == "activation" else f"{label} ({self.kind})"

    @property
    def key(self) -> tuple[str, str]:
        """Role and scope, once they are known."""
        return (self.held.role_id, self.scope.lower()) if self.held else ("", self.name)

    @property
    def narrowed(self) -> bool:
        """Whether it is activated at a narrower place than the one where one is eligible."""
        return self.held is not None and self.scope.lower() != self.held.scope.lower()


def demands(pim: Pim, attempts: list[Attempt]) -> None:
    """Read what the policies demand: of the eligibility's place, and where it is activated further down, of there too."""
    unknown = [one for one in attempts if one.held is not None]
    known = policies_of(pim, [one.holding for one in unknown])
    narrow = [one for one in unknown if one.narrowed and one.holding.provider == "resource"]
    there = resource_policies(pim, [(one.holding.role_id, one.scope) for one in narrow])
    for one in unknown:
        one.demand = Demand(known.get(one.holding.key))
        if one in narrow:
            one.demand = stricter(one.demand, Demand(there.get(one.key)))


def take_active(one: Attempt, holding: list[Holding]) -> None:
    """The role is in force: until the latest end of what gives it."""
    if holding:
        one.state = "already active"
        one.ends = _latest(holding)


def _latest(holding: list[Holding]) -> float | None:
    """The latest end; None where something has none."""
    ends = [held.ends for held in holding]
    return None if None in ends else max(end for end in ends if end is not None)


def await_all(attempts: list[Attempt], context: Context, *, wait: bool, timeout: float) -> None:
    """Wait until every request is in force or refused, telling who has to approve."""
    open_ones = {
        str(index): one for index, one in enumerate(attempts) if one.asked and not one.error and not one.state
    }
    waiting = {key: one.asked for key, one in open_ones.items() if one.asked is not None}
    if not waiting:
        return
    approving = [one for one in open_ones.values() if one.asked and one.asked.status in AWAITING]
    for one in approving:
        if one.asked and one.asked.status in APPROVAL and not one.demand.approvers and one.held is not None:
            demands(context.pim, [one])
        if wait:
            context.note(_waits(one))
    slow = not all(is_settled(asked) for asked in waiting.values())
    if slow and wait:
        if approving and context.interactive:
            context.note("waiting; Ctrl-C stops that, and the request goes on")
        try:
            waiting = watch(context.pim, waiting, timeout)
        except KeyboardInterrupt:
            context.note(
                "no longer waiting; the request goes on. See: pim requests   Take it back: pim cancel"
            )
            wait = False
    elif slow:  # without waiting, only what the server is already busy with
        busy = {key: asked for key, asked in waiting.items() if asked.status not in AWAITING}
        waiting |= watch(context.pim, busy, min(timeout, 30.0)) if busy else {}
    for key, asked in waiting.items():
        _conclude(open_ones[key], asked, wait=wait)
    if slow or any(one.action != "selfActivate" for one in attempts):
        _read_ends(attempts, context.pim)


def _conclude(one: Attempt, asked: Asked, *, wait: bool) -> None:
    one.asked = asked
    one.error = failure(asked)
    if one.error:
        one.state = "denied" if one.error.kind == "denied" else "failed"
    elif asked.status in {"Provisioned", "ScheduleCreated"}:
        one.state, one.ends = _DONE[one.action], asked.ends
    elif is_settled(asked):
        one.state, one.ends = "scheduled", asked.ends
    elif asked.status in AWAITING and not wait:
        one.state = "waiting"
    else:
        one.state = "waiting"
        undecided = asked.status in AWAITING and one.action != "selfActivate"
        text = f"{one.label} is {'not decided' if undecided else 'not in force'} yet ({asked.status})"
        one.error = PimError("timeout", text, "the request goes on; see: pim requests")


def _read_ends(attempts: list[Attempt], pim: Pim) -> None:
    """After an approval the clock of the activation started anew, and how long something was extended is decided by the
    server: read when it ends."""
    done = [one for one in attempts if one.state in _DONE.values()]
    if not done:
        return
    try:
        found = pim.mine(*sorted({"eligible" if one.kind == "eligibility" else "active" for one in done}))
    except PimError:
        return
    for one in done:
        held = found.eligible if one.kind == "eligibility" else found.active
        now = [each for each in held if each.key == one.key and each.activated == (one.kind == "activation")]
        if now:
            one.ends = _latest(now)


def row(one: Attempt) -> Row:
    asked = one.asked
    error = one.error
    return {
        "provider": one.held.provider if one.held else None,
        "kind": one.kind if one.held else None,
        "role": one.held.role if one.held else one.name,
        "roleDefinitionId": one.held.role_id if one.held else None,
        "scope": one.scope or None,
        "scopeName": one.scope_name or None,
        "state": one.state or ("failed" if error else "waiting"),
        "status": asked.status if asked else None,
        "start": iso(asked.starts) if asked else None,
        "end": iso(one.ends),
        "left": left(one.ends) if one.state in {"already active", *_DONE.values()} else None,
        "request": asked.id if asked else None,
        "approvers": one.demand.approvers if one.state == "waiting" else None,
        "error": error.kind if error else None,
        "message": error.message if error else None,
        "hint": (error.hint or None) if error else None,
        "exitCode": code(one),
    }


def code(one: Attempt) -> int:
    if one.error:
        return exit_code(one.error.kind)
    return 3 if one.state == "waiting" else 0


def sentence(one: Attempt) -> str:
    if one.state in {"active", "already active"}:
        word = "is active" if one.state == "active" else "is already active"
        if one.ends is None:
            return (
                f"{one.label} {word}."
                if one.asked or one.state == "active"
                else f"{one.label} {word}, permanently."
            )
        return f"{one.label} {word} until {local(iso(one.ends))} ({left(one.ends)} left)."
    if one.state in _DONE.values():
        until = f" until {local(iso(one.ends))} ({left(one.ends)} left)" if one.ends is not None else ""
        return f"{one.label} is {one.state}{until}."
    if one.state == "scheduled" and one.asked:
        return f"{one.label} will be active from {local(iso(one.asked.starts))}."
    if one.state == "valid":
        if one.demand.approval:
            who = who_approves(one.demand.approvers, one.held.provider if one.held else "")
            return f"{one.label} could be asked for now, and would wait for approval by {who}; nothing was changed."
        return f"{one.label} could be activated now; nothing was changed."
    return f"{_waits(one)}. See: pim requests{' --eligibility' if one.kind == 'eligibility' else ''}"


def _waits(one: Attempt) -> str:
    request = f" (request {one.asked.id})" if one.asked else ""
    if one.asked and one.asked.status not in AWAITING:
        return f"{one.label} is not in force yet: {one.asked.status}{request}"
    what = "approval" if one.kind == "activation" else "a decision"
    who = who_approves(one.demand.approvers, one.held.provider if one.held else "")
    return f"{one.label} waits for {what} by {who}{request}"


def show(attempts: list[Attempt], context: Context) -> int:
    """Tell what came of all of them; the exit code is the common one, or 10 if some failed."""
    if not context.printer.for_people:
        context.printer.rows([row(one) for one in attempts], COLUMNS)
    elif len(attempts) == 1 and attempts[0].error:
        raise attempts[0].error
    else:
        for one in attempts:
            if one.error:
                context.printer.line(
                    f"{one.error.message}\n  {one.error.hint}" if one.error.hint else one.error.message
                )
            else:
                context.printer.line(sentence(one))
    return combined([code(one) for one in attempts])
