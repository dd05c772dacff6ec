"""What every act is given: the clock, ids, randomness, the store, the settings. Made once, in app.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from openpim.core.settings import Settings
from openpim.ports.channels import Chat
from openpim.ports.connector import Kinds, NoKinds
from openpim.ports.kept import Kept
from openpim.ports.outbound import Outbound
from openpim.ports.sealing import Sealer
from openpim.ports.store import Store


@dataclass(frozen=True, slots=True)
class Deps:
    """clock: aware UTC now. new_id: a fresh lower-case uuid4. secret(n): url-safe random text of n bytes.
    sealer: what only the key file opens. outbound: the one road to servers of others, never inside a unit of work. chat: on that road too. connectors: the kinds of targets.
    kept: what this process has worked out and can tell is still true."""

    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    secret: Callable[[int], str]
    store: Store
    sealer: Sealer
    outbound: Outbound
    chat: Chat
    settings: Settings
    connectors: Kinds = field(default_factory=NoKinds)
    kept: Kept = field(default_factory=Kept)
