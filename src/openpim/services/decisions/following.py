"""Keeps the indexes up to date, and says when one must not be asked.

Every change of privilege writes an audit event in the same commit, so the events are a feed of what to look at again. A look
is one snapshot: the events that wait for the audit log, those that came into it since the last look, and all that is known
of what they name. An event is in one of the two places from the moment it commits, whoever wrote it and however late, and
no number has to grow in the order of the commits.

Nothing runs by itself. Whoever asks first after LOOK_EVERY looks; nobody is answered from what was seen more than LATEST
ago, and not from what was seen before something was committed by this process. A look that fails leaves nothing to answer
from: decisions fail closed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from openpim.core.activities import ACTIVITIES
from openpim.core.audit import AuditEvent
from openpim.core.decisions import Facts, Rules
from openpim.ports.decisions import Happened
from openpim.ports.store import Store, Transaction
from openpim.services.decisions.index import Index
from openpim.services.decisions.reading import facts_of, rules_of
from openpim.services.resources.shaping import root_group

LOOK_EVERY: Final = timedelta(milliseconds=250)
LATEST: Final = timedelta(seconds=1)
MOST: Final = 5_000  # events, or principals, from which on everything is read anew
_NOTHING = timedelta(0)

# What an event changes besides what is known of its targets.
RULES: Final = frozenset(
    {
        "Add role definition",
        "Create or update deny assignment",
        "Create or update role definition",
        "Create resource",
        "Delete deny assignment",
        "Delete resource",
        "Delete role definition",
        "Move resource",
        "Remove member from role completed (resource removed)",
        "Update role definition",
    }
)
MEMBERS: Final = frozenset(
    {"Add group"}
)  # it may have come with members and owners that the event does not name
EVERYTHING: Final = frozenset(
    {
        "Audit record gone before it was in the log",
        "Audit record not made by this server",
        "Create tenant",
        "Import resources",
    }
)


@dataclass(frozen=True, slots=True)
class Touched:
    principals: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    rules: bool = False
    names: bool = False  # who goes by which sign-in name
    everything: bool = False


def touched(happened: Iterable[Happened]) -> Touched:
    """What has to be read again. An activity that this version does not know concerns everything."""
    principals: set[str] = set()
    groups: set[str] = set()
    rules = names = everything = False
    for one in happened:
        everything = everything or one.activity in EVERYTHING or one.activity not in ACTIVITIES
        rules = rules or one.activity in RULES
        names = names or one.category == "UserManagement"
        principals.update(one.targets)
        if one.activity in MEMBERS:
            groups.update(one.targets)
    return Touched(
        frozenset(principals), frozenset(groups), rules, names, everything or len(principals) > MOST
    )


@dataclass(slots=True)
class _Followed:
    """position: in the audit log. seen: events that were read while they waited for it. commit: a number of its own for the
    last commit of this process; looked: the one that the last look began with."""

    index: Index | None = None
    at: datetime | None = None
    position: int = 0
    seen: frozenset[str] = frozenset()
    commit: int = 0
    looked: int = -1
    looking: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class _Look:
    position: int
    waiting: frozenset[str]
    whole: tuple[Facts, Rules] | None = None
    principals: Collection[str] = ()
    facts: Facts | None = None
    rules: Rules | None = None
    names: bool = False


class Following:
    """The indexes of the tenants that were asked about. Make one, and hand its `committed` to the store's observers."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._followed: dict[str, _Followed] = {}
        self._making = threading.Lock()
        self._commits = count(1)

    def committed(self, tenant_id: str, _events: Sequence[AuditEvent]) -> None:
        """Events of this process: what was seen before them does not count any more."""
        if not tenant_id:  # work on the system's own tables names no tenant, and may have been in any
            for followed in list(self._followed.values()):
                followed.commit = next(self._commits)
        elif (known := self._followed.get(tenant_id)) is not None:
            known.commit = next(self._commits)

    def look_up(self, tenant_id: str, names: Collection[str]) -> None:
        """Find the people who go by these sign-in names, with or without the tenant's own domain, and remember them."""
        index = self.look(tenant_id)
        people = index.people

        def work(tx: Transaction) -> dict[str, str]:
            tenant = tx.tenants.current()
            found = {}
            for name in names:
                user = tx.users.by_upn(name if "@" in name or tenant is None else f"{name}@{tenant.domain}")
                found[name] = user.id if user is not None else ""
            return found

        found = self._store.read(tenant_id, work)
        if index.people is people:  # else somebody may have got another name meanwhile
            index.remember_people(found)

    def ready(self, tenant_id: str, now: datetime) -> Index | None:
        """The index, if it may be asked as it is; else `look` first. Costs nothing."""
        known = self._followed.get(tenant_id)
        if known is None or known.at is None or known.looked != known.commit:
            return None
        if not _NOTHING <= now - known.at <= LATEST:  # nor when the clock was put back
            return None
        index = known.index
        if index is not None and index.foreign and not all(self.ready(one, now) for one in index.homes):
            return None
        return index

    def fresh(self, tenant_id: str, now: datetime) -> Index | None:
        """The index, if it may be asked and it is not time to look: the first question of nearly every request."""
        known = self._followed.get(tenant_id)
        if known is None or known.at is None or known.looked != known.commit:
            return None
        index = known.index
        if index is None or index.foreign or not _NOTHING <= now - known.at <= LOOK_EVERY:
            return None
        return index

    def due(self, tenant_id: str, now: datetime) -> bool:
        """Whether it is time to look, though the index may still be asked, and nobody is looking."""
        known = self._followed.get(tenant_id)
        if known is None or known.at is None:
            return True
        return now - known.at > LOOK_EVERY and not known.looking.locked()

    def look(self, tenant_id: str) -> Index:
        """Catch up with the store. Raises StoreUnavailableError: then there is no answer.

        Several may call it at once: one looks, the others get what he saw if it is new enough for them.
        """
        return self._look(tenant_id, frozenset({tenant_id}))

    def _look(self, tenant_id: str, on_the_way: frozenset[str]) -> Index:
        with self._making:
            followed = self._followed.setdefault(tenant_id, _Followed())
        began = self._clock()
        with followed.looking:
            fresh = followed.at is not None and followed.at >= began and followed.looked == followed.commit
            if followed.index is None or not fresh:
                self._catch_up(tenant_id, followed)
            index = followed.index
        if index is None:  # pragma: no cover - a look that fails has raised
            raise RuntimeError("there is no index after a look")
        for home in index.homes - on_the_way:
            self._look(home, on_the_way | {home})
        return index

    def _catch_up(self, tenant_id: str, followed: _Followed) -> None:
        commit, now = followed.commit, self._clock()

        def work(tx: Transaction) -> _Look:
            return _seen(tx, followed, now)

        look = self._store.snapshot(tenant_id, work)
        if look.whole is not None:
            followed.index = Index(*look.whole, self._at_home, root_group(tenant_id))
        elif followed.index is not None and look.facts is not None:
            followed.index.change(look.principals, look.facts, look.rules)
            if look.names:
                followed.index.forget_people()
        followed.position, followed.seen = look.position, look.waiting
        followed.at, followed.looked = now, commit

    def _at_home(self, tenant_id: str, user_id: str) -> bool:
        known = self._followed.get(tenant_id)
        return known is not None and known.index is not None and known.index.able(user_id)


def _seen(tx: Transaction, followed: _Followed, now: datetime) -> _Look:
    feed, since = tx.decisions, now - LATEST  # who asks may have looked at the clock before
    waiting, size = frozenset(feed.waiting()), feed.size()
    unread = waiting - followed.seen
    behind = size - followed.position
    if followed.index is None or behind < 0 or behind + len(unread) > MOST:
        return _Look(size, waiting, whole=(facts_of(tx, since), rules_of(tx)))
    happened = feed.events(unread) if unread else []
    if behind:
        happened += [one for one in feed.logged(followed.position, behind) if one.id not in followed.seen]
    what = touched(happened)
    if what.everything:
        return _Look(size, waiting, whole=(facts_of(tx, since), rules_of(tx)))
    principals = set(what.principals)
    if what.groups:
        principals.update(feed.members_of(what.groups), feed.owners_of(what.groups))
    if not principals and not what.rules:
        return _Look(size, waiting)
    rules = rules_of(tx) if what.rules else None
    facts = facts_of(tx, since, frozenset(principals))
    return _Look(size, waiting, principals=principals, facts=facts, rules=rules, names=what.names)
