"""Organisations to measure in: any number of people, each with roles to activate, and tokens for them.

People are written straight into the tables: through the acts a million of them would take an hour.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from openpim.app import System, clock, make_system
from openpim.config import Config
from openpim.core.directory import Tenant
from openpim.core.grants import UNBOUNDED, Provider
from openpim.core.policy import ApprovalSettings, Policy, Reviewers, Stage
from openpim.data import entra_roles
from openpim.services.providers import PROVIDERS
from openpim.services.signin.context import issuer
from openpim.store.groups import groups
from openpim.store.memberships import group_members
from openpim.store.principals import principals
from openpim.store.schedules import schedules
from openpim.store.users import users
from openpim.store.windows import window_text

TENANT = "7e000000-0000-4000-8000-000000000000"
PIM = "8f0b7a52-3c1d-4e6f-9a27-5d2c1b8e4f10"
_CHUNK = 20_000
_DOMAIN = "bench.example"
_schedules = itertools.count()


def role_ids() -> list[str]:
    """The roles people may activate; the last one needs an approval."""
    return sorted(role.id for role in entra_roles() if role.assignable)[:101]


def person(number: int) -> str:
    return str(uuid.UUID(int=(0xBEEF << 108) | 0x4000_8000_0000_0000_0000 | number))


def group(number: int) -> str:
    return str(uuid.UUID(int=(0xFEED << 108) | 0x4000_8000_0000_0000_0000 | number))


@dataclass
class Organisation:
    """People 0…n-1. Each is eligible for `each` roles (the first ones) and, by a group of fifty, for one more."""

    system: System
    people: int
    each: int

    def roles(self) -> list[str]:
        return role_ids()[: self.each]

    @property
    def approval_role(self) -> str:
        return role_ids()[-1]

    def token(self, number: int, *, arm: bool = False) -> str:
        """An access token as `pim login` gets one, good for some hours. arm: for the resource manager."""
        signin, now = self.system.signin, int(clock().timestamp())
        origin = signin.settings.origin
        audience = signin.settings.arm_origin if arm else origin
        claims: dict[str, Any] = {
            "iss": issuer(origin, TENANT), "aud": audience, "iat": now, "nbf": now, "exp": now + 6 * 3600,
            "tid": TENANT, "appid": PIM, "azp": PIM, "jti": str(uuid.uuid4()), "ver": "2.0",
            "sub": person(number), "oid": person(number), "scp": "user_impersonation",
            "upn": f"person{number}@{_DOMAIN}", "name": f"Person {number}", "amr": ["pwd", "otp", "mfa"],
            "acr": "1", "auth_time": now, "idtyp": "user", "sid": str(uuid.uuid4()), "gid": str(uuid.uuid4()),
            "wids": [],
        }  # fmt: skip
        return signin.tokens.sign(claims, "at+jwt")


def make_organisation(config: Config, people: int, *, each: int, approvers: int = 0) -> Organisation:
    """Migrate the database and fill it. approvers: how many people, counted from the last, decide requests."""
    system = make_system(replace(config, run_workers=False))
    now = clock() - timedelta(days=1)
    system.database.write("", lambda tx: tx.tenants.add(Tenant(TENANT, "Bench", _DOMAIN, now, (_DOMAIN,))))
    made = Organisation(system, people, each)
    _people(made, now)
    deciders = tuple(person(people - 1 - number) for number in range(approvers))
    system.database.write(TENANT, lambda tx: _policies(made, tx, deciders))
    _analyze(system)
    return made


def config_in(folder: Path, url: str = "") -> Config:
    """A configuration of its own in a folder, without workers: their share of the work is not the request's."""
    return Config(data_dir=folder, database_url=url, run_workers=False)


