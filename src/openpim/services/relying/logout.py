"""Sends logout tokens (OpenID Connect Back-Channel Logout 1.0): claimed from the outbox, each application in a thread of its
own (workers/relying.py), tried again after a growing pause, never twice at the same time.

A token is made for each try and lives two minutes. An application that does not answer lets the rest of its own wait, and
nobody else's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from openpim.core import caller as callers
from openpim.core.audit import Target
from openpim.core.directory import Application
from openpim.core.relying import LOGOUT_EVENT, LOGOUT_TOKEN_LIFE, SAID_AT, final, pause_after
from openpim.ports.deps import Deps
from openpim.ports.outbound import OutboundError
from openpim.ports.outbox import Entry
from openpim.ports.store import Transaction
from openpim.services.recording import record
from openpim.services.relying.changes import TOPIC
from openpim.services.signin.context import SignIn
from openpim.services.signin.tokens import seconds

FAILED: Final = "Sign-out of application failed"
LEASE = timedelta(seconds=60)
_SPARE = timedelta(seconds=15)
_SECONDS: Final = 5.0  # that an application may take to answer
LIMIT = 200
_HEADERS = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "*/*"}


@dataclass(frozen=True, slots=True)
class _Outcome:
    """error "": it was told. status: what it answered; None: nothing came back."""

    error: str = ""
    status: int | None = None


def due(deps: Deps) -> list[tuple[str, str]]:
    """(tenant id, client id) of the applications that there is something to tell."""
    now = deps.clock()
    return deps.store.read("", lambda tx: tx.outbox.due_keys(TOPIC, now, LIMIT))


def claim(deps: Deps, tenant_id: str, client_id: str) -> list[Entry]:
    """What one application is to be told now."""
    now = deps.clock()
    return deps.store.write(tenant_id, lambda tx: tx.outbox.claim(TOPIC, client_id, now, now + LEASE, LIMIT))


def serve(signin: SignIn, tenant_id: str, client_id: str) -> None:
    """Tell one application all that it is to be told now."""
    while True:
        until = signin.deps.clock() + LEASE - _SPARE
        entries = claim(signin.deps, tenant_id, client_id)
        if not entries or send(signin, entries, until) < len(entries):
            return


def send(signin: SignIn, entries: Sequence[Entry], until: datetime) -> int:
    """Returns how many it took. until: when the lease may be somebody else's. Call it outside any unit of work: it waits for
    the network."""
    deps, taken, silent = signin.deps, 0, ""
    for entry in entries:
        if deps.clock() >= until:
            break  # whoever claims them next goes on
        application = deps.store.read("", lambda tx, entry=entry: tx.applications.by_app_id(entry.key))  # type: ignore[misc]
        if application is None or not application.logout_uri:
            _settle(deps, entry, _Outcome(), application)
            continue
        outcome = _Outcome(silent) if silent else _sent(signin, application, entry)
        if outcome.error and outcome.status is None:
            silent = outcome.error
        taken += not outcome.error
        _settle(deps, entry, outcome, application)
    return taken


def logout_token(signin: SignIn, entry: Entry) -> str:
    """Issuer and sid as in the ID token; sub too, so that an application that knows no sessions can find the person."""
    told: dict[str, Any] = json.loads(entry.payload)
    now = signin.deps.clock()
    claims = {
        "iss": told["iss"],
        "sub": told["sub"],
        "aud": entry.key,
        "iat": seconds(now),
        "exp": seconds(now + LOGOUT_TOKEN_LIFE),
        "jti": signin.deps.new_id(),
        "sid": told["sid"],
        "events": {LOGOUT_EVENT: {}},
    }
    return signin.tokens.sign(claims, "logout+jwt")


def _sent(signin: SignIn, application: Application, entry: Entry) -> _Outcome:
    body = urlencode({"logout_token": logout_token(signin, entry)}).encode("ascii")
    try:
        answer = signin.deps.outbound.request(
            "POST", application.logout_uri or "", headers=_HEADERS, body=body, seconds=_SECONDS
        )
    except OutboundError as error:
        return _Outcome(error.message)
    if answer.ok:
        return _Outcome(status=answer.status)
    return _Outcome(f"The application answered {answer.status}.", answer.status)


def _settle(deps: Deps, entry: Entry, outcome: _Outcome, application: Application | None) -> None:
    now = deps.clock()

    def work(tx: Transaction) -> None:
        if not outcome.error:
            tx.outbox.done(entry, now)
            return
        over = final(outcome.status, entry.attempt, now - entry.created_at)
        kept = (
            tx.outbox.done(entry, now)
            if over
            else tx.outbox.retry(entry, now + pause_after(entry.attempt), outcome.error)
        )
        if kept and application is not None and (over or entry.attempt == SAID_AT):
            _say(tx, deps, entry, application, outcome.error, over=over)

    deps.store.write(entry.tenant_id, work)


def _say(
    tx: Transaction, deps: Deps, entry: Entry, application: Application, error: str, *, over: bool
) -> None:
    """An application that was not told may keep a session that is over: on record, after a few tries and when given up."""
    told = json.loads(entry.payload)
    face = tx.service_principals.by_app_id(entry.key)
    record(
        tx,
        deps,
        callers.system(tx.tenant_id),
        deps.clock(),
        activity=FAILED,
        category="ApplicationManagement",
        targets=(
            Target("ServicePrincipal", face.id if face is not None else entry.key, application.display_name),
            Target("User", told["sub"]),
        ),
        result="failure",
        reason=error,
        details=(("Tries", str(entry.attempt)), ("GivenUp", "yes" if over else "no")),
    )
