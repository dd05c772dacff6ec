"""Watching a request until it is decided and in force, and telling people about it."""

from __future__ import annotations

from openpim.cli.output import one_line
from openpim.client import clock
from openpim.client.errors import GraphError, PimError
from openpim.client.roles import AWAITING, FAILED, Asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpim.client.pim import Pim

__all__ = ["DEFAULT_TIMEOUT", "failure", "is_settled", "watch", "who_approves"]

DEFAULT_TIMEOUT = 900
_AGAIN = {"selfextend": "pim extend", "selfrenew": "pim renew"}
_FIRST, _SLOWEST, _GROWTH = 0.25, 10.0, 1.5


def is_settled(asked: Asked) -> bool:
    """Whether nothing more is to be waited for: in force, refused, or granted for a later start."""
    if asked.status in {"Provisioned", "ScheduleCreated", *FAILED}:
        return True
    return asked.status == "Granted" and asked.starts is not None and asked.starts > clock.now() + 5


def failure(asked: Asked) -> PimError | None:
    """The error that a refused request means."""
    if asked.status not in FAILED:
        return None
    see = f"see: pim requests   (request {asked.id})"
    if asked.status in {"Denied", "AdminDenied"}:
        return PimError("denied", f"the request for {asked.role} was denied", see)
    if asked.status in {"Canceled", "Revoked"}:
        return PimError("denied", f"the request for {asked.role} was taken back", see)
    if asked.status == "TimedOut":
        again = _AGAIN.get(asked.action.lower(), "pim activate")
        return PimError("timeout", f"nobody decided on {asked.role} in time", f"ask again: {again}")
    return PimError("server", f"the request for {asked.role} failed on the server ({asked.status})", see)


def who_approves(names: list[str], provider: str = "directory") -> str:
    """Who can approve, in words."""
    if not names and provider == "resource":
        return "an Owner or User Access Administrator there"
    if not names:
        return "a Privileged Role Administrator or Global Administrator"
    shown = [one_line(name) for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def watch(pim: Pim, waiting: dict[str, Asked], timeout: float) -> dict[str, Asked]:
    """Poll the requests, all in one round trip, until each is settled or `timeout` seconds are over.

    A server that stumbles for a moment is asked again; what was last known is returned.
    """
    until = clock.monotonic() + timeout
    pause = _FIRST
    known = dict(waiting)
    while True:
        open_ones = [key for key, asked in known.items() if not is_settled(asked)]
        left = until - clock.monotonic()
        if not open_ones or left <= 0:
            return known
        clock.sleep(min(pause, left))
        slow = all(known[key].status in AWAITING for key in open_ones)
        pause = min(pause * _GROWTH, _SLOWEST if slow else 3.0)
        _refresh(pim, known, open_ones)


def _refresh(pim: Pim, known: dict[str, Asked], keys: list[str]) -> None:
    try:
        answers = pim.read_again([known[key] for key in keys])
    except PimError as error:
        if error.kind in {"server", "missing"}:
            return
        raise
    for key, answer in zip(keys, answers, strict=True):
        if isinstance(answer, dict):
            fresh = Asked(answer, eligibility=known[key].eligibility)
            fresh.role, fresh.scope_name = known[key].role, known[key].scope_name
            known[key] = fresh
        elif isinstance(answer, GraphError) and answer.kind not in {"server", "missing"}:
            raise answer
