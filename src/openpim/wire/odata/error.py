"""The one error of this package: which query option is at fault, and where."""

from __future__ import annotations

from openpim.wire.errors import WireError, shown

__all__ = ["ODataError"]

_NEAR = 24


class ODataError(WireError):
    """A query option (or function segment) cannot be read; `option` names it, `position` counts from 0."""

    def __init__(self, option: str, problem: str, *, text: str = "", position: int | None = None) -> None:
        self.option = option
        self.problem = problem
        self.position = position
        where = ""
        if position is not None:
            near = text[position : position + _NEAR]
            where = (
                f" at position {position}, near {shown(near)}"
                if near
                else f" at position {position}, at the end"
            )
        super().__init__(f"{option}: {problem}{where}")
