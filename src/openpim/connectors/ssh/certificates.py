"""One certificate: whose key, for which principals, until when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization.ssh import SSHCertificateBuilder, SSHCertificateType

from openpim.connectors.ssh.keys import PublicKey
from openpim.connectors.ssh.settings import Rules

_SKEW: Final = timedelta(minutes=2)  # clocks of hosts that are behind ours


def sign(
    authority: Ed25519PrivateKey,
    key: PublicKey,
    *,
    serial: int,
    key_id: str,
    principals: Sequence[str],
    now: datetime,
    until: datetime,
    rules: Rules,
) -> str:
    """The line of a -cert.pub file. until: whole seconds; sshd takes it before then and not at it."""
    builder = (
        SSHCertificateBuilder()
        .public_key(key)
        .serial(serial)
        .type(SSHCertificateType.USER)
        .key_id(key_id.encode())
        .valid_principals([one.encode() for one in principals])
        .valid_after(int((now - _SKEW).timestamp()))
        .valid_before(int(until.timestamp()))
    )
    for name, value in sorted(rules.critical.items()):
        builder = builder.add_critical_option(name.encode(), value.encode())
    for name in sorted(rules.extensions):
        builder = builder.add_extension(name.encode(), b"")
    return builder.sign(authority).public_bytes().decode("ascii")
