"""A person chooses how he is told: by which of the channels there are, and in which hours not."""

from __future__ import annotations

from dataclasses import dataclass, replace

from openpim.core.caller import Caller, CallerKind
from openpim.core.notification_preferences import MAIL, Preferences, faults
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.notices.deliveries import channels

_PEOPLE_ONLY = Refusal(Code.FORBIDDEN, "Only a person is told things.")


@dataclass(frozen=True, slots=True)
class Choice:
    """One channel somebody may use. used: he does."""

    key: str
    name: str
    used: bool


@dataclass(frozen=True, slots=True)
class Mine:
    """address: where mail goes; "" when there is none."""

    preferences: Preferences
    choices: tuple[Choice, ...]
    address: str


def mine(deps: Deps, caller: Caller) -> Mine | Refusal:
    """The caller's own, or what holds while he has not chosen."""

    def work(tx: Transaction) -> Mine | Refusal:
        user = tx.users.get(caller.principal_id)
        if caller.kind is not CallerKind.USER or user is None:
            return _PEOPLE_ONLY
        chosen = tx.notification_preferences.get(caller.principal_id) or Preferences()
        address = user.mail or ("" if "#EXT#" in user.user_principal_name else user.user_principal_name)
        return Mine(chosen, _choices(tx, deps, chosen), address)

    return deps.store.read(caller.tenant_id, work)


def choose(deps: Deps, caller: Caller, wanted: Preferences) -> Preferences | Refusal:
    """Replace the caller's own. INVALID names the member at fault: channels, begins, ends, zone."""
    wrong = faults(wanted)
    if wrong:
        member, message = wrong[0]
        return Refusal(Code.INVALID, message, member=member)

    def work(tx: Transaction) -> Preferences | Refusal:
        if caller.kind is not CallerKind.USER or tx.users.get(caller.principal_id) is None:
            return _PEOPLE_ONLY
        before = tx.notification_preferences.get(caller.principal_id) or Preferences()
        known = channels(tx, deps) | {MAIL}
        unknown = [key for key in wanted.channels if key not in known and key not in before.channels]
        if unknown:
            message = f"There is no channel {unknown[0]:.60} to choose. Choose one that is offered."
            return Refusal(Code.INVALID, message, member="channels")
        kept = replace(wanted, channels=tuple(sorted({key for key in wanted.channels if key in known})))
        tx.notification_preferences.put(caller.principal_id, kept)
        return kept

    return deps.store.write(caller.tenant_id, work)


def _choices(tx: Transaction, deps: Deps, chosen: Preferences) -> tuple[Choice, ...]:
    usable = channels(tx, deps)
    found = [Choice(MAIL, "Mail", MAIL in chosen.channels)] if MAIL in usable else []
    return (
        *found,
        *(
            Choice(one.key, one.name, one.key in chosen.channels)
            for one in tx.channels.all()
            if one.key in usable
        ),
    )
