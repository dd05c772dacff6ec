"""Signs checkpoints of the audit log at a fixed rhythm, and refuses when the log is not what was signed before.

A checkpoint that was given away binds us: whoever has it sees whether the log still begins with what it was then. So
nothing is signed that contradicts the last one; the log goes on growing, and an alarm says what is wrong.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from openpim.core.audit import Target, moment
from openpim.core.caller import system
from openpim.core.checkpoints import LogKey, SignedCheckpoint, due, key_due, origin_of
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.proof.merkle import Tree, TreeError
from openpim.proof.note import Checkpoint, Key, NoteError, chain, endorsement, opened, signed
from openpim.services.recording import record
from openpim.services.sealing import b64, unb64

_log = logging.getLogger(__name__)
PURPOSE: Final = "audit-log-key"
REFUSED: Final = "Audit checkpoint refused"
RESUMED: Final = "Audit checkpoints resumed"
DAMAGED: Final = "the hashes of the log are damaged: nothing is added or signed until they are mended"
NEXT_KEY: Final = "Change audit log key"


class _Refused(Exception):  # noqa: N818 - never leaves this file
    """Why nothing can be signed."""


def tree_of(tx: Transaction, size: int | None = None) -> Tree:
    """The tenant's hash tree as it is kept."""
    return Tree(tx.audit_log.size() if size is None else size, tx.audit_log.tile)


def sign_due(deps: Deps, tenant_id: str) -> SignedCheckpoint | None:
    """Sign the next checkpoint when it is time. Returns it, None when it is not time or the log does not fit."""
    now = deps.clock()
    rhythm = timedelta(minutes=deps.settings.audit_checkpoint_minutes)

    def is_due(tx: Transaction) -> bool:
        return due(tx.checkpoints.last(), tx.audit_log.size(), now, rhythm)

    def work(tx: Transaction) -> SignedCheckpoint | None:
        size = tx.audit_log.lock()
        if not is_due(tx):
            return None
        try:
            made = _made(tx, deps, size, now)
        except TreeError:
            tell_fault(tx, deps, DAMAGED, now)
            return None
        except (_Refused, NoteError) as error:
            tell_fault(tx, deps, str(error), now)
            return None
        tell_fault(tx, deps, "", now)
        tx.checkpoints.add(made)
        return made

    if not deps.store.read(tenant_id, is_due):
        return None
    return deps.store.write(tenant_id, work)


def _made(tx: Transaction, deps: Deps, size: int, now: datetime) -> SignedCheckpoint:
    tree = tree_of(tx, size)
    keys = tx.checkpoints.log_keys()
    last = tx.checkpoints.last()
    if last is not None:
        _agree(last, keys, tree)
    key = _key(tx, deps, keys, now)
    root = tree.root()
    private = _private(deps, key)
    public = Key.parse(key.key)
    note = signed(Checkpoint(public.name, size, root, moment(now)).text, public, private.sign)
    return SignedCheckpoint(0 if last is None else last.number + 1, size, now, note)


def _agree(last: SignedCheckpoint, keys: list[LogKey], tree: Tree) -> None:
    """The last checkpoint is ours, and the log begins with what it says."""
    if not keys:
        raise _Refused("the keys of the log are gone")
    trusted = chain(Key.parse(keys[0].key), [(one.key, one.endorsement) for one in keys])
    text, _ = opened(last.note, trusted[::-1])
    said = Checkpoint.parse(text)
    if said.size != last.size or said.at != moment(last.at):
        raise _Refused(f"the record of checkpoint {last.number} was changed")
    if tree.size < said.size:
        raise _Refused(f"checkpoint {last.number} had {said.size} events, and the log has fewer")
    if tree.root(said.size) != said.root:
        raise _Refused(f"the log does not begin with what checkpoint {last.number} signed")


def _private(deps: Deps, key: LogKey) -> Ed25519PrivateKey:
    plain = deps.sealer.unseal(PURPOSE, key.sealed)
    seed = unb64(plain) if plain is not None else None
    if seed is None:
        raise _Refused("the key of the log was sealed with another key file")
    private = Ed25519PrivateKey.from_private_bytes(seed)
    if private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw) != Key.parse(key.key).public:
        raise _Refused("the key of the log is not the one that was made")
    return private


def _key(tx: Transaction, deps: Deps, keys: list[LogKey], now: datetime) -> LogKey:
    """The key that signs now; the next one is made when it is time, and the one before vouches for it."""
    if not key_due(keys, now, timedelta(days=deps.settings.audit_key_days)):
        return keys[-1]
    if not keys and tx.checkpoints.last() is not None:
        raise _Refused("the keys of the log are gone")
    seed = hashlib.sha256(deps.secret(32).encode()).digest()
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = Key(origin_of(tx.tenant_id), private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    vouched = ""
    if keys:
        vouched = signed(endorsement(public), Key.parse(keys[-1].key), _private(deps, keys[-1]).sign)
    made = LogKey(
        generation=keys[-1].generation + 1 if keys else 0,
        key=public.text,
        sealed=deps.sealer.seal(PURPOSE, b64(seed)),
        endorsement=vouched,
        created_at=now,
    )
    tx.checkpoints.add_key(made)
    before = keys[-1].key if keys else None
    targets = (Target("AuditLog", tx.tenant_id, public.name, (("Key", before, public.text),)),)
    record(
        tx,
        deps,
        system(tx.tenant_id),
        now,
        activity=NEXT_KEY,
        category="DirectoryManagement",
        targets=targets,
    )
    return made


def tell_fault(tx: Transaction, deps: Deps, fault: str, now: datetime) -> None:
    """An alarm when signing stops, an event when it goes on."""
    if fault == tx.checkpoints.fault():
        return
    tx.checkpoints.set_fault(fault)
    if fault:
        _log.error("no checkpoint of the audit log of %s is signed: %s", tx.tenant_id, fault)
    record(
        tx, deps, system(tx.tenant_id), now,
        activity=REFUSED if fault else RESUMED, category="DirectoryManagement",
        targets=(Target("AuditLog", tx.tenant_id, origin_of(tx.tenant_id)),),
        result="failure" if fault else "success", reason=fault,
    )  # fmt: skip
