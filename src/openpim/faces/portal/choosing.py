"""Finds the role a deep link means: `…/activate?name=Owner@prod`. Exact names first, then beginnings, then parts; never a
guess: of several the person chooses."""

from __future__ import annotations

from collections.abc import Sequence

from openpim.services.eligibilities import Outline


def named(wanted: str, mine: Sequence[Outline]) -> tuple[Outline, ...]:
    """Those that fit best. wanted: a role, or role@place (the place's name or path)."""
    role, at, place = wanted.rpartition("@")
    if not at:
        role, place = place, ""
    found = _fitting(role, [(one, (one.role_name, one.key[1])) for one in mine])
    if place:
        found = _fitting(place, [(one, (one.scope_name, one.scope_path, one.key[2])) for one in found])
    return tuple(found)


def _fitting(wanted: str, candidates: Sequence[tuple[Outline, tuple[str, ...]]]) -> list[Outline]:
    want = _plain(wanted)
    if not want:
        return []
    # Hundreds of candidates have a few dozen names, so these are looked at.
    plain = {name: _plain(name) for name in {name for _, names in candidates for name in names}}
    for level in range(3):
        fitting = {name for name, text in plain.items() if _fits(level, want, text)}
        if fitting:
            return [one for one, names in candidates if not fitting.isdisjoint(names)]
    return []


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _fits(level: int, want: str, name: str) -> bool:
    return (name == want, name.startswith(want), want in name)[level]
