"""Security event tokens (RFC 8417) of events: signed when they leave, with the key that signs then. The claims are those
that were planned, so the same event is the same token's content however often it is sent; there is no `exp` and no `sub`,
and the type keeps one from being taken for another token of ours."""

from __future__ import annotations

import json

from openpim.core.signals import Signal, SignalStream
from openpim.services.signin.context import SignIn, issuer
from openpim.services.signin.tokens import seconds


def token_of(signin: SignIn, tenant_id: str, stream: SignalStream, signal: Signal) -> str:
    """The event as a signed token for the stream's receiver."""
    claims = {
        "iss": issuer(signin.settings.origin, tenant_id),
        "aud": stream.app_id,
        "iat": seconds(signal.created_at),
        **json.loads(signal.body),
    }
    return signin.tokens.sign(claims, "secevent+jwt")
