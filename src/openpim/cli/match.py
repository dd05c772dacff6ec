"""Find what a person meant by a name: exact, then prefix, then substring, then initials; never a guess.

The first of these levels at which anything fits decides.  If several fit there, the answer is the list
of them, and nothing is done.
"""

from __future__ import annotations

from openpim.client.errors import PimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeVar

    T = TypeVar("T")
    Row = dict[str, Any]

__all__ = ["ambiguous", "called", "fits", "missing"]


_FEW = 10  # names that are all shown where none comes close


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.replace("-", " ").replace("/", " ").split())


def fits(wanted: str, candidates: Iterable[T], names: Callable[[T], Sequence[str]]) -> list[T]:
    """The candidates that fit best; `names` gives the names one goes by, ids included."""
    want = _fold(wanted)
    if not want:
        return []
    folded = [(candidate, [_fold(name) for name in names(candidate) if name]) for candidate in candidates]
    tests: tuple[Callable[[str], bool], ...] = (
        lambda name: name == want,
        lambda name: name.startswith(want),
        lambda name: want in name,
        lambda name: _initials(name) == want.replace(" ", ""),
    )
    for test in tests:
        found = [candidate for candidate, known in folded if any(test(name) for name in known)]
        if found:
            return found
    return []


def called(
    wanted: str, rows: Iterable[Row], what: str, hint: str, *, name: str = "displayName", key: str = "id"
) -> Row:
    """The one row of exactly this name or id: for things that are changed or removed by it. name, key: its members."""
    rows, want = list(rows), _fold(wanted)
    found = [row for row in rows if want in {_fold(str(row.get(name) or "")), _fold(str(row.get(key) or ""))}]
    if not found:
        raise missing(wanted[:80], (str(row.get(name) or "") for row in rows), f"there is no {what}", hint)
    if len(found) > 1:
        raise ambiguous(wanted[:80], (f"{row.get(name)}   ({row.get(key)})" for row in found), "give the id")
    return found[0]


def ambiguous(wanted: str, shown: Iterable[str], hint: str) -> PimError:
    """The error for several that fit, listing them."""
    lines = "".join(f"\n       {line}" for line in list(shown)[:20])
    return PimError("ambiguous", f"{wanted!r} fits several:{lines}", hint)


def missing(wanted: str, known: Iterable[str], what: str, hint: str) -> PimError:
    """The error for none that fits, with what comes close or is there."""
    names = sorted(set(known), key=str.casefold)
    if names:
        from difflib import get_close_matches

        by_fold = {_fold(name): name for name in names}
        close = [by_fold[name] for name in get_close_matches(_fold(wanted), by_fold, 3, 0.55)]
        if close or len(names) <= _FEW:
            listed = ", ".join(close or names)
            hint = f"{'did you mean' if close else 'there are'}: {listed}   ({hint})"
    return PimError("missing", f"{what} {wanted!r}", hint)
