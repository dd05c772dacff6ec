"""From the names a person typed to roles and scopes: one each, or an error that says why not."""

from __future__ import annotations

from openpim.cli.match import ambiguous, fits, missing
from openpim.cli.output import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Iterable, Sequence
    from typing import Protocol, TypeVar

    from openpim.client.errors import PimError
    from openpim.client.graph import Graph
    from openpim.client.pim import Pim
    from openpim.client.roles import Holding

    class Scoped(Protocol):
        """Something with a role and a scope."""

        role: str
        role_id: str
        scope: str
        scope_name: str
        id: str
        provider: str

        @property
        def key(self) -> tuple[str, str]: ...

    S = TypeVar("S", bound=Scoped)

__all__ = [
    "PLACES", "add_names", "add_scope", "around", "by_key", "choose", "label", "label_at", "scope_option", "split",
]  # fmt: skip

PLACES = "an administrative unit; of resources mg:NAME, sub:NAME, rg:NAME, SUBSCRIPTION/GROUP; or a path (default: the whole directory)"
_WHERE = "where: an administrative unit by name or id; of resources mg:NAME, sub:NAME, rg:NAME, NAME/NAME; or a path"


def label(item: Scoped) -> str:
    """`Teams Administrator`, `User Administrator in Berlin`, `sg-admins`, `sg-admins:owner`, `Owner@prod`."""
    return label_at(item.provider, item.role, item.scope, item.scope_name)


def label_at(provider: str, role: str, scope: str, scope_name: str) -> str:
    """The same of something that is not a thing yet."""
    role, place = one_line(role), one_line(scope_name)
    if provider == "resource":
        return f"{role}@{place}"
    return role if scope == "/" or provider == "group" else f"{role} in {place}"


def by_key(items: Iterable[S]) -> dict[tuple[str, str], list[S]]:
    """The items by role and scope."""
    found: dict[tuple[str, str], list[S]] = {}
    for item in items:
        found.setdefault(item.key, []).append(item)
    return found


def add_names(parser: ArgumentParser, count: str = "+") -> None:
    """What the command is about."""
    parser.add_argument(
        "names",
        nargs=count,
        metavar="NAME",
        help="role name, a part of it, its initials, or its id; a group; ROLE@PLACE on a resource",
    )


def add_scope(parser: ArgumentParser, text: str = _WHERE) -> None:
    """The option that `scope_option` reads."""
    parser.add_argument("--on", "--scope", "--au", default="", metavar="SCOPE", dest="scope", help=text)


def scope_option(args: object) -> str:
    """What `--scope` or `--au` says, "" for nothing."""
    scope = getattr(args, "scope", "") or ""
    return scope if scope == "/" else scope.rstrip("/")


def _in_scope(items: list[S], scope: str, around: dict[str, str] | None = None) -> list[S]:
    """Those whose scope is, by path or by name, the one wanted.  around: names of subscriptions, by path."""
    if not scope:
        return items
    from openpim.cli.places import read_place, suits

    return suits(read_place(scope.removeprefix("au:")), items, around)


def split(wanted: str, scope: str) -> tuple[str, str]:
    """`("Owner", "prod")` of `Owner@prod`, where the place is not said otherwise."""
    role, found, place = wanted.rpartition("@")
    return (
        (role.strip(), place.strip())
        if found and role.strip() and place.strip() and not scope
        else (wanted, scope)
    )


def _names(item: Scoped) -> tuple[str, ...]:
    if item.provider == "group":
        return (item.role, f"{item.scope}:{item.role_id}", item.id, *_explicit(item))
    if item.provider == "resource":  # `Owner@prod` is taken apart: a part of `Blob Owner@prod` is not meant
        return (item.role, item.role_id, item.id)
    return (item.role, item.role_id, item.id, label(item))


def _explicit(item: Scoped) -> tuple[str, ...]:
    """A member is meant when nothing is said, but may be said."""
    return (item.scope, f"{item.role}:member") if item.role_id == "member" else ()


