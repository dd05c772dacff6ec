"""What a unit of work that only reads was told already: who is in which groups, and what they hold, is asked by every rule
that it meets, half a dozen times for one page. Of one unit of work, or of several that are gathered to answer one question
(`Store.gathered`), so never older than these; one that writes has none.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")
Told = dict[Hashable, Any]


def once(told: Told | None, question: Hashable, ask: Callable[[], T]) -> T:
    """The answer, which must not be changed by whoever gets it. told: None: ask."""
    if told is None:
        return ask()
    if question not in told:
        told[question] = ask()
    found: T = told[question]
    return found
