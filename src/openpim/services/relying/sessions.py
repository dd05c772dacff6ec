"""Remembers which application was told what of whom in which session, so that it can be told when that is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from openpim.core.directory import Application
from openpim.core.grants import Kind
from openpim.core.relying import ClientSession, Placed
from openpim.core.signin.values import Grant
from openpim.ports.store import Transaction
from openpim.services.authority import identities
from openpim.services.relying.claims import values_of, wanted_anywhere
from openpim.services.signin.people import Person

LOOK = timedelta(minutes=15)  # whatever no event and no boundary tells of is found then
KEPT = timedelta(
    days=30
)  # after the last token: by then an application has asked again, or its session is over


def remember(
    tx: Transaction, grant: Grant, person: Person, issuer: str, now: datetime, *, fresh: bool
) -> None:
    """The application got an ID token. One that has no address for it is not told of ends, so nothing is kept.

    fresh: at a sign-in. A refresh leaves what is known: many applications go on with what they were told first.
    """
    application = tx.applications.by_app_id(grant.client_id)
    if application is None or not application.logout_uri:
        return
    there = tx.in_tenant(person.tenant_id)
    there.client_sessions.put(
        ClientSession(
            session_id=grant.session_id,
            client_id=grant.client_id,
            tenant_id=person.tenant_id,
            user_id=person.user.id,
            home_tenant_id=person.account.tenant_id,
            home_user_id=person.account.user_id,
            grant_id=grant.id,
            issuer=issuer,
            claims=told(there, application, person.user.id, now),
            at=now,
            check_at=next_look(there, person.user.id, now),
        ),
        keep=not fresh,
    )


def told(
    tx: Transaction, application: Application, user_id: str, now: datetime
) -> dict[str, tuple[str, ...]]:
    """All that the application may know of what the person holds, wherever it stands; groups by id."""
    wanted = Placed(wanted_anywhere(application))
    found = values_of(tx, application, user_id, now, wanted)
    return {name: tuple(values) for name, values in found.claims.items()}


def next_look(tx: Transaction, user_id: str, now: datetime) -> datetime:
    """When time alone may change it: the next start or end of anything that he, or a group he is in, has."""
    boundaries = [
        moment
        for one in tx.schedules.of(identities(tx, user_id, now), kind=Kind.ASSIGNMENT, live_at=now)
        for moment in (one.starts_at, one.ends_at)
        if moment is not None and moment > now
    ]
    return min([now + LOOK, *boundaries])
