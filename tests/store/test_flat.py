"""Every question about grants costs the same at a hundred thousand rows as at a hundred.

Three looks at each statement that a list, a look-up or a worker makes: its plan scans no big table; and the work that
is really done (SQLite: steps of its machine, PostgreSQL: rows that are touched) does not grow with the table. The data
are what a tenant looks like after years: nearly all activations, requests and approvals are long over.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from openpim.core.grants import Kind, Provider
from openpim.core.query import All, AnyOf, Compare, Order, Query
from openpim.ports.timelines import About
from openpim.store.database import Database
from openpim.store.statistics import write_statistics
from tests.plans import Statement, look, noted

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
MICROS = int(NOW.timestamp()) * 1_000_000
TENANT = "aaaaaaaa-0000-4000-8000-000000000001"
ROWS = 100_000
OPEN = 200  # of them are still in force, open, or to be done
DAY = 86_400_000_000
BIG = (
    "schedules",
    "requests",
    "approvals",
    "approval_stages",
    "approval_reviewers",
    "approval_decisions",
    "audit_events",
    "audit_targets",
    "outbox",
)
DIRECTORY = Provider.DIRECTORY
E, A = Kind.ELIGIBILITY, Kind.ASSIGNMENT


def guid(kind: int, number: int) -> str:
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


def key(kind: int, expression: str, dialect: str) -> str:
    """The SQL of `guid(kind, expression)`."""
    prefix = f"'{kind:08x}-0000-4000-8000-'"
    if dialect == "sqlite":
        return f"{prefix} || printf('%012x', {expression})"
    return f"{prefix} || lpad(to_hex(({expression})::bigint), 12, '0')"


def person(expression: str, dialect: str) -> str:
    return key(1, f"({expression}) % 20000", dialect)


def fill(database: Database) -> None:
    d = database.dialect
    series = (
        f"(WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n+1 FROM s WHERE n < {ROWS - 1}) SELECT n FROM s)"
        if d == "sqlite"
        else f"(SELECT generate_series(0, {ROWS - 1}) AS n)"
    )
    ago = f"{MICROS} - CAST(n + 1 AS BIGINT) * 60000000"
    live = f"n % {ROWS // OPEN} = 7"  # scattered: a walk in any order meets mostly what is over
    fields = "tenant_id, kind, provider, scope, created_at, role_id, principal_id, id"
    same = f"'{TENANT}', '{{kind}}', 'directory', '/', {ago}, {key(9, 'n % 100', d)}, {person('n', d)}"
    statements = []
    taken = "n % 50 = 4"  # eligibilities that are over
    for kind, number, ends, status, given in (
        (
            "eligibility",
            2,
            f"CASE WHEN {taken} THEN {ago} + 60000000 END",
            f"CASE WHEN {taken} THEN 'Expired' ELSE 'Provisioned' END",
            "NULL",
        ),
        (
            "assignment",
            3,
            f"CASE WHEN {live} THEN {MICROS} + 3600000000 ELSE {ago} + 60000000 END",
            f"CASE WHEN {live} THEN 'Provisioned' ELSE 'Expired' END",
            "CASE WHEN n % 50 = 3 THEN 'Assigned' ELSE 'Activated' END",
        ),
    ):
        common = same.format(kind=kind)
        ticket = key(number, "n", d)
        # name is quoted because WINDOW is a word of SQL
        statements.append(
            f"INSERT INTO schedules ({fields}, starts_at, ends_at, status, assignment_type, request_id, linked_id, "
            f'"window") SELECT {common}, {ticket}, {ago}, {ends}, {status}, {given}, {ticket}, '
            f"{key(2, 'n', d) if kind == 'assignment' else 'NULL'}, '[null,\"notSpecified\",null,null]' "
            f"FROM {series} AS x"
        )
        request_status = f"CASE WHEN {live} THEN 'PendingApproval' ELSE 'Provisioned' END"
        statements.append(
            f"INSERT INTO requests ({fields}, action, status, created_by, created_by_kind, completed_at, "
            'schedule_id, approval_id, amr, acrs, "window") '
            f"SELECT {common}, {ticket}, '{'adminAssign' if number == 2 else 'selfActivate'}', "
            f"{request_status if number == 3 else chr(39) + 'Provisioned' + chr(39)}, "
            f"{person('n', d)}, 'user', {ago}, {ticket}, {ticket}, '[]', '[]', "
            f"'[null,\"notSpecified\",null,null]' FROM {series} AS x"
        )
    request = key(3, "n", d)
    status = f"CASE WHEN {live} THEN 'InProgress' ELSE 'Approved' END"
    stage = f"CASE WHEN {live} THEN 'InProgress' ELSE 'Completed' END"
    settings = (
        '{"escalate_after_minutes":0,"escalation":[[],[]],"justification_required":true,"primary":[[],[]],'
        '"quorum":1,"timeout_minutes":1440}'
    )
    no = "0" if d == "sqlite" else "false"
    mac = "zeroblob(32)" if d == "sqlite" else "decode(repeat('00', 32), 'hex')"
    statements += [
        (
            "INSERT INTO approvals (tenant_id, id, requestor_id, status) "
            f"SELECT '{TENANT}', {request}, {person('n', d)}, {status} FROM {series} AS x"
        ),
        (
            "INSERT INTO approval_stages (tenant_id, id, approval_id, number, status, settings, keys, started_at, "
            "deadline, escalated, fell_back) "
            f"SELECT '{TENANT}', {request}, {request}, 1, {stage}, '{settings}', '[]', {ago}, "
            f"{ago} + {DAY}, {no}, {no} FROM {series} AS x"
        ),
        (
            "INSERT INTO approval_reviewers (tenant_id, reviewer, approval_id) "
            f"SELECT '{TENANT}', {key(1, 'n % 10', d)}, {request} FROM {series} AS x WHERE {live}"
        ),
        (
            "INSERT INTO approval_decisions (tenant_id, stage_id, reviewer_id, approval_id, verdict, justification, "
            f"at, right_of) SELECT '{TENANT}', {request}, {key(1, 'n % 10', d)}, {request}, 'Approve', 'ok', {ago}, "
            f"{key(1, 'n % 10', d)} FROM {series} AS x WHERE NOT {live}"
        ),
        (
            "INSERT INTO audit_events (tenant_id, id, at, activity, category, result, reason, actor_id, actor_kind, "
            "actor_name, amr, correlation_id, targets, details, on_behalf_of_id, on_behalf_of_name, ticket_number, "
            "ticket_system, request_id, policy_version, mac) "
            f"SELECT '{TENANT}', {key(5, 'n', d)}, {ago}, 'Activity ' || (n % 40), 'RoleManagement', 'success', '', "
            f"{person('n', d)}, 'user', 'x', '[]', {request}, '[]', '[]', '', '', '', '', '', '', {mac} "
            f"FROM {series} AS x"
        ),
        (
            "INSERT INTO audit_targets (tenant_id, target_id, at, event_id) "
            f"SELECT '{TENANT}', {person('n + 7', d)}, {ago}, {key(5, 'n', d)} FROM {series} AS x"
        ),
        (
            "INSERT INTO audit_targets (tenant_id, target_id, at, event_id) "
            f"SELECT '{TENANT}', {key(9, 'n % 100', d)}, {ago}, {key(5, 'n', d)} FROM {series} AS x"
        ),
        (
            "INSERT INTO outbox (id, tenant_id, topic, key, payload, created_at, due_at, attempt, done_at) "
            f"SELECT {key(6, 'n', d)}, '{TENANT}', 'settle', {request}, '{{}}', {ago}, "
            f"CASE WHEN {live} THEN {ago} END, 1, {ago} FROM {series} AS x"
        ),
    ]
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO tenants (id, name, domain, created_at) VALUES "
            f"('{TENANT}', 'big', 'big.test', {MICROS})"
        )
        for statement in statements:
            connection.exec_driver_sql(statement.replace("%", "%%") if d != "sqlite" else statement)
        write_statistics(connection)
    if d == "postgresql":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    filling = Database(database_url)
    try:
        fill(filling)
    finally:
        filling.close()
    database = Database(database_url)  # one that knows the statistics
    yield database
    database.close()


P = guid(1, 77)
ROLE = guid(9, 7)
NEWEST = (Order("created_at", descending=True),)
ENDED = (Order("ends_at", descending=True), Order("id"))
OVER = AnyOf("status", ("Provisioned", "Expired", "Revoked"))
LATER = base64.urlsafe_b64encode(f'[{MICROS - 20 * DAY},"{guid(2, 5)}"]'.encode()).decode().rstrip("=")
MONTH = (NOW - timedelta(days=30), NOW)
LATEST = (Order("at", descending=True),)


def page(kind: Kind, query: Query, **more: Any) -> Callable[[Any], Any]:
    return lambda tx: tx.schedules.page(DIRECTORY, kind, query, **more)


def requests(kind: Kind, query: Query, **more: Any) -> Callable[[Any], Any]:
    return lambda tx: tx.requests.page(DIRECTORY, kind, query, **more)


def held(about: About) -> Callable[[Any], Any]:
    return lambda tx: tx.timelines.held(about, *MONTH, NOW, look=200, most=25)


def audit(query: Query) -> Callable[[Any], Any]:
    return lambda tx: tx.audit.page(query)


MINE = Compare("concerns", "eq", P)
QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "eligible instances": page(E, Query(), in_force_at=NOW),
    "eligible schedules": page(E, Query(), live_at=NOW),
    "eligible instances, page 900": page(
        E, Query(after="WyIwMDAwMDAwMi0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMTVmOTAiXQ"), in_force_at=NOW
    ),
    "active instances": page(A, Query(), in_force_at=NOW),
    "active schedules": page(A, Query(), live_at=NOW),
    "active instances of a role": page(A, Query(Compare("role_id", "eq", ROLE)), in_force_at=NOW),
    "eligible instances of a role": page(E, Query(Compare("role_id", "eq", ROLE)), in_force_at=NOW),
    "eligible schedules of a role": page(E, Query(Compare("role_id", "eq", ROLE)), live_at=NOW),
    "eligible schedules of a scope": page(E, Query(Compare("scope", "eq", "/x")), live_at=NOW),
    "instances of a person": page(A, Query(Compare("principal_id", "eq", P)), in_force_at=NOW),
    "schedules of a person": page(E, Query(Compare("principal_id", "eq", P)), live_at=NOW),
    "schedules of a person and a role": page(
        E, Query(All((Compare("principal_id", "eq", P), Compare("role_id", "eq", ROLE)))), live_at=NOW
    ),
    "my instances": page(A, Query(), in_force_at=NOW, principal_ids=[P, guid(1, 9), guid(1, 10)]),
    "eligibilities that have ended": page(E, Query(OVER, order=ENDED), ended=MONTH),
    "assignments that have ended": page(A, Query(OVER, order=ENDED), ended=MONTH),
    "eligibilities that have ended, page 3": page(E, Query(OVER, order=ENDED, after=LATER), ended=MONTH),
    "assignments that have ended, page 3": page(A, Query(OVER, order=ENDED, after=LATER), ended=MONTH),
    "my eligibilities": page(E, Query(), live_at=NOW, principal_ids=[P, guid(1, 9), guid(1, 10)]),
    "schedules by id": page(E, Query(AnyOf("id", (guid(2, 5), guid(2, 6)))), live_at=NOW),
    "schedules of a request": page(A, Query(Compare("request_id", "eq", guid(3, 5))), live_at=NOW),
    "schedules that rest on one": page(A, Query(Compare("linked_id", "eq", guid(2, 5))), live_at=NOW),
    "one schedule": lambda tx: tx.schedules.get(guid(3, 50_000)),
    "of a person": lambda tx: tx.schedules.of([P], provider=DIRECTORY, kind=A, live_at=NOW),
    "eligibilities of a person for a role": lambda tx: tx.schedules.of(
        [P, guid(1, 9)], provider=DIRECTORY, kind=E, role_id=ROLE, scopes=["/"], live_at=NOW
    ),
    "holders of a role": lambda tx: tx.schedules.of_role(DIRECTORY, A, ROLE, "/", now=NOW),
    "live of a person": lambda tx: tx.schedules.live([P, guid(1, 9)], NOW),
    "ended of a person": lambda tx: tx.schedules.ended(P, NOW, 200),
    "last activations of several": lambda tx: tx.schedules.last_activations(
        [(guid(1, number), DIRECTORY, ROLE, "/") for number in range(20)], 6
    ),
    "timeline of a person": held(About(holders=(P, guid(1, 9)))),
    "timeline of a role": held(About(DIRECTORY, role_id=ROLE)),
    "timeline of a scope": held(About(DIRECTORY, scope="/x")),
    "timeline of the tenant": held(About(DIRECTORY, scope="/", everywhere=True)),
    "timeline of a role, one's own part": held(About(DIRECTORY, role_id=ROLE, holders=(P,))),
    "resting on": lambda tx: tx.schedules.resting_on(guid(2, 50), NOW),
    "due to start": lambda tx: tx.schedules.due_to_start(NOW, 100),
    "due to end": lambda tx: tx.schedules.due_to_end(NOW + timedelta(days=1), 100),
    "requests": requests(A, Query()),
    "requests, newest first": requests(A, Query(order=NEWEST)),
    "requests of a status": requests(A, Query(Compare("status", "eq", "PendingApproval"))),
    "requests of a status, newest first": requests(
        A, Query(Compare("status", "eq", "PendingApproval"), order=NEWEST)
    ),
    "requests of a person": requests(A, Query(Compare("principal_id", "eq", P), order=NEWEST)),
    "requests of a person, by id": requests(A, Query(Compare("principal_id", "eq", P))),
    "pending requests of a person": requests(
        A, Query(All((Compare("principal_id", "eq", P), Compare("status", "eq", "PendingApproval"))))
    ),
    "requests that somebody made": requests(A, Query(Compare("created_by", "eq", P))),
    "requests of a role": requests(A, Query(Compare("role_id", "eq", ROLE), order=NEWEST)),
    "requests waiting for me": requests(A, Query(), ids=[guid(3, n) for n in range(20)]),
    "one request": lambda tx: tx.requests.get(guid(3, 50_000)),
    "open requests": lambda tx: tx.requests.open_of(P, kind=A, provider=DIRECTORY, role_id=ROLE, scope="/"),
    "reasons of a person": lambda tx: tx.requests.reasons(P, 100),
    "requests that an administrator must decide": lambda tx: tx.requests.to_decide(
        [guid(1, number) for number in range(20)], DIRECTORY, A
    ),
    "requests of a schedule": lambda tx: tx.requests.of_schedule(guid(3, 50_000)),
    "started requests": lambda tx: tx.requests.started(NOW, 100),
    "an approval": lambda tx: tx.approvals.get(guid(3, 50_000)),
    "waiting for me": lambda tx: tx.approvals.waiting_for([guid(1, 3), guid(1, 4)]),
    "approvals that are due": lambda tx: tx.approvals.due(NOW + timedelta(days=1), 100),
    "open approvals": lambda tx: tx.approvals.open_ids(guid(3, 3), 100),
    "delegators": lambda tx: tx.approvals.delegators_of(P, NOW),
    "history": audit(Query(order=LATEST)),
    "history, oldest first": audit(Query(order=(Order("at"),))),
    "history of a week": audit(Query(Compare("at", "ge", NOW - timedelta(days=7)), order=LATEST)),
    "history of somebody's acts": audit(Query(Compare("actor_id", "eq", P), order=LATEST)),
    "history of a person": audit(Query(Compare("target_id", "eq", P), order=LATEST)),
    "history of an activity": audit(Query(Compare("activity", "eq", "Activity 7"), order=LATEST)),
    "history of an activity in a week": audit(
        Query(
            All((Compare("activity", "eq", "Activity 7"), Compare("at", "ge", NOW - timedelta(days=7)))),
            order=LATEST,
        )
    ),
    "history of a category": audit(Query(Compare("category", "eq", "RoleManagement"), order=LATEST)),
    "history of a request": audit(Query(Compare("correlation_id", "eq", guid(3, 5)), order=LATEST)),
    "my history": audit(Query(MINE, order=LATEST)),
    "my history of a week": audit(
        Query(All((MINE, Compare("at", "ge", NOW - timedelta(days=7)))), order=LATEST)
    ),
    "one event": lambda tx: tx.audit.get(guid(5, 50_000)),
    "outbox": lambda tx: tx.outbox.claim("settle", guid(2, 5), NOW, NOW, 50),
    "outbox, by the key": lambda tx: tx.outbox.due_keys("settle", NOW, 50),
}
# What a page of a hundred may cost: rows touched, and steps of SQLite's machine (some dozens for a row of so many
# columns). A scan costs a hundred thousand and some millions.
MOST_ROWS = 3_000
MOST_STEPS = 120_000


class UndoError(Exception):
    pass


def asked(database: Database, question: Callable[[Any], Any]) -> list[Statement]:
    """Every statement the question makes. It runs on the writing connection and is undone."""

    def work(tx: Any) -> None:
        question(tx)
        raise UndoError

    with noted(database) as found, pytest.raises(UndoError):
        database.write(TENANT, work)
    assert found
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_flat(database: Database) -> None:
    """All questions in one test: to fill the tables takes longer than to ask."""
    bad = []
    most = MOST_STEPS if database.dialect == "sqlite" else MOST_ROWS
    for name, question in QUESTIONS.items():
        for statement, parameters in asked(database, question):
            seen = look(database, statement, parameters, BIG)
            if seen.scan or seen.work > most:
                bad.append(f"{name}: {seen.work} of at most {most}, {seen.scan}\n{statement}\n{seen.plan}")
    assert not bad, "\n\n".join(bad)
