"""A tree as large as they come, written straight into the tables: by the acts it would take an hour.

    fill(database, tenant_id, parent, range(5_000), now)      subscriptions, each with a resource group and VMS machines
    grant(database, tenant_id, rows)                          eligibilities and assignments in it

Used by the tests and by the benchmarks.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from openpim.core.grants import AssignmentType, Kind, Provider, Window
from openpim.store.database import Database
from openpim.store.schedules import schedules
from openpim.store.windows import window_text

VMS = 40  # in each subscription
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def guid(kind: int, number: int) -> str:
    """Begins with what no world's own ids do: those count worlds."""
    return f"f{kind:07x}-0000-4000-8000-{number:012x}"


def subscription(number: int) -> str:
    """The id (and the path) of the subscription of this number."""
    return f"/subscriptions/{guid(0xB16, number)}"


def machine(number: int, vm: int) -> str:
    return f"{subscription(number)}/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm{vm}"


def fill(database: Database, tenant_id: str, parent: str, numbers: range, now: datetime) -> None:
    """Subscriptions of these numbers, directly below `parent`, with a resource group and VMS machines each."""
    micros = (now - _EPOCH) // timedelta(microseconds=1)
    sqlite = database.dialect == "sqlite"

    def series(name: str, start: int, stop: int) -> str:
        if not sqlite:
            return f"generate_series({start}, {stop - 1}) AS {name}({name})"
        steps = f"SELECT {start} AS {name} UNION ALL SELECT {name} + 1 FROM s WHERE {name} < {stop - 1}"
        return f"(WITH RECURSIVE s AS ({steps}) SELECT {name} FROM s) AS {name}"

    number = "printf('%012x', n)" if sqlite else "lpad(to_hex(n), 12, '0')"
    top = f"'/subscriptions/{guid(0xB16, 0)[:24]}' || {number}"
    group = f"{top} || '/resourceGroups/rg'"
    vm = f"{group} || '/providers/Microsoft.Compute/virtualMachines/vm' || m"
    each = series("n", numbers.start, numbers.stop)
    fields = "tenant_id, id, path, parent_id, kind, type, name, display_name, location, tags, created_at"
    with database.engine.begin() as connection:
        for path, above, kind, type_, name, source in (
            (top, f"'{parent}'", "subscription", "Microsoft.Resources/subscriptions", number, each),
            (group, top, "resourcegroup", "Microsoft.Resources/resourceGroups", "'rg'", each),
            (
                vm,
                f"lower({group})",
                "resource",
                "Microsoft.Compute/virtualMachines",
                "'vm' || m",
                f"{each} CROSS JOIN {series('m', 0, VMS)}",
            ),
        ):
            connection.exec_driver_sql(
                f"INSERT INTO resources ({fields}) SELECT '{tenant_id}', lower({path}), {path}, {above}, '{kind}', "
                f"'{type_}', {name}, {name}, 'westeurope', '[]', {micros} FROM {source}"
            )


def grant(
    database: Database,
    tenant_id: str,
    rows: Iterable[tuple[str, str, str]],
    now: datetime,
    *,
    kind: Kind = Kind.ELIGIBILITY,
    first: int = 0,
) -> None:
    """rows: (principal, role, scope), permanent. first: what their ids count from."""
    given = [
        {
            "tenant_id": tenant_id, "id": guid(0x5C, first + number), "kind": kind.value,
            "provider": Provider.RESOURCE.value, "principal_id": who, "role_id": role, "scope": scope,
            "starts_at": now, "ends_at": None, "status": "Provisioned",
            "assignment_type": AssignmentType.ASSIGNED.value if kind is Kind.ASSIGNMENT else None,
            "created_at": now, "modified_at": None, "request_id": guid(0x5D, first + number), "linked_id": None,
            "window": window_text(Window()),
        }
        for number, (who, role, scope) in enumerate(rows)
    ]  # fmt: skip
    with database.engine.begin() as connection:
        connection.execute(insert(schedules), given)


def settle(database: Database) -> None:
    """What a database does by itself in time."""
    if database.dialect == "postgresql":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
