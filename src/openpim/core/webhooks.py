"""Signatures of webhooks, both ways, as the Standard Webhooks specification (v1, symmetric) has them.

What is signed is `id.timestamp.body`; a sender that rotates its secret signs with both, and a receiver takes either.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

PREFIX = "whsec_"
TOLERANCE = timedelta(minutes=5)
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_LONGEST_ID = 128
_MOST_SIGNATURES = 10


def new_secret(chance: str) -> str:
    """`whsec_…` of 32 bytes. chance: text with at least as much randomness (deps.secret(32))."""
    return PREFIX + base64.b64encode(hashlib.sha256(chance.encode()).digest()).decode()


def headers(secrets: Iterable[str], message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """What goes with the body. secrets: the present one first, then the one before it while it counts."""
    stamp = str(int(now.timestamp()))
    signatures = " ".join(_signature(secret, message_id, stamp, body) for secret in secrets)
    return {ID: message_id, TIMESTAMP: stamp, SIGNATURE: signatures}


def verified(secrets: Sequence[str], given: Mapping[str, str], body: bytes, now: datetime) -> str | None:
    """The message's id when one of the secrets signed this body within the tolerance; else None. given: headers, their
    names in lower case."""
    message_id, stamp = given.get(ID, ""), given.get(TIMESTAMP, "")
    if not 0 < len(message_id) <= _LONGEST_ID or not message_id.isascii() or not message_id.isprintable():
        return None
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        return None
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        return None
    offered = given.get(SIGNATURE, "").split(" ")[:_MOST_SIGNATURES]
    good = False
    for secret in secrets:
        wanted = _signature(secret, message_id, stamp, body).encode()
        for one in offered:
            good |= hmac.compare_digest(wanted, one.encode("utf-8", "replace"))
    return message_id if good else None


def _signature(secret: str, message_id: str, stamp: str, body: bytes) -> str:
    signed = f"{message_id}.{stamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode()


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a signing secret is not base64") from error
