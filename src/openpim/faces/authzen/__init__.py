"""The decision API: AuthZEN Authorization API 1.0, its access request profile, and the check for reverse proxies.

Plain ASGI, because a decision takes a few microseconds and a framework's road to a handler takes longer than that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from openpim.core.audit import AuditEvent
from openpim.core.caller import Caller
from openpim.core.refusals import Refusal
from openpim.faces.authzen.dispatch import Answers, Decisions
from openpim.ports.deps import Deps
from openpim.services.decisions.callers import Callers
from openpim.services.decisions.following import Following
from openpim.services.signin.tokens import Tokens

__all__ = ["Decisions", "decisions"]

Observer: TypeAlias = Callable[[str, Sequence[AuditEvent]], None]


def decisions(
    deps: Deps,
    tokens: Tokens,
    who: Callable[..., Caller | Refusal],
    observers: list[Observer],
    answered: Answers,
) -> Decisions:
    """The face with an index of its own, which hears of every commit of this process. who: the bearer of a token.
    answered: counts requests (face, status, seconds)."""
    following, callers = Following(deps.store, deps.clock), Callers(deps, tokens, who)
    observers += [following.committed, callers.committed]
    return Decisions(deps, following, callers, answered)