def _members_first(wanted: str, found: list[S]) -> list[S]:
    """`sg-ad` means membership of the group, also where one may own it: that is `sg-ad:owner`."""
    if ":" in wanted:
        return found
    members = {item.scope for item in found if item.provider == "group" and item.role_id == "member"}
    return [
        item
        for item in found
        if item.provider != "group" or item.role_id == "member" or item.scope not in members
    ]


def choose(
    wanted: str,
    items: Sequence[S],
    scope: str,
    *,
    what: str,
    hint: str,
    around: dict[str, str] | None = None,
    prefer: Callable[[S], bool] | None = None,
) -> list[S] | PimError:
    """All items of the one role and scope that `wanted` means; the error for none or several.

    prefer: which of several that fit equally well are meant, where that leaves one.
    """
    found = _members_first(wanted, fits(wanted, items, _names) or _of_group(wanted, items))
    if not found:
        wanted, scope = split(wanted, scope)
        found = fits(wanted, items, _names) if scope else []
    if not found:
        return missing(wanted, (item.role for item in items), what, hint)
    here = _in_scope(found, scope, around)
    if not here:
        scopes = sorted({item.scope_name for item in found})
        return missing(scope, scopes, f"{found[0].role}: no scope is called", "see: pim list eligible")
    groups = by_key(here)
    if prefer is not None and len(groups) > 1:
        liked = [group for group in groups.values() if any(map(prefer, group))]
        if len(liked) == 1:
            return liked[0]
    if len(groups) == 1:
        return next(iter(groups.values()))
    roles = {key[0] for key in groups}
    shown = [
        f"{label(group[0])}   ({group[0].scope if len(roles) == 1 else group[0].role_id})"
        for group in groups.values()
    ]
    where = "say where: --scope SCOPE" if here[0].provider == "directory" else f"say where: {wanted}@PLACE"
    more = where if len(roles) == 1 else "type more of the name, or its id"
    return ambiguous(wanted, sorted(shown), more)


def around(pim: Pim, scope: str, held: Sequence[Holding]) -> dict[str, str]:
    """Names of the subscriptions around what is held, where `prod/rg-web` needs them."""
    resources = [one for one in held if one.provider == "resource"]
    if "/" not in scope or not resources:
        return {}
    from openpim.cli.places import named_around, read_place

    return named_around(pim, read_place(scope), resources)


def _of_group(wanted: str, items: Sequence[S]) -> list[S]:
    """`sg-ad:owner`: a part of a group's name, and which of its two roles."""
    name, colon, access = wanted.rpartition(":")
    access = access.strip().lower()
    if not colon or access not in {"member", "owner"}:
        return []
    mine = [item for item in items if item.provider == "group" and item.role_id == access]
    return fits(name, mine, lambda item: (item.role.removesuffix(f":{access}"), item.scope))


def resolve_scope(graph: Graph, text: str) -> tuple[str, str] | PimError:
    """`(scope, name)` of a scope path, or of an administrative unit by id or name."""
    from openpim.client.graph import literal, query
    from openpim.wire.ids import is_guid

    if text.startswith("/"):
        return text, text
    if is_guid(text):
        return f"/administrativeUnits/{text}", text
    path = query("/directory/administrativeUnits", filter=f"startswith(displayName,{literal(text)})")
    rows = graph.rows(path, limit=50)
    found = fits(text, rows, lambda row: (str(row.get("displayName") or ""),))
    if not found:
        return missing(text, (), "there is no administrative unit", "see: pim list eligible")
    if len(found) > 1:
        names = [f"{row.get('displayName')}   (/administrativeUnits/{row.get('id')})" for row in found]
        return ambiguous(text, names, "give its id: --scope /administrativeUnits/ID")
    return f"/administrativeUnits/{found[0].get('id')}", str(found[0].get("displayName"))
