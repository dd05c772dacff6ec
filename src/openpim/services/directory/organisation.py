"""The organisation as its people look at it: its size, the keys that sign its tokens, the security settings in force.

Name, domains and addresses are for everybody in it; how many they are is not for guests; keys and settings of the server
are for those who may read roles.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from openpim.core.caller import Caller
from openpim.core.directory import Tenant
from openpim.core.refusals import Refusal
from openpim.core.roles import READERS
from openpim.core.settings import Settings
from openpim.core.signin.lifetimes import published, signer
from openpim.core.signin.values import SigningKey
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.ports.tallies import People
from openpim.services.browse import shut
from openpim.services.directory.performing import not_found
from openpim.services.directory.rights import APPLICATION_MANAGERS, rights_of

MOST = 5_000  # people that are counted


@dataclass(frozen=True, slots=True)
class KeyView:
    """signs: this one signs now. Before active_at it is only published; after ends_at (None: not known yet) it counts no
    more."""

    kid: str
    active_at: datetime
    ends_at: datetime | None
    signs: bool


@dataclass(frozen=True, slots=True)
class Server:
    """keys: newest first. rotates_at: when another key signs; None where none has signed yet."""

    keys: tuple[KeyView, ...]
    rotates_at: datetime | None
    settings: Settings


@dataclass(frozen=True, slots=True)
class Organisation:
    """people: None for guests. server: None for those who may not read roles."""

    tenant: Tenant
    people: People | None
    server: Server | None


def look(deps: Deps, caller: Caller) -> Organisation | Refusal:
    """The caller's own."""

    def work(tx: Transaction) -> Organisation | Refusal:
        tenant = tx.tenants.current()
        if tenant is None:
            return not_found("tenant", caller.tenant_id)
        people = None if shut(tx, caller, now) is not None else tx.tallies.people(MOST)
        reads = rights_of(tx, caller, now).any(READERS | APPLICATION_MANAGERS)
        return Organisation(tenant, people, _server(tx.signing_keys.all(), deps, now) if reads else None)

    now = deps.clock()
    return deps.store.read(caller.tenant_id, work)


def _server(keys: list[SigningKey], deps: Deps, now: datetime) -> Server:
    present = signer(keys, now)
    ahead = [one.active_at for one in keys if one.active_at > now]
    rotates = min(ahead, default=None)
    if rotates is None and present is not None:
        rotates = present.active_at + timedelta(days=deps.settings.signing_key_days)
    shown = tuple(
        KeyView(one.kid, one.active_at, one.expires_at, signs=present is not None and one.kid == present.kid)
        for one in published(keys, now)
    )
    return Server(shown, rotates, deps.settings)
