"""Key revocation lists in OpenSSH's binary form (PROTOCOL.krl in its sources), as far as we need it: serial numbers of
certificates, by the authority that signed them. Written here, because a server need not have ssh-keygen; read back by it in
the tests."""

from __future__ import annotations

import base64
import struct
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

_MAGIC: Final = 0x5353484B524C0A00  # "SSHKRL\n\0"
_FORMAT: Final = 1
_CERTIFICATES: Final = 1
_SERIAL_LIST: Final = 0x20
_SERIAL_RANGE: Final = 0x21


def write_krl(revoked: Mapping[str, Collection[int]], made_at: datetime, comment: str) -> bytes:
    """revoked: serial numbers by the line of the authority's public key (`type base64`). made_at: of the last change; its
    microseconds are the list's version, so that a later list has a higher one."""
    moment = made_at.timestamp()
    parts = [
        struct.pack(">QIQQQ", _MAGIC, _FORMAT, int(moment * 1_000_000), int(moment), 0),
        _string(b""),
        _string(comment.encode()),
    ]
    for line in sorted(revoked):
        serials = sorted(set(revoked[line]))
        if serials:
            authority = base64.b64decode(line.split(" ")[1])
            section = _string(authority) + _string(b"") + b"".join(_sections(serials))
            parts.append(bytes([_CERTIFICATES]) + _string(section))
    return b"".join(parts)


def _sections(serials: list[int]) -> list[bytes]:
    """Runs of numbers as ranges, the others as one list."""
    runs: list[tuple[int, int]] = []
    for serial in serials:
        if runs and runs[-1][1] + 1 == serial:
            runs[-1] = (runs[-1][0], serial)
        else:
            runs.append((serial, serial))
    alone = [first for first, last in runs if first == last]
    made = [
        bytes([_SERIAL_RANGE]) + _string(struct.pack(">QQ", first, last))
        for first, last in runs
        if first != last
    ]
    if alone:
        made.append(bytes([_SERIAL_LIST]) + _string(struct.pack(f">{len(alone)}Q", *alone)))
    return made


def _string(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content
