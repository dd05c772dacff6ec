"""`pim serve verify-audit`: the audit histories of all tenants, checked in the database, beside the server or without it.

It needs no account: who can read the server's database may check it. It changes nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from openpim.config import Config, ConfigError
from openpim.ports.deps import Deps
from openpim.ports.store import StoreUnavailableError
from openpim.proof.history import History, UnreadableError
from openpim.services.audit_check import check

NAME = "verify-audit"
_SHOWN = 100
TAMPERED = 12


def run(
    argv: Sequence[str], configured: Callable[[argparse.Namespace], Config], opened: Callable[[Config], Deps]
) -> int:
    """The exit code: 0 all histories are whole, 2 it could not be checked, 12 one is not what was signed."""
    options = _options(argv)
    try:
        deps = opened(configured(options))
        tenants = deps.store.read("", lambda tx: tx.tenants.all())
        found = [_one(deps, tenant.id, tenant.name, options.slack_seconds) for tenant in tenants]
    except (ConfigError, StoreUnavailableError, UnreadableError) as error:
        print(f"pim serve {NAME}: {error}", file=sys.stderr)  # noqa: T201 - this is the command's own output
        return 2
    return max(found, default=0)


def _one(deps: Deps, tenant_id: str, name: str, slack: int) -> int:
    keys = deps.store.read(tenant_id, lambda tx: tx.checkpoints.log_keys())
    history = check(deps, tenant_id, History(trusted=keys[0].key if keys else "", slack=slack))
    lines = [f"{one.kind.upper()}: {one.text}" for one in history.findings[:_SHOWN]]
    more = len(history.findings) + history.more - len(lines)
    lines += [f"… and {more} more"] * (more > 0)
    if history.findings:
        lines.append(f"{name}: the audit history is NOT what was signed. Keep the database as evidence.")
    else:
        lines.append(
            f"{name}: whole, {history.events} events, {history.proved} of them proved by checkpoints"
            f"{f', {history.removed} more removed by retention' if history.removed else ''}"
        )
    print("\n".join(lines))  # noqa: T201 - this is the command's own output
    return TAMPERED if history.findings else 0


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"pim serve {NAME}", description="Check the audit histories in the database."
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the settings, in TOML")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="where the data lives")
    parser.add_argument(
        "--slack-seconds", type=int, default=300, metavar="N",
        help="how much older than the checkpoint before it an event may be (default: 300)",
    )  # fmt: skip
    parser.set_defaults(host=None, port=None)
    return parser.parse_args(list(argv))
