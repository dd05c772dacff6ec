"""Applications that people sign in to are told when that is over: one loop finds out, another sends, each application in a
thread of its own, so that one that is slow or down holds up no other."""

from __future__ import annotations

from functools import partial

from openpim.ports.deps import Deps
from openpim.services.relying import changes, logout
from openpim.services.signin.context import SignIn
from openpim.workers.beside import Beside
from openpim.workers.loop import BATCH, attempt

_OF_ONE = 16  # applications of one tenant at once
_ROUNDS = 10  # units of work in one look


class Following:
    """One look at the news of every tenant, and at whoever is due."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def __call__(self) -> int:
        done, full = 0, False
        for tenant in attempt(lambda: self._deps.store.read("", lambda tx: tx.tenants.all())) or ():
            full |= (attempt(partial(changes.follow, self._deps, tenant.id)) or 0) >= changes.BATCH
        for _ in range(_ROUNDS):
            looked = attempt(partial(changes.look, self._deps)) or 0
            done += looked
            if looked < changes.LOOKS:
                break
        else:
            full = True
        return BATCH if full else done

    def soon(self) -> float | None:
        """Seconds until something that applications were told of begins or ends by time."""
        due_at = changes.next_look_at(self._deps)
        return (due_at - self._deps.clock()).total_seconds() if due_at is not None else None


def telling(signin: SignIn) -> Beside:
    """Tells them, each application in a thread of its own."""
    return Beside("logout", partial(logout.due, signin.deps), partial(logout.serve, signin), of_one=_OF_ONE)
