"""All kinds of privilege of one account behind one door: directory roles and groups over Graph, roles on Azure resources
over the resource manager.

Both are asked at the same time.  Where the resource manager cannot be reached, the rest still works, and `warn` says so
once.
"""

from __future__ import annotations

from openpim.client.arm import at
from openpim.client.errors import GraphError, PimError, StepUpError
from openpim.client.resources import flat, of_everything, properties
from openpim.client.roles import (
    AWAITING,
    CANCELLABLE,
    EVERYTHING,
    PENDING,
    Asked,
    Holding,
    active_paths,
    eligible_paths,
    pending_paths,
    requests_base,
    requests_paths,
    status_filter,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from openpim.client.arm import Arm
    from openpim.client.graph import Graph

    Row = dict[str, Any]
    Answer = list[Row] | GraphError

__all__ = ["Found", "Pim"]

_ELSEWHERE = {400, 403, 404, 405, 501}  # a server without our own list, or one that will not give it


class Found:
    """What `Pim.mine` read; a list that was not asked for is empty.

    inbox: what waits for my decision.  lean: what is active and pending on resources was not read yet.
    """

    def __init__(self) -> None:
        self.lean = False
        self.eligible: list[Holding] = []
        self.active: list[Holding] = []
        self.pending: list[Asked] = []
        self.inbox: list[Asked] = []


class Pim:
    """PIM as one signed-in account."""

    def __init__(self, graph: Graph, arm: Callable[[], Arm | None], warn: Callable[[str], None]) -> None:
        self.graph = graph
        self._find = arm
        self._arm: Arm | None = None
        self._looked = False
        self._trouble: PimError | None = None
        self._warn = warn

    @property
    def ours(self) -> bool:
        """Whether this is OpenPIM, which has more than Graph."""
        return self.graph.profile.kind != "entra"

    # -- the resource manager ------------------------------------------------------------------

    @property
    def arm(self) -> Arm | None:
        """The resource manager, if the server has one and it has not failed yet."""
        if not self._looked:
            self._looked = True
            try:
                self._arm = self._find()
            except PimError as error:
                self.without_arm(error)
        return self._arm

    def without_arm(self, error: PimError) -> None:
        """Go on without; say so once."""
        if self._trouble is None:
            self._warn(f"roles on resources are left out: {error.message}")
        self._trouble, self._arm = error, None

    def need_arm(self) -> Arm:
        """The resource manager, or why there is none."""
        found = self.arm
        if found is not None:
            return found
        if self._trouble is not None:
            raise self._trouble
        text = f"there is no resource manager with {self.graph.profile.graph}, or this sign-in is not for it"
        hint = "name its address: pim login --arm URL (with PIM_ACCESS_TOKEN also PIM_ARM_ACCESS_TOKEN)"
        raise PimError("missing", text, hint)

    # -- lists ---------------------------------------------------------------------------------

    def lists(
        self, graph: Sequence[str], arm: Sequence[str], *, quiet: bool = False
    ) -> tuple[list[Answer], list[Answer]]:
        """Lists of both, asked for at the same time; those of the resource manager are left out where it fails.

        quiet: the caller himself says which were refused.
        """
        manager = self.arm if arm else None
        if manager is not None and graph:
            self.graph.begin(*graph)
            try:
                manager.begin(*arm)
            except PimError as error:  # no token for it
                self.without_arm(error)
                manager = None
        told = self.graph.lists(*graph) if graph else []
        if manager is None:
            return told, []
        try:
            found = manager.lists(*arm)
        except PimError as error:
            if not graph:
                raise
            self.without_arm(error)
            return told, []
        for answer in found:
            if not isinstance(answer, list) and self._trouble is None and not quiet:
                self._trouble = answer
                self._warn(f"roles on resources may be missing: {answer.message}")
        return told, found

    def mine(self, *names: str, lean: bool = False) -> Found:
        """The lists named, of all kinds, in one round trip: eligible, active, pending, inbox; or open, which are those
        of `pending` that can be taken back, with those for eligibilities.

        lean: leave the resource manager alone for now, where our own list says all that it must (`and_resources`).
        """
        graph: list[str] = []
        arm: list[str] = []
        places: dict[str, tuple[int, int]] = {}
        whole = self.ours and "eligible" in names
        for name in names:
            places[name] = (len(graph), len(arm))
            graph += [EVERYTHING] if whole and name == "eligible" else _GRAPH[name]()
            arm += [] if whole and (lean or name == "eligible") else self._arm_paths(name)
        told, managed = self.lists(graph, arm)
        found = Found()
        found.lean = lean and whole
        for name in names:
            first, other = places[name]
            rows = managed[other : other + len(_ARM[name])]
            if whole and name == "eligible":
                self._all_eligible(told[first], found)
            else:
                self._take(name, told[first : first + _WIDTH[name]], rows, found)
        return found

    def and_resources(self, found: Found) -> None:
        """Read what `lean` left out: what is active on resources, and what waits there."""
        if not found.lean:
            return
        found.lean = False
        more = Found()
        try:
            _, managed = self.lists(
                (), [path for name in ("active", "pending") for path in self._arm_paths(name)]
            )
        except PimError as error:
            self.without_arm(error)
            return
        for index, name in enumerate(("active", "pending")):
            self._take(name, [], managed[index : index + 1], more)
        found.active += more.active
        found.pending += more.pending

    def _arm_paths(self, name: str) -> list[str]:
        """Only OpenPIM is known to take a status in the filter."""
        statuses = _STATUSES.get(name)
        more = f" and ({status_filter(statuses)})" if statuses and self.ours else ""
        return [at("/", collection, function + more) for collection, function in _ARM[name]]

    def _all_eligible(self, answer: Answer, found: Found) -> None:
        if isinstance(answer, list):
            me = self.graph.me
            found.eligible = [Holding(of_everything(row), eligible=True, me=me) for row in answer]
        elif answer.status in _ELSEWHERE:
            told, managed = self.lists(eligible_paths(), self._arm_paths("eligible"))
            self._take("eligible", told, managed, found)
        else:
            raise answer

    def _take(self, name: str, told: list[Answer], managed: list[Answer], found: Found) -> None:
        """Groups are left out where the server has none, or the sign-in may not see them; roles must be there."""
        if told and not isinstance(told[0], list):
            raise told[0]
        me = self.graph.me
        if name in {"eligible", "active"}:
            rows = [row for answer in told if isinstance(answer, list) for row in answer]
            rows += [flat(row) for answer in managed if isinstance(answer, list) for row in answer]
            held = [Holding(row, eligible=name == "eligible", me=me) for row in rows]
            if name == "eligible":
                found.eligible = held
            else:
                found.active = held
            return
        asked = [
            Asked(row, eligibility=index >= 2)
            for index, answer in enumerate(told)
            for row in (answer if isinstance(answer, list) else ())
        ]
        asked += [
            Asked(flat(row), eligibility=index >= 1)
            for index, answer in enumerate(managed)
            for row in (answer if isinstance(answer, list) else ())
        ]
        kept = [one for one in asked if one.status in (AWAITING if name == "inbox" else PENDING)]
        kept.sort(key=lambda one: one.created or 0.0)
        if name == "inbox":
            found.inbox = kept
        else:
            found.pending = kept

    # -- requests ------------------------------------------------------------------------------

    def send(self, provider: str, kind: str, row: Row, *, step_up: bool = True) -> Row:
        """Make a request for an assignment or an eligibility; the request as Graph has it."""
        if provider != "resource":
            answer = self.graph.request("POST", requests_base(provider, kind), row, step_up=step_up)
            return answer if isinstance(answer, dict) else {}
        path, method, body = _put(row, kind)
        return _flat(self.need_arm().request(method, path, body, step_up=step_up))

    def send_all(self, calls: Sequence[tuple[str, str, Row]], *, step_up: bool = True) -> list[Any]:
        """Several; those of Graph in one round trip.  An error takes the place of the answer."""
        answers: list[Any] = [None] * len(calls)
        graph = [index for index, (provider, _, _) in enumerate(calls) if provider != "resource"]
        if len(graph) > 1:
            posts: list[tuple[str, str, Row | None]] = [
                ("POST", requests_base(*calls[index][:2]), calls[index][2]) for index in graph
            ]
            for index, answer in zip(graph, self.graph.batch(posts, step_up=step_up), strict=True):
                answers[index] = answer
        for index, (provider, kind, row) in enumerate(calls):
            if len(graph) > 1 and index in graph:
                continue
            try:
                answers[index] = self.send(provider, kind, row, step_up=step_up)
            except (GraphError, StepUpError) as error:
                answers[index] = error
            except PimError as error:
                if len(calls) == 1:
                    raise
                answers[index] = error
        return answers

    def read_again(self, known: Sequence[Asked]) -> list[Row | PimError]:
        """The requests as they are now."""
        found: list[Any] = [None] * len(known)
        graph = [index for index, asked in enumerate(known) if asked.provider != "resource"]
        if len(graph) > 1:
            calls: list[tuple[str, str, Row | None]] = [("GET", _path(known[index]), None) for index in graph]
            for index, answer in zip(graph, self.graph.batch(calls), strict=True):
                found[index] = answer
        for index, asked in enumerate(known):
            if asked.provider == "resource":
                found[index] = _flat(self.need_arm().get(_place(asked)))
            elif len(graph) == 1:
                found[index] = self.graph.get(_path(asked))
        return found

    def cancel(self, asked: Asked) -> None:
        """Take a request back."""
        if asked.provider == "resource":
            self.need_arm().request("POST", _place(asked, "/cancel"))
        else:
            self.graph.request("POST", f"{_path(asked)}/cancel")


def _noun(kind: str) -> str:
    return "Assignment" if kind == "assignment" else "Eligibility"


def _put(row: Row, kind: str) -> tuple[str, str, Row]:
    from openpim.client.clock import new_guid

    name = f"role{_noun(kind)}ScheduleRequests/{new_guid()}"
    only = bool(row.get("isValidationOnly"))
    path = at(str(row["resourceScopeId"]), name + ("/validate" if only else ""))
    return path, "POST" if only else "PUT", properties(row)


def _flat(answer: Any) -> Row:
    return flat(answer) if isinstance(answer, dict) else {}


def _kind(asked: Asked) -> str:
    return "eligibility" if asked.eligibility else "assignment"


def _path(asked: Asked) -> str:
    return f"{requests_base(asked.provider, _kind(asked))}/{asked.id}"


def _place(asked: Asked, act: str = "") -> str:
    return at(asked.scope, f"role{_noun(_kind(asked))}ScheduleRequests/{asked.id}{act}")


def inbox_paths() -> list[str]:
    """Requests that wait for my decision: for assignments of roles and of groups, then for eligibilities."""
    where = status_filter(AWAITING)
    return [
        *requests_paths(where, on="approver"),
        *requests_paths(where, on="approver", kind="eligibility"),
    ]


def open_paths() -> list[str]:
    """My requests that can still be taken back: for assignments, then for eligibilities."""
    where = status_filter(CANCELLABLE)
    return [*requests_paths(where), *requests_paths(where, kind="eligibility")]


_GRAPH: dict[str, Callable[[], list[str]]] = {
    "eligible": lambda: list(eligible_paths()),
    "active": lambda: list(active_paths()),
    "pending": lambda: list(pending_paths()),
    "inbox": inbox_paths,
    "open": open_paths,
}
_WIDTH = {"eligible": 2, "active": 2, "pending": 2, "inbox": 4, "open": 4}
_ARM = {
    "eligible": (("roleEligibilityScheduleInstances", "asTarget()"),),
    "active": (("roleAssignmentScheduleInstances", "asTarget()"),),
    "pending": (("roleAssignmentScheduleRequests", "asTarget()"),),
    "inbox": (
        ("roleAssignmentScheduleRequests", "asApprover()"),
        ("roleEligibilityScheduleRequests", "asApprover()"),
    ),
    "open": (
        ("roleAssignmentScheduleRequests", "asTarget()"),
        ("roleEligibilityScheduleRequests", "asTarget()"),
    ),
}
_STATUSES = {"pending": (*CANCELLABLE, "PendingProvisioning"), "inbox": AWAITING, "open": CANCELLABLE}
