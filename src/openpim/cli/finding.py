"""Which eligibility a name of `pim activate` means, and where it is to be activated: at its place, or further down."""

from __future__ import annotations

from openpim.cli.attempts import take_active
from openpim.cli.choosing import choose, label, resolve_scope, split
from openpim.client.errors import PimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpim.cli.attempts import Attempt
    from openpim.client.pim import Found, Pim
    from openpim.client.roles import Holding

__all__ = ["find", "narrow"]

_WHAT, _HINT = "you are not eligible for a role called", "see: pim list eligible"


def find(attempt: Attempt, scope: str, pim: Pim, mine: Found) -> None:
    """Decide which role and scope the name means, and whether it is active or asked for already."""
    found = choose(attempt.name, [*mine.eligible, *mine.active], scope, what=_WHAT, hint=_HINT)
    if mine.lean and (isinstance(found, PimError) or found[0].provider == "resource"):
        pim.and_resources(mine)
        found = choose(attempt.name, [*mine.eligible, *mine.active], scope, what=_WHAT, hint=_HINT)
    if isinstance(found, PimError) and found.kind == "missing":
        try:
            found = _elsewhere(attempt, *split(attempt.name, scope), pim, mine, found)
        except PimError as error:
            found = error
    if isinstance(found, PimError):
        attempt.error = found
        return
    entitled = [held for held in found if held.eligible]
    # Of several eligibilities for the same thing the one that lasts longest.
    attempt.held = max(entitled or found, key=lambda held: float("inf") if held.ends is None else held.ends)
    if not attempt.scope:
        attempt.scope, attempt.scope_name = attempt.held.scope, attempt.held.scope_name
    _look(attempt, mine)


def _look(attempt: Attempt, mine: Found) -> None:
    """Whether it is active there, or further up, already; or asked for."""
    take_active(attempt, [held for held in mine.active if _covers(held, attempt)])
    if not attempt.state:
        open_ones = (asked for asked in mine.pending if asked.action.lower() == "selfactivate")
        attempt.asked = next((asked for asked in open_ones if asked.key == attempt.key), None)


def _covers(held: Holding, attempt: Attempt) -> bool:
    if held.key == attempt.key:
        return True
    if held.provider != "resource" or held.role_id != attempt.key[0]:
        return False
    from openpim.client.resources import contains

    return contains(held.scope, attempt.scope) is True


def _elsewhere(
    attempt: Attempt, name: str, scope: str, pim: Pim, mine: Found, failed: PimError
) -> list[Holding] | PimError:
    """A role held for more than the place that was named may be activated for that place alone."""
    if not scope:
        return failed
    from openpim.cli.places import named_around, read_place

    resources = [held for held in mine.eligible if held.provider == "resource"]
    around = named_around(pim, read_place(scope), resources) if resources else {}
    if around:
        found = choose(name, resources, scope, what=_WHAT, hint=_HINT, around=around)
        if not isinstance(found, PimError) or found.kind != "missing":
            return found
    wide = [held for held in mine.eligible if held.provider == "resource" or held.scope == "/"]
    ids = {held.role_id for held in _called(name, wide)}
    if not ids:
        return failed
    if len(ids) > 1:
        found = choose(
            name, [next(one for one in wide if one.role_id == key) for key in ids], "", what="", hint=""
        )
        return found if isinstance(found, PimError) else failed
    holders = [held for held in wide if held.role_id in ids]
    if holders[0].provider == "resource":
        return [_below(attempt, scope, pim, holders)]
    resolved = resolve_scope(pim.graph, scope.removeprefix("au:"))
    if isinstance(resolved, PimError):
        return resolved
    attempt.scope, attempt.scope_name = resolved
    return holders


def _called(name: str, items: list[Holding]) -> list[Holding]:
    """The items that the name of a role fits, whatever their places."""
    from openpim.cli.match import fits

    return fits(name, items, lambda held: (held.role, held.role_id))


def _below(attempt: Attempt, scope: str, pim: Pim, holders: list[Holding]) -> Holding:
    from openpim.cli.places import below, read_place
    from openpim.client.resources import contains

    held, attempt.scope, attempt.scope_name = below(pim, holders, read_place(scope), holders[0].role)
    # Which of several management groups is around the place, only the server knows: it picks the eligibility.
    attempt.linked = contains(held.scope, attempt.scope) is True or len(holders) == 1
    return held


def narrow(attempt: Attempt, scope: str, pim: Pim, mine: Found) -> None:
    """`--reduce`: the same eligibility, activated only at a place below its own."""
    held = attempt.holding
    try:
        if not held.eligible:
            raise PimError(
                "missing", f"{label(held)} is assigned to you; there is nothing to activate", _HINT
            )
        if held.provider == "group":
            raise PimError(
                "usage", f"{label(held)} is a group: it has no narrower place", "leave out --reduce"
            )
        if held.provider == "resource":
            _below(attempt, scope, pim, [held])
        else:
            resolved = resolve_scope(pim.graph, scope.removeprefix("au:"))
            if isinstance(resolved, PimError):
                raise resolved
            attempt.scope, attempt.scope_name = resolved
    except PimError as error:
        attempt.error = error
        return
    attempt.state, attempt.ends, attempt.asked = "", None, None
    _look(attempt, mine)
