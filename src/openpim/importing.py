"""`pim serve import-resources FILE`: the resource tree from a file, run beside the server or before its first start.

It works on the database itself, with no account: who can read the server's key and database may do so. What it does
is one unit of work, and on record with the name of the operating system's user and the file's digest.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from openpim.config import Config, ConfigError
from openpim.core import caller as callers
from openpim.core.directory import Tenant
from openpim.core.refusals import Refusal
from openpim.core.resource_plan import Fault, Plan
from openpim.core.resources import Resource, ResourceKind
from openpim.ports.deps import Deps
from openpim.ports.store import StoreUnavailableError
from openpim.resource_file import ResourceFile, read_resources
from openpim.services.resources.importing import Ended, Faulty, Imported, import_tree

NAME = "import-resources"
_KINDS = {
    ResourceKind.MANAGEMENT_GROUP: "management group",
    ResourceKind.SUBSCRIPTION: "subscription",
    ResourceKind.RESOURCE_GROUP: "resource group",
    ResourceKind.RESOURCE: "resource",
}


def run(
    argv: Sequence[str], configured: Callable[[argparse.Namespace], Config], opened: Callable[[Config], Deps]
) -> int:
    """The exit code: 0 done (or nothing to do), 2 the command, the settings or the file are wrong; nothing was done."""
    options = _options(argv)
    try:
        config = configured(options)
        read = _file(options.file)
        _there(config)
        deps = opened(config)
        tenant = _tenant(deps, config, options.tenant)
        details = (("File", str(options.file)), ("FileSha256", read.digest), ("OperatingSystemUser", _user()))
        done: Imported | Faulty | Refusal
        done = import_tree(
            deps,
            callers.system(tenant.id),
            read.lines,
            prune=options.prune,
            dry_run=options.dry_run or bool(read.faults),
            details=details,
        )
    except (ConfigError, StoreUnavailableError) as error:
        _complain(str(error))
        return 2
    faults = [*read.faults, *(done.faults if isinstance(done, Faulty) else ())]
    if faults:
        return _refuse(options.file, faults, unread=bool(read.faults))
    if isinstance(done, Refusal):
        _complain(f"{done.message} Nothing was changed.")
        return 2
    assert isinstance(done, Imported)  # noqa: S101 - all else was returned above
    for line in _report(done, tenant, dry_run=options.dry_run):
        print(line)  # noqa: T201 - this is the command's own output
    return 0


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"pim serve {NAME}",
        description="Make the resource tree, or bring it up to date, from a file (JSON Lines, one place a line).",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the file; - reads the standard input")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the server's settings, in TOML")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="where the server's data lives")
    parser.add_argument("--tenant", help="the organisation's domain or id, where there are several")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, and change nothing")
    parser.add_argument("--prune", action="store_true", help="delete what the file does not mention")
    parser.set_defaults(host=None, port=None)
    return parser.parse_args(list(argv))


def _file(path: Path) -> ResourceFile:
    if str(path) == "-":
        return read_resources(sys.stdin.buffer)
    try:
        with path.open("rb") as stream:
            return read_resources(stream)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise ConfigError(msg) from None


def _there(config: Config) -> None:
    """A wrong folder must not be taken for a new server."""
    if config.database.startswith("sqlite:///"):
        file = Path(config.database.removeprefix("sqlite:///"))
        if not file.exists():
            msg = f"there is no database {file}: say where with --config or --data-dir, or start the server once first"
            raise ConfigError(msg)


def _tenant(deps: Deps, config: Config, wanted: str | None) -> Tenant:
    tenants = deps.store.read("", lambda tx: tx.tenants.all())
    if not tenants:
        raise ConfigError("there is no organisation yet: start the server once first (pim serve)")
    if wanted is not None:
        found = [one for one in tenants if wanted.lower() in {one.id, one.domain}]
    elif len(tenants) == 1:
        found = list(tenants)
    else:
        found = [one for one in tenants if one.domain == config.organisation_domain.lower()]
    if len(found) != 1:
        there = ", ".join(sorted(one.domain for one in tenants))
        raise ConfigError(f"say which organisation with --tenant; there are: {there}")
    return found[0]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _complain(text: str) -> None:
    print(f"pim serve {NAME}: {text}", file=sys.stderr)  # noqa: T201 - this is the command's own output


def _refuse(file: Path, faults: Sequence[Fault], *, unread: bool) -> int:
    for fault in sorted(faults, key=lambda one: one.line):
        where = f"{file}:{fault.line}" if fault.line else f"{file}"
        print(f"{where}: {fault.message}", file=sys.stderr)  # noqa: T201
    count = f"{len(faults)} faults" if len(faults) > 1 else "one fault"
    more = " Lines that cannot be read count as not there." if unread and len(faults) > 1 else ""
    _complain(f"{count}; nothing was changed.{more}")
    return 2


def _report(done: Imported, tenant: Tenant, *, dry_run: bool) -> Iterator[str]:
    """Every place in a dry run; else only those that moved, got another name, or went; and how many of each."""
    plan = done.plan
    if dry_run:
        yield from (f"create  {_KINDS[one.kind]:16}  {one.path}" for one in plan.create)
        yield from (f"change  {_KINDS[one.old.kind]:16}  {one.old.path}" for one in plan.change)
    for one in plan.move:
        yield f"move    {_KINDS[one.old.kind]:16}  {_named(one.old)}: {one.old.parent_id} -> {one.new.parent_id}"
    for one in plan.rename:
        yield f"rename  {_KINDS[one.old.kind]:16}  {_named(one.old)} -> {one.new.display_name}"
    yield from (f"delete  {_KINDS[one.kind]:16}  {one.path}" for one in plan.delete)
    yield f"{tenant.domain}: {_counts(plan, dry_run=dry_run)}"
    ended = _ended(done.ended)
    if ended:
        yield f"{'Would end' if dry_run else 'Ended'} with it: {ended}"
    if dry_run:
        yield "Nothing was changed: this was a dry run."


def _named(one: Resource) -> str:
    return f"{one.path} ({one.display_name})" if one.display_name != one.name else one.path


def _counts(plan: Plan, *, dry_run: bool) -> str:
    counts = (
        ("to create" if dry_run else "created", len(plan.create)),
        ("to move" if dry_run else "moved", len(plan.move)),
        ("to rename" if dry_run else "renamed", len(plan.rename)),
        ("to change" if dry_run else "changed", len(plan.change)),
        ("to delete" if dry_run else "deleted", len(plan.delete)),
        ("as they are", plan.unchanged),
    )
    return ", ".join(f"{count} {word}" for word, count in counts if count) or "nothing to do"


def _ended(ended: Ended) -> str:
    counts = (
        ("eligible assignments", ended.eligibilities),
        ("active assignments", ended.assignments),
        ("open requests", ended.requests),
    )
    return ", ".join(f"{count} {word}" for word, count in counts if count)
