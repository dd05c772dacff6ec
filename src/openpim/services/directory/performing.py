"""The shape of every act here: one unit of work, undone when it ends in a refusal, and on record either way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Generic, TypeVar

from openpim.core.audit import Category, Target
from openpim.core.caller import Caller
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.recording import record

T = TypeVar("T")

# Refusals that say something about the one who asked; mistakes in what was asked are not for the history.
_RECORDED = frozenset({Code.FORBIDDEN, Code.LAST_ADMINISTRATOR, Code.SUBJECT_NOT_ALLOWED})


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """A change that was made: what the caller gets, and what the audit says it touched.

    unchanged: nothing had to be done, so there is nothing to record either.
    """

    value: T
    targets: tuple[Target, ...] = ()
    unchanged: bool = False


def perform(
    deps: Deps,
    caller: Caller,
    activity: str,
    category: Category,
    work: Callable[[Transaction, datetime], Done[T] | Refusal],
    *,
    targets: tuple[Target, ...] = (),
) -> T | Refusal:
    """Run `work` in one unit of work. targets: what a refusal is recorded against."""
    now = deps.clock()

    def unit(tx: Transaction) -> T | Refusal:
        outcome: Done[T] | Refusal
        with tx.savepoint() as point:
            outcome = work(tx, now)
            if isinstance(outcome, Refusal):
                point.roll_back()
        if isinstance(outcome, Refusal):
            if outcome.code in _RECORDED:
                record(
                    tx,
                    deps,
                    caller,
                    now,
                    activity=activity,
                    category=category,
                    targets=targets,
                    result="failure",
                    reason=outcome.message,
                )
            return outcome
        if not outcome.unchanged:
            record(
                tx,
                deps,
                caller,
                now,
                activity=activity,
                category=category,
                targets=outcome.targets,
                result="success",
                reason="",
            )
        return outcome.value

    return deps.store.write(caller.tenant_id, unit)


def invalid(faults: Iterable[tuple[str, str]]) -> Refusal | None:
    """The faults as one refusal that names the first member and says all, or None when there are none."""
    found = list(faults)
    if not found:
        return None
    return Refusal(Code.INVALID, "; ".join(message for _, message in found) + ".", member=found[0][0])


def not_found(kind: str, id: str) -> Refusal:
    return Refusal(Code.NOT_FOUND, f"There is no {kind} with the id {id:.100}.")


def forbidden(message: str) -> Refusal:
    return Refusal(Code.FORBIDDEN, message)


def changed(old: T, changes: Mapping[str, object], allowed: Iterable[str]) -> T | Refusal:
    """The value with the changes, or a refusal that names the first attribute that cannot be changed."""
    allowed = frozenset(allowed)
    for name in changes:
        if name not in allowed:
            return Refusal(Code.INVALID, f"{name} cannot be changed.", member=name)
    result: Any = replace(old, **changes)  # type: ignore[type-var]
    final: T = result
    return final


def differences(old: Any, new: Any, names: Iterable[str]) -> tuple[tuple[str, str | None, str | None], ...]:
    """What changed, for the audit: (attribute, before, after)."""
    return tuple(
        (name, _text(getattr(old, name)), _text(getattr(new, name)))
        for name in sorted(names)
        if getattr(old, name) != getattr(new, name)
    )


def stamp(value: object) -> str:
    """What tells whether a thing has been changed since somebody looked at it: it goes into his form."""
    return sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def overtaken(value: object, seen: str) -> Refusal | None:
    """seen: the stamp of what somebody looked at when he decided; "" where that does not matter."""
    if not seen or seen == stamp(value):
        return None
    return Refusal(
        Code.CONFLICT, "Somebody has changed this meanwhile. Open it again and look at what is there now."
    )


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value)
    return str(value)
