"""Checkpoints in a folder, one file for each tenant: best on a disk that the database's administrator cannot write to."""

from __future__ import annotations

import json
import os
from pathlib import Path

from openpim.core.checkpoints import SignedCheckpoint
from openpim.ports.witness import WitnessError
from openpim.proof.note import Checkpoint, NoteError

_TAIL = 16 * 1024  # more than two lines


class WitnessFolder:
    """See ports/witness.py. A line is {"checkpoint": number, "note": signed text}, the newest last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, tenant_id: str, checkpoint: SignedCheckpoint) -> None:
        path = self._folder / f"{tenant_id}.jsonl"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with path.open("a+b") as file:
                last = _last(file.seek(0, os.SEEK_END), path)
                if last is not None and not _follows(last, checkpoint):
                    return
                line = {"checkpoint": checkpoint.number, "note": checkpoint.note}
                file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            msg = f"the folder for checkpoints cannot be written: {error.strerror}"
            raise WitnessError(msg) from error


def _last(size: int, path: Path) -> tuple[int, str] | None:
    """Number and note of the newest line that is whole."""
    with path.open("rb") as file:
        file.seek(max(0, size - _TAIL))
        lines = file.read().split(b"\n")[:-1]
    for line in reversed(lines):
        try:
            row = json.loads(line)
            return int(row["checkpoint"]), str(row["note"])
        except (ValueError, KeyError, TypeError):
            continue
    return None


def _follows(last: tuple[int, str], checkpoint: SignedCheckpoint) -> bool:
    """Whether it comes after the last one; False when it is there already. Raises WitnessError when it contradicts."""
    number, note = last
    if checkpoint.number == number and checkpoint.note == note:
        return False
    try:
        old, new = (Checkpoint.parse(one.rpartition("\n\n")[0] + "\n") for one in (note, checkpoint.note))
    except NoteError:
        raise WitnessError("what was kept before is no checkpoint") from None
    if checkpoint.number <= number or new.size < old.size:
        msg = f"checkpoint {number} was kept with {old.size} events, and now comes {checkpoint.number} with {new.size}: the log was set back"
        raise WitnessError(msg)
    return True