def _policies(made: Organisation, tx: Any, deciders: Sequence[str]) -> None:
    """Stored ones, as in an organisation that has been looked after."""
    for role in made.roles():
        tx.policies.put(
            Provider.DIRECTORY, Policy(PROVIDERS[Provider.DIRECTORY].policy_id(TENANT, role, "/"), role)
        )
    if deciders:
        role = made.approval_role
        stage = Stage(primary=Reviewers(users=tuple(deciders)))
        approval = ApprovalSettings(required=True, stages=(stage,))
        tx.policies.put(
            Provider.DIRECTORY,
            Policy(PROVIDERS[Provider.DIRECTORY].policy_id(TENANT, role, "/"), role, approval=approval),
        )


def _people(made: Organisation, now: datetime) -> None:
    rows: dict[Any, list[dict[str, Any]]] = {
        principals: [],
        users: [],
        schedules: [],
        group_members: [],
        groups: [],
    }
    chosen = [*made.roles(), made.approval_role]
    # The one role that everybody's group brings; of no interest but to be found.
    shared = role_ids()[-2]
    for number in range(made.people):
        _add_person(rows, number, now)
        rows[schedules] += [_eligibility(person(number), role, now) for role in chosen]
        if number % 50 == 0:
            _add_group(rows, number // 50, now)
            rows[schedules].append(_eligibility(group(number // 50), shared, now))
        rows[group_members].append(
            {
                "tenant_id": TENANT,
                "group_id": group(number // 50),
                "member_id": person(number),
                "member_kind": "user",
            }
        )
        if (number + 1) % _CHUNK == 0:
            _flush(made.system, rows)
    _flush(made.system, rows)


def _flush(system: System, rows: dict[Any, list[dict[str, Any]]]) -> None:
    with system.database.engine.begin() as connection:
        if system.database.dialect == "sqlite":
            connection.exec_driver_sql("PRAGMA cache_size=-400000")
        for table, waiting in rows.items():
            for part in _parts(waiting):
                connection.execute(insert(table), part)
            waiting.clear()


def _parts(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


def _principal(id: str, kind: str, name: str, now: datetime) -> dict[str, Any]:
    return {
        "tenant_id": TENANT, "id": id, "kind": kind, "display_name": name, "name_key": name.lower(),
        "enabled": True, "created_at": now, "deleted_at": None,
    }  # fmt: skip


def _add_person(rows: dict[Any, list[dict[str, Any]]], number: int, now: datetime) -> None:
    upn = f"person{number}@{_DOMAIN}"
    rows[principals].append(_principal(person(number), "user", f"Person {number}", now))
    rows[users].append(
        {
            "tenant_id": TENANT, "id": person(number), "user_principal_name": upn, "upn_key": upn,
            "user_type": "Member", "mail": upn, "mail_key": upn,
        }
    )  # fmt: skip


def _add_group(rows: dict[Any, list[dict[str, Any]]], number: int, now: datetime) -> None:
    rows[principals].append(_principal(group(number), "group", f"Group {number}", now))
    rows[groups].append(
        {
            "tenant_id": TENANT, "id": group(number), "description": None, "mail_nickname": None,
            "role_assignable": True, "membership_rule": None, "synced": False, "security_enabled": True,
        }
    )  # fmt: skip


def _eligibility(principal: str, role: str, now: datetime) -> dict[str, Any]:
    # Ids that grow: a million at random take an index minutes.
    made = str(uuid.UUID(int=(0xCAFE << 108) | 0x4000_8000_0000_0000_0000 | next(_schedules)))
    return {
        "tenant_id": TENANT, "id": made, "kind": "eligibility", "provider": "directory",
        "principal_id": principal, "role_id": role, "scope": "/", "starts_at": now, "ends_at": None,
        "status": "Provisioned", "assignment_type": None, "created_at": now, "modified_at": None,
        "request_id": made, "linked_id": None, "window": window_text(UNBOUNDED),
    }  # fmt: skip


def _analyze(system: System) -> None:
    """What the database would do by itself in time: statistics for its planner."""
    with system.database.reading_engine.connect() as connection:
        if system.database.dialect == "postgresql":
            connection.exec_driver_sql("ANALYZE")
