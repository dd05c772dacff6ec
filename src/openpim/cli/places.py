"""Places as a person types them: `prod`, `prod/rg-web`, `mg:IT`, `sub:prod`, `rg:web`, an id, or a whole path.

Where somebody is eligible higher up in the tree, a place below is found by walking down from there; two that fit are
never guessed between.
"""

from __future__ import annotations

from openpim.cli.match import ambiguous, fits, missing
from openpim.cli.output import one_line
from openpim.client.arm import SUBSCRIPTIONS_VERSION, at, versioned
from openpim.client.errors import PimError
from openpim.client.resources import (
    GROUP,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    contains,
    kind_of,
    last,
    subscription_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openpim.cli.choosing import S
    from openpim.client.pim import Pim
    from openpim.client.roles import Holding

    Spot = tuple[str, str]  # path, name

__all__ = ["Place", "below", "named_around", "read_place", "subscription_names", "suits"]

_KINDS = {"mg": GROUP, "sub": SUBSCRIPTION, "rg": RESOURCE_GROUP}
_LONG = "/providers/microsoft.subscription/subscriptions/"
_WORDS = {"managementgroup": GROUP, "subscription": SUBSCRIPTION, "resourcegroup": RESOURCE_GROUP}
_MOST = 500  # places to look into


class Place:
    """path: where a whole path was typed. Else parts, from the outside in; kind: of the innermost, "" for any."""

    __slots__ = ("kind", "parts", "path", "text")

    def __init__(self, text: str, path: str, kind: str, parts: list[str]) -> None:
        self.text = text
        self.path = path
        self.kind = kind
        self.parts = parts


def read_place(text: str) -> Place:
    """What was typed; a usage error where it names nothing."""
    if text.startswith("/"):
        path = text.rstrip("/") or "/"
        if path.lower().startswith(_LONG):
            path = "/subscriptions/" + path[len(_LONG) :]
        return Place(text, path, "", [])
    prefix, colon, rest = text.partition(":")
    kind = _KINDS.get(prefix.lower(), "") if colon else ""
    parts = [part.strip() for part in (rest if kind else text).split("/")]
    if not all(parts):
        raise PimError(
            "usage",
            f"{text[:80]!r} names no place",
            "write it like prod, prod/rg-web, mg:IT, or as a whole path",
        )
    return Place(text, "", kind, parts)


def suits(place: Place, items: Sequence[S], around: dict[str, str] | None = None) -> list[S]:
    """Those whose scope is the place.  around: names of subscriptions that no item has, by path."""
    if place.path:
        return [item for item in items if item.scope.lower() == place.path.lower()]
    if len(place.parts) > 1:
        whole = [item for item in items if item.scope_name.casefold() == place.text.casefold()]
        if whole:
            return whole
    fitting = [item for item in items if not place.kind or kind_of(item.scope) == place.kind]
    found = fits(place.parts[-1], fitting, lambda item: (item.scope, last(item.scope), item.scope_name))
    if len(place.parts) == 1:
        return found
    names = {item.scope.lower(): item.scope_name for item in items} | (around or {})
    return _inside(found, place.parts[:-1], names)


def _inside(items: Sequence[S], parts: Sequence[str], names: dict[str, str]) -> list[S]:
    """Those around which are, from the outside in, the places that were named; of all those the ones that fit best."""
    left = [(item, _around(item.scope)) for item in items]
    for part in parts:
        pool = sorted({path for _, around in left for path in around})
        good = set(fits(part, pool, lambda path: (last(path), names.get(path.lower(), ""))))
        left = [
            (item, around[next(at for at, path in enumerate(around) if path in good) + 1 :])
            for item, around in left
            if good.intersection(around)
        ]
    return [item for item, _ in left]


def _around(scope: str) -> list[str]:
    """The subscription and the resource group around a place, as far as it is in them."""
    kind = kind_of(scope)
    if kind == RESOURCE_GROUP:
        return [subscription_of(scope)]
    inside = bool(subscription_of(scope)) and kind != SUBSCRIPTION
    return [subscription_of(scope), "/".join(scope.split("/")[:5])] if inside else []


def named_around(pim: Pim, place: Place, items: Sequence[Holding]) -> dict[str, str]:
    """The names of the subscriptions around what could be meant, which lists do not tell."""
    if len(place.parts) < 2:
        return {}
    known = {item.scope.lower() for item in items}
    paths = {subscription_of(item.scope) for item in items if kind_of(item.scope) != SUBSCRIPTION}
    return subscription_names(pim, {path for path in paths if path and path.lower() not in known})


def subscription_names(pim: Pim, paths: Iterable[str]) -> dict[str, str]:
    """What the subscriptions are called, by path in lower case; those that one may not look at are left out."""
    wanted = sorted(paths)
    calls = [("GET", versioned(path, SUBSCRIPTIONS_VERSION), None) for path in wanted]
    answers = pim.need_arm().batch(calls) if calls else []
    return {
        path.lower(): str(answer.get("displayName") or "")
        for path, answer in zip(wanted, answers, strict=True)
        if isinstance(answer, dict)
    }


def below(pim: Pim, holders: Sequence[Holding], place: Place, what: str) -> tuple[Holding, str, str]:
    """The place at or below where one of the eligibilities for one role is: which carries it, its path, its name."""
    if place.path:
        return _by_path(pim, holders, place, what)
    if len(place.parts) > 1:
        outer = suits(Place("", "", "", place.parts[:1]), holders)
        if outer:
            holders, place = outer, Place(place.text, "", place.kind, place.parts[1:])
    spots: dict[str, tuple[Holding, str, str]] = {}
    seen: list[str] = []
    for held in sorted(holders, key=lambda one: len(one.scope), reverse=True):
        for path, name in _walk(pim, held.scope, place, seen):
            spots.setdefault(path.lower(), (held, path, name))
    if not spots:
        inside = " or ".join(one_line(held.scope_name) for held in holders)
        called = "/".join(place.parts)
        raise missing(called, seen, f"{what}: nothing in {inside} is called", "or give its whole path")
    if len(spots) > 1:
        lines = sorted(f"{one_line(name)}   ({path})" for _, path, name in spots.values())
        raise ambiguous(place.text, lines, "give more of it, such as SUBSCRIPTION/GROUP, or its path")
    return next(iter(spots.values()))


def _by_path(pim: Pim, holders: Sequence[Holding], place: Place, what: str) -> tuple[Holding, str, str]:
    told = [(contains(held.scope, place.path), held) for held in holders]
    sure = [held for inside, held in told if inside]
    carrying = max(sure, key=lambda held: len(held.scope), default=None)
    if carrying is None:  # a management group: the server knows what is in it
        carrying = next((held for inside, held in told if inside is None), None)
    if carrying is None:
        text = f"{what}: you are not eligible at {place.path} or above it"
        raise PimError("missing", text, "see where you are: pim list eligible")
    name = last(place.path)
    if kind_of(place.path) == SUBSCRIPTION:
        name = subscription_names(pim, [place.path]).get(place.path.lower()) or name
    return carrying, place.path, name


def _walk(pim: Pim, start: str, place: Place, seen: list[str]) -> list[Spot]:
    """What is called so below `start`: each part below the one before it, management groups in between skipped.

    seen: takes the names of what was looked at.
    """
    found = [(start, "")]
    for index, part in enumerate(place.parts):
        kind = place.kind if index == len(place.parts) - 1 else ""
        if len(found) > 1:
            lines = [f"{one_line(name)}   ({path})" for path, name in found]
            raise ambiguous(place.parts[index - 1], lines, "give its whole path")
        found = _inner(pim, found[0][0], part, kind, seen) if found else []
    return found


def _inner(pim: Pim, start: str, part: str, kind: str, seen: list[str]) -> list[Spot]:
    """What fits, of all that is in `start`: directly, or in the management groups in it (in search of a resource group in
    their subscriptions too)."""
    deeper = {GROUP, SUBSCRIPTION} if kind == RESOURCE_GROUP else {GROUP}
    candidates: list[Spot] = []
    level, asked = [start], 0
    while level and asked < _MOST:
        asked += len(level)
        inside = _children(pim, level)
        candidates += [(path, name) for path, name, word in inside if not kind or word == kind]
        level = [path for path, _, word in inside if word in deeper]
    seen += [name for _, name in candidates]
    return fits(part, candidates, lambda spot: (spot[1], last(spot[0]), spot[0]))


def _children(pim: Pim, scopes: Sequence[str]) -> list[tuple[str, str, str]]:
    """Path, name and kind of what is directly in the places."""
    answers = pim.need_arm().lists(*(at(scope, "eligibleChildResources") for scope in scopes))
    found = []
    for answer in answers:
        if not isinstance(answer, list):
            raise answer
        for row in answer:
            path, name = str(row.get("id") or ""), str(row.get("name") or "")
            word = str(row.get("type") or "").lower().rpartition("/")[2].removesuffix("s")
            found.append((path, name, _WORDS.get(word, kind_of(path))))
    return found
