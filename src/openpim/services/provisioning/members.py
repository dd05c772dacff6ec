"""The members of a group as a provisioner writes and reads them.

In an ordinary group it sees and changes all standing members. In one that gives privileges it sees and takes out only those
it put in itself: whom it made eligible is shown to it as a member for as long as the eligibility lasts, so that it finds what
it wrote; whom an administrator put in is none of its business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from itertools import islice

from openpim.core.ask import Ask
from openpim.core.caller import Caller
from openpim.core.directory import Group, Principal, PrincipalKind
from openpim.core.grants import Action, AssignmentType, ExpirationType, Kind, Provider, Window
from openpim.core.provisioning import Mode, Put, Way
from openpim.core.query import Query
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import submit
from openpim.services.directory.group_members import taken_out
from openpim.services.directory.membership_rules import member_to_add, writable
from openpim.services.directory.targets import of_group, of_principal
from openpim.services.providers import PROVIDERS
from openpim.services.provisioning.rules import mode_of
from openpim.services.recording import record

_MEMBER = "member"
_PAGE = 1000
MOST_AT_ONCE = 1000
# The right to make members eligible, and no other, for the one request in which a group's setting says so.
_LENT = frozenset({"PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup"})
ADDED, REMOVED = "Add member to group", "Remove member from group"


class Members:
    """Those of one group, in one unit of work, for one provisioner."""

    def __init__(self, tx: Transaction, deps: Deps, caller: Caller, group: Group, now: datetime) -> None:
        self._tx, self._deps, self._caller, self._group, self._now = tx, deps, caller, group, now
        self.mode, self.narrow = mode_of(tx, group, now)
        self._changes = 0

    # -- reading
    def shown(self, most: int | None = None) -> tuple[Principal, ...] | None:
        """By id. None: there are more than `most`."""
        found = self._shown(most)
        return found if most is None or len(found) <= most else None

    def _shown(self, most: int | None = None) -> tuple[Principal, ...]:
        if self.narrow:
            found = self._tx.principals.many(self._present(self._mine()))
            return tuple(found[key] for key in sorted(found))
        return tuple(islice(self._standing(), None if most is None else most + 1))

    def _standing(self) -> Iterable[Principal]:
        after: str | None = None
        while True:
            page = self._tx.groups.members(self._group.id, self._now, Query(limit=_PAGE, after=after))
            yield from page.items
            after = page.next
            if after is None:
                return

    def _mine(self) -> dict[str, Put]:
        return self._tx.provisioning.put_in(self._caller.principal_id, self._group.id)

    def _present(self, ids: Collection[str]) -> set[str]:
        """Those of them who are members here in some way at this moment."""
        if not ids:
            return set()
        scheduled = self._tx.schedules.of(
            ids, provider=Provider.GROUP, role_id=_MEMBER, scopes=[self._group.id], live_at=self._now
        )
        lasting = {
            one.principal_id for one in scheduled if one.assignment_type is not AssignmentType.ACTIVATED
        }
        return lasting | {
            one for one in ids if one not in lasting and self._tx.groups.is_member(self._group.id, one)
        }

    # -- writing
    def add(self, ids: Iterable[str]) -> Refusal | None:
        wanted = dict.fromkeys(ids)
        refusal = self._counted(len(wanted))
        if refusal is not None:
            return refusal
        for member_id in wanted:
            refusal = self._put_in(member_id)
            if refusal is not None:
                return refusal
        return None

    def remove(self, ids: Iterable[str]) -> Refusal | None:
        """Somebody who is not in it is out of it already."""
        wanted = dict.fromkeys(ids)
        refusal = writable(self._group) or self._counted(len(wanted))
        if refusal is not None:
            return refusal
        mine = self._mine()
        for member_id in wanted:
            refusal = self._take_out(member_id, mine.get(member_id))
            if refusal is not None:
                return refusal
        return None

    def set(self, ids: Iterable[str]) -> Refusal | None:
        wanted = dict.fromkeys(ids)
        present = {one.id for one in self._shown()}
        return self.remove(one for one in sorted(present) if one not in wanted) or self.add(
            one for one in wanted if one not in present
        )

    def _counted(self, number: int) -> Refusal | None:
        """Each takes some milliseconds, and all others who write wait for the whole of it."""
        self._changes += number
        if self._changes <= MOST_AT_ONCE:
            return None
        return Refusal(
            Code.INVALID,
            f"One request adds and takes out at most {MOST_AT_ONCE} members: send them in several.",
            member="members",
        )

    def _put_in(self, member_id: str) -> Refusal | None:
        self._tx.lock_principal(member_id)
        member = member_to_add(self._tx, self._group, member_id, self._now)
        if isinstance(member, Refusal):
            return member
        if member.kind is PrincipalKind.SERVICE_PRINCIPAL:
            return Refusal(
                Code.SUBJECT_NOT_ALLOWED,
                "Members are people and groups; applications are not provisioned. Add it here instead.",
                member="member_id",
            )
        if self.narrow and member_id in self._present([member_id]):
            if member_id not in self._mine():
                self._note(member, Put(member_id, Way.ADOPTED))
            return None
        if self.mode is Mode.ELIGIBLE:
            return self._make_eligible(member)
        if self._tx.groups.add_member(self._group.id, member):
            self._note(member, Put(member_id, Way.MEMBER), ADDED)
        return None

    def _make_eligible(self, member: Principal) -> Refusal | None:
        expiry = (
            PROVIDERS[Provider.GROUP]
            .policy(self._tx, self._deps, _MEMBER, self._group.id)
            .expiry_of(Kind.ELIGIBILITY)
        )
        window = Window(type=ExpirationType.NO_EXPIRATION)
        if expiry.required and expiry.maximum is not None:
            window = Window(type=ExpirationType.AFTER_DURATION, duration=expiry.maximum)
        made = self._asked(Action.ADMIN_ASSIGN, member.id, window=window)
        if isinstance(made, Refusal):
            return made
        self._note(member, Put(member.id, Way.ELIGIBLE, made))
        return None

    def _take_out(self, member_id: str, row: Put | None) -> Refusal | None:
        self._tx.lock_principal(member_id)
        if row is not None:
            self._tx.provisioning.take(self._caller.principal_id, self._group.id, member_id)
        if row is not None and row.way is Way.ELIGIBLE and row.schedule_id is not None:
            schedule = self._tx.schedules.get(row.schedule_id)
            if schedule is None or not schedule.live(self._now):
                return None
            ended = self._asked(Action.ADMIN_REMOVE, member_id, schedule_id=row.schedule_id)
            return ended if isinstance(ended, Refusal) else None
        if self.narrow and (row is None or row.way is not Way.MEMBER):
            return None
        member = self._tx.principals.get(member_id)
        if member is None or not self._tx.groups.is_member(self._group.id, member_id):
            return None
        refusal = taken_out(self._tx, self._deps, self._caller, self._group.id, member_id, self._now)
        if refusal is None:
            self._tell(member, REMOVED)
        return refusal

    def _asked(
        self, action: Action, member_id: str, *, window: Window | None = None, schedule_id: str | None = None
    ) -> str | Refusal:
        """The road of every grant, with the policy of the group; the id of the schedule."""
        ask = Ask(
            kind=Kind.ELIGIBILITY,
            provider=Provider.GROUP,
            action=action,
            principal_id=member_id,
            role_id=_MEMBER,
            scope=self._group.id,
            justification=f"Provisioned by {self._caller.display_name or 'an application'}.",
            window=window or Window(),
            schedule_id=schedule_id,
        )
        lent = replace(self._caller, permissions=self._caller.permissions | _LENT)
        made = submit.in_transaction(self._tx, self._deps, lent, ask, self._now)
        if isinstance(made, Refusal):
            return made
        return made.schedule_id or ""

    def _note(self, member: Principal, row: Put, activity: str = "") -> None:
        self._tx.provisioning.put(self._caller.principal_id, self._group.id, row)
        if activity:
            self._tell(member, activity)

    def _tell(self, member: Principal, activity: str) -> None:
        record(
            self._tx,
            self._deps,
            self._caller,
            self._now,
            activity=activity,
            category="GroupManagement",
            targets=(of_principal(member), of_group(self._group)),
        )
