"""What a provisioner may touch, and what becomes of a membership it writes.

The one rule: nothing that it writes is active privilege. A group is *special* when being in it gives, or could be activated
into, anything but the membership itself; a membership in a special group becomes an eligibility, unless an administrator said
otherwise for that group (docs/decisions/0083-provisioned-is-eligible.md).
"""

from __future__ import annotations

from datetime import datetime

from openpim.core.caller import Caller, CallerKind
from openpim.core.directory import Group, User
from openpim.core.grants import Kind, Provider
from openpim.core.provisioning import PRIVILEGED, PROVISION, Mode
from openpim.core.query import AnyOf, Query
from openpim.core.refusals import Refusal
from openpim.ports.store import Transaction
from openpim.services.connecting.renaming import called_otherwise
from openpim.services.directory.performing import forbidden
from openpim.services.power import is_privileged, protected

_ANY = 1


def may_provision(caller: Caller) -> Refusal | None:
    if caller.kind is CallerKind.SERVICE_PRINCIPAL and PROVISION in caller.permissions:
        return None
    return forbidden(
        f"Provisioning is for applications with the permission {PROVISION}. Have a Privileged Role Administrator grant it."
    )


def may_touch_privileged(caller: Caller) -> bool:
    return PRIVILEGED in caller.permissions


def untouchable(tx: Transaction, caller: Caller, user_id: str, now: datetime) -> Refusal | None:
    """People who hold or could activate power are changed by a provisioner only where that was said of it."""
    if may_touch_privileged(caller) or not is_privileged(tx, user_id, now):
        return None
    return forbidden(
        "This person holds or can activate a privileged role, or one that gives roles on resources, or approves for one: "
        f"provisioning does not change, disable or delete such people. Do it here, or have a Privileged Role Administrator grant the application {PRIVILEGED}."
    )


def called(tx: Transaction, caller: Caller, old: User, new: User, now: datetime) -> Refusal | None:
    """What somebody is called in a real system says whose his privilege there is: a provisioner that could change it could
    give it to another account."""
    if may_touch_privileged(caller) or not called_otherwise(tx, old, new, now):
        return None
    return forbidden(
        "This person has, or can activate, access to a real system in which he would have another name by this: whoever has "
        "that name there would have the access. Do it here, or have a Privileged Role Administrator grant the application "
        f"{PRIVILEGED}."
    )


def fixed(tx: Transaction, caller: Caller, group: Group, now: datetime) -> Refusal | None:
    """A special group is not renamed or deleted by a provisioner: others rely on what it is called and gives."""
    if may_touch_privileged(caller) or not special(tx, group, now):
        return None
    return forbidden(
        f"{group.display_name} gives privileges: provisioning writes its members, and does not rename or delete it. Do it "
        f"here, or have a Privileged Role Administrator grant the application {PRIVILEGED}."
    )


def special(tx: Transaction, group: Group, now: datetime) -> bool:
    """Whether being in this group is more than being in it."""
    reached = {group.id} | tx.groups.groups_of(group.id, now)
    return (
        protected(tx, group, now)
        or bool(tx.policies.approver_in(reached))
        or bool(tx.schedules.of(reached, live_at=now))
        or _in_pim(tx, reached, now)
        or _lifts_a_denial(tx, reached)
        or tx.targets.mapped(Provider.GROUP, reached)
        or bool(tx.app_role_assignments.page(Query(AnyOf("principal_id", tuple(reached)), limit=_ANY)).items)
    )


def _in_pim(tx: Transaction, group_ids: set[str], now: datetime) -> bool:
    """Somebody is or may become member or owner by a schedule, or its settings were written."""
    if any(tx.policies.at_scope(Provider.GROUP, one) for one in group_ids):
        return True
    here = Query(AnyOf("scope", tuple(sorted(group_ids))), limit=_ANY)
    return any(tx.schedules.page(Provider.GROUP, kind, here, live_at=now).items for kind in Kind)


def _lifts_a_denial(tx: Transaction, group_ids: set[str]) -> bool:
    return any(group_ids & set(deny.excluded) for deny in tx.deny_assignments.every())


def mode_of(tx: Transaction, group: Group, now: datetime) -> tuple[Mode, bool]:
    """What a membership becomes; and whether the provisioner sees and takes out only whom it put in itself."""
    said = tx.provisioning.modes([group.id]).get(group.id)
    if said is not None:
        return said, True
    narrow = special(tx, group, now)
    return (Mode.ELIGIBLE if narrow else Mode.MEMBER), narrow
