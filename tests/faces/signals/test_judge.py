"""The judge finds what is wrong: each planted fault is caught, and what is right passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.faces.signals.judge import CAEP, metadata_faults, set_faults, stream_faults
from tests.faces.signals.stage import EVERYTHING, ORIGIN, Receiver, Stage, read

ISSUER = f"{ORIGIN}/tenant/v2.0"
WHERE = f"{ORIGIN}/.well-known/ssf-configuration/tenant/v2.0"
METADATA: dict[str, Any] = {
    "issuer": ISSUER,
    "spec_version": "1_0",
    "jwks_uri": f"{ORIGIN}/keys",
    "delivery_methods_supported": ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"],
    "configuration_endpoint": f"{ORIGIN}/a",
    "status_endpoint": f"{ORIGIN}/b",
    "verification_endpoint": f"{ORIGIN}/c",
    "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6749"}],
    "default_subjects": "ALL",
}
STREAM: dict[str, Any] = {
    "stream_id": "a",
    "iss": ISSUER,
    "aud": "b",
    "events_supported": ["x", "y"],
    "events_requested": ["y", "z"],
    "events_delivered": ["y"],
    "delivery": {"method": "urn:ietf:rfc:8936", "endpoint_url": f"{ORIGIN}/poll"},
}


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "http://localhost"}, {"issuer": f"{ISSUER}?a=b"}, {"issuer": ORIGIN}, {"spec_version": "1_0-ID3"},
        {"jwks_uri": None}, {"delivery_methods_supported": ["carrier pigeon"]}, {"status_endpoint": "/status"},
        {"configuration_endpoint": None}, {"verification_endpoint": "http://localhost/"}, {"authorization_schemes": []},
        {"add_subject_endpoint": "here"}, {"default_subjects": "NONE"}, {"default_subjects": "all"}, {"extra": []},
    ],
)  # fmt: skip
def test_faults_in_metadata(changes: dict[str, Any]) -> None:
    assert list(metadata_faults(METADATA, WHERE)) == []
    assert list(metadata_faults({**METADATA, **changes}, WHERE))


@pytest.mark.parametrize(
    "changes",
    [
        {"stream_id": 7}, {"iss": "https://evil.example"}, {"aud": None}, {"events_supported": "x"},
        {"events_delivered": ["x", "y"]}, {"events_delivered": ["z"]}, {"delivery": {}}, {"delivery": None},
        {"delivery": {"method": "urn:ietf:rfc:8936"}}, {"min_verification_interval": "6"},
        {"delivery": {"method": "urn:ietf:rfc:8935", "authorization_header": "x"}},
    ],
)  # fmt: skip
def test_faults_in_a_stream(changes: dict[str, Any]) -> None:
    assert list(stream_faults(STREAM, ISSUER)) == []
    assert list(stream_faults({**STREAM, **changes}, ISSUER))


def _event(claims: dict[str, Any], /, **changes: Any) -> dict[str, Any]:
    ((type_, event),) = claims["events"].items()
    kept = {name: value for name, value in {**event, **changes}.items() if value is not None}
    return {**claims, "events": {type_: kept}}


FAULTS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "exp": lambda claims: {**claims, "exp": claims["iat"] + 60},
    "sub": lambda claims: {**claims, "sub": "ann"},
    "iss": lambda claims: {**claims, "iss": ORIGIN},
    "aud": lambda claims: {**claims, "aud": "everybody"},
    "iat": lambda claims: {**claims, "iat": str(claims["iat"])},
    "jti": lambda claims: {name: value for name, value in claims.items() if name != "jti"},
    "txn": lambda claims: {name: value for name, value in claims.items() if name != "txn"},
    "no subject": lambda claims: {name: value for name, value in claims.items() if name != "sub_id"},
    "subject of another format": lambda claims: {
        **claims,
        "sub_id": {"format": "phone_number", "phone_number": "+1"},
    },
    "subject of no format": lambda claims: {**claims, "sub_id": {"email": "a@b.example"}},
    "subject inside": lambda claims: _event(claims, subject=claims["sub_id"]),
    "two events": lambda claims: {**claims, "events": {**claims["events"], f"{CAEP}session-revoked": {}}},
    "no event": lambda claims: {**claims, "events": {}},
    "an event nobody asked for": lambda claims: {**claims, "events": {f"{CAEP}risk-level-change": {}}},
    "a reason in words": lambda claims: _event(claims, reason_admin="because"),
    "no reason": lambda claims: _event(claims, reason_admin=None),
    "an empty reason": lambda claims: _event(claims, reason_admin={}),
    "somebody else's doing": lambda claims: _event(claims, initiating_entity="robot"),
    "a time in words": lambda claims: _event(claims, event_timestamp="now"),
    "no claims": lambda claims: _event(claims, claims={}),
}


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_faults_in_an_event(stage: Stage, crm: Receiver) -> None:
    """Our own event, signed with each fault in it."""
    crm.everything()
    stage.world.assigned(stage.world.ann)
    stage.tell()
    (token,) = stage.pushed_to()
    keys = stage.jwks()

    def faults(token: str) -> list[str]:
        return list(set_faults(token, keys, stage.issuer, crm.face.app_id, EVERYTHING))

    assert faults(token) == []
    missed = [
        name
        for name, spoil in FAULTS.items()
        if not faults(stage.signin.tokens.sign(spoil(read(token)), "secevent+jwt"))
    ]
    assert missed == []
    assert faults(stage.signin.tokens.sign(read(token), "JWT"))
    head, body, signature = token.split(".")
    assert faults(f"{head}.{body}.{signature[::-1]}")
    assert stage.signin.tokens.verify(token) is None, "no event is taken for an access token"
    assert stage.signin.tokens.verify(token, "JWT") is None
