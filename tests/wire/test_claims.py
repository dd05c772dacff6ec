"""The claims request in its three forms, to the letter where clients cut it apart."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.wire import claims
from openpim.wire.claims import ClaimsError, ClaimsRequest, parse_claims

LIVE = "&claims=%7B%22access_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%20%22value%22%3A%22c1%22%7D%7D%7D"


def test_the_message_is_the_captured_one() -> None:
    assert claims.acrs_message("c1") == LIVE


def test_a_client_reads_the_message_back() -> None:
    found = claims.claims_of_message(LIVE)
    assert found == '{"access_token":{"acrs":{"essential":true, "value":"c1"}}}'
    assert parse_claims(found) == ClaimsRequest(("c1",))
    assert claims.claims_of_message(f"Something first. {LIVE}&more=1") == found
    assert claims.claims_of_message("The Role assignment already exists.") is None
    assert claims.claims_of_message("&claims=") is None


def test_a_client_reads_the_challenge_back() -> None:
    header = claims.challenge_header("c25", authorization_uri="https://host/common/oauth2/authorize")
    assert header.startswith('Bearer realm="", authorization_uri="https://host/')
    assert 'error="insufficient_claims"' in header
    assert claims.claims_of_challenge(header) == claims.acrs_request("c25")
    assert json.loads(b64decode(claims.acrs_challenge("c25"))) == {
        "access_token": {"acrs": {"essential": True, "value": "c25"}}
    }
    assert claims.claims_of_challenge("Bearer") is None
    assert claims.claims_of_challenge('Bearer claims="%%%"') is None
    assert claims.claims_of_challenge('Bearer claims="A"') is None
    assert claims.claims_of_challenge('Bearer claims="_w=="') is None


@pytest.mark.parametrize("context", ["", "c0", "c100", "c01", "C1", "x", 'c1"', "c1\n"])
def test_other_contexts_are_refused(context: str) -> None:
    assert not claims.is_context_id(context)
    with pytest.raises(ClaimsError):
        claims.acrs_message(context)


@pytest.mark.parametrize(
    ("text", "acrs", "capabilities"),
    [
        ('{"access_token":{"acrs":{"essential":true,"value":"c1"}}}', ("c1",), ()),
        ('{"access_token":{"acrs":{"essential":true,"values":["c1","c2","c1"]}}}', ("c1", "c2"), ()),
        ('{"access_token":{"acrs":{"value":"c1","values":["c1","c3",5,null]}}}', ("c1", "c3"), ()),
        ('{"access_token":{"acrs":"c1"}}', ("c1",), ()),
        ('{"access_token":{"acrs":["c1"]}}', ("c1",), ()),
        ('{"access_token":{"xms_cc":{"values":["cp1"]}}}', (), ("cp1",)),
        (
            '{"access_token":{"acrs":{"value":"c2"},"xms_cc":{"values":["CP1"]},"nbf":{"value":"1"}}}',
            ("c2",),
            ("CP1",),
        ),
        ('{"id_token":{"acr":null}}', (), ()),
        ('{"access_token":null}', (), ()),
        ('{"access_token":{"acrs":null,"xms_cc":5}}', (), ()),
        ("{}", (), ()),
    ],
)
def test_reads_what_matters(text: str, acrs: tuple[str, ...], capabilities: tuple[str, ...]) -> None:
    assert parse_claims(text) == ClaimsRequest(acrs, capabilities)


@pytest.mark.parametrize("text", ["", "x", "[]", "5", "null", "{", "[" * 5000, "{}" + " " * 9000])
def test_refuses_what_is_no_claims_request(text: str) -> None:
    with pytest.raises(ClaimsError):
        parse_claims(text)


@given(st.integers(1, 99).map(lambda number: f"c{number}"))
def test_every_form_reads_back(context: str) -> None:
    for text in (claims.acrs_request(context), claims.claims_of_message(claims.acrs_message(context))):
        assert text is not None
        assert parse_claims(text).acrs == (context,)


@given(st.text(max_size=60))
def test_garbage_is_refused_or_empty(text: str) -> None:
    claims.claims_of_message(text)
    claims.claims_of_challenge(text)
    try:
        parse_claims(text)
    except ClaimsError:
        return
