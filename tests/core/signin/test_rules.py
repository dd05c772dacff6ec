"""The pure rules of signing in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.core.signin import throttle
from openpim.core.signin.claims import (
    Proof,
    Wanted,
    demand,
    granted_contexts,
    needs_mfa,
    needs_password,
    parse_claims,
)
from openpim.core.signin.lifetimes import access_token_end, next_key_due
from openpim.core.signin.oauth import OAuthError, good_challenge, pkce_matches, redirect_allowed
from openpim.core.signin.passwords import check_password
from openpim.core.signin.scopes import Asked, ResourceKind, parse_scopes
from openpim.core.signin.values import Client, Counter, SigningKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GRAPH = ("https://pim.example:8443",)
ARM = ("https://pim.example:8444",)


def test_pkce_example_of_the_rfc() -> None:
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert good_challenge(challenge)
    assert pkce_matches(challenge, verifier)
    assert not pkce_matches(challenge, challenge)
    assert not pkce_matches(challenge, verifier + "é")


@given(st.text(max_size=200))
def test_no_text_at_all_is_a_redirect_beyond_the_registered(uri: str) -> None:
    web = Client("a", "A", public=False, redirect_uris=("https://app.example/cb",))
    assert redirect_allowed(web, uri) is (uri == "https://app.example/cb")
    from urllib.parse import urlsplit

    if redirect_allowed(Client("b", "B", public=True, any_loopback=True), uri):
        assert urlsplit(uri).hostname in {"localhost", "127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("scope", "kind", "audience"),
    [
        ("", ResourceKind.GRAPH, GRAPH[0]),
        ("openid profile", ResourceKind.GRAPH, GRAPH[0]),
        ("User.Read", ResourceKind.GRAPH, GRAPH[0]),
        ("https://pim.example/.default", ResourceKind.GRAPH, GRAPH[0]),
        ("https://pim.example:8443//.default", ResourceKind.GRAPH, GRAPH[0]),
        ("https://PIM.example:8444/.default", ResourceKind.ARM, ARM[0]),
        ("https://pim.example:8444//.default", ResourceKind.ARM, ARM[0]),
        ("https://management.core.windows.net//.default", ResourceKind.ARM, ARM[0]),
        ("https://management.azure.com/user_impersonation", ResourceKind.ARM, ARM[0]),
        ("api://7fd5/read", ResourceKind.APPLICATION, "api://7fd5"),
        (
            "8f0b7a52-3c1d-4e6f-9a27-5d2c1b8e4f10/.default",
            ResourceKind.APPLICATION,
            "8f0b7a52-3c1d-4e6f-9a27-5d2c1b8e4f10",
        ),
        (
            "https://pim.example.evil.example/.default",
            ResourceKind.APPLICATION,
            "https://pim.example.evil.example",
        ),
        (
            "https://graph.microsoft.com.evil.example/.default",
            ResourceKind.APPLICATION,
            "https://graph.microsoft.com.evil.example",
        ),
    ],
)
def test_resources(scope: str, kind: ResourceKind, audience: str) -> None:
    asked = parse_scopes(scope, GRAPH, ARM)
    assert isinstance(asked, Asked)
    assert (asked.resource.kind, asked.resource.audience) == (kind, audience)
    assert asked.scopes == tuple(scope.split())


def test_granted_scopes() -> None:
    asked = parse_scopes("openid offline_access User.Read https://pim.example/Group.Read.All", GRAPH, ARM)
    assert isinstance(asked, Asked)
    assert asked.granted == ("User.Read", "Group.Read.All", "openid")
    two = parse_scopes("User.Read https://management.azure.com/.default", GRAPH, ARM)
    assert isinstance(two, OAuthError)
    assert isinstance(parse_scopes("a " * 5 + " ".join(f"s{n}" for n in range(200)), GRAPH, ARM), OAuthError)


@given(st.text(max_size=300))
def test_any_scope_text_is_read_or_refused(text: str) -> None:
    asked = parse_scopes(text, GRAPH, ARM)
    assert isinstance(asked, Asked | OAuthError)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", Wanted()),
        ("{}", Wanted()),
        ('{"id_token":{"acrs":{"value":"c1"}}}', Wanted()),
        ('{"access_token":{"acrs":{"essential":true,"value":"c1"}}}', Wanted(("c1",))),
        ('{"access_token":{"acrs":{"values":["c1","c99","c100","c0","x",7]}}}', Wanted(("c1", "c99"))),
        ('{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}', Wanted((), mfa=True)),
        ('{"access_token":{"xms_cc":{"values":["CP1"]}}}', Wanted((), cp1=True)),
        ('{"access_token":{"acrs":[]}}', Wanted()),
        ('{"access_token":[]}', Wanted()),
        ("[]", None),
        ("nonsense", None),
        ("[" * 7000, None),
    ],
)
def test_claims(text: str, wanted: Wanted | None) -> None:
    assert parse_claims(text) == wanted


def test_what_is_demanded_can_be_asked() -> None:
    for wanted in (Wanted(("c1",)), Wanted(("c1", "c2"), mfa=True), Wanted((), mfa=True)):
        assert parse_claims(demand(wanted)) == wanted


def test_contexts() -> None:
    now, life = datetime(2026, 3, 2, 9, 0, tzinfo=UTC), timedelta(minutes=60)
    weak = Proof(frozenset({"pwd"}), frozenset({"c7"}), now)
    strong = Proof(frozenset({"pwd", "mfa"}), frozenset(), now, now)
    both = Wanted(("c1", "c2"))
    one = frozenset({"c1"})
    assert needs_mfa(both, weak, one, life, now)
    assert not needs_mfa(both, weak, frozenset(), life, now)
    assert not needs_mfa(both, strong, one, life, now)
    assert granted_contexts(both, weak, one, life, now).keys() == {"c2", "c7"}
    assert granted_contexts(both, strong, one, life, now).keys() == {"c1", "c2"}
    # Exactly at its end a proof counts no more, the moment before it does.
    end, before = now + life, now + life - timedelta(microseconds=1)
    assert granted_contexts(both, strong, one, life, before).keys() == {"c1", "c2"}
    assert granted_contexts(both, strong, one, life, end) == {}
    assert needs_mfa(both, strong, one, life, end)
    assert not needs_mfa(both, strong, one, life, before)
    assert needs_password(both, weak, one, life, end)
    assert not needs_password(both, weak, one, life, before)
    # A second factor that nobody knows the time of proves no context.
    assert needs_mfa(both, Proof(frozenset({"mfa"}), frozenset(), now), one, life, now)


def test_token_end() -> None:
    assert access_token_end(NOW, 60, []) == NOW + timedelta(minutes=60)
    ends = [NOW + timedelta(minutes=5), NOW + timedelta(minutes=90)]
    assert access_token_end(NOW, 60, ends) == NOW + timedelta(minutes=5)


def test_first_key_at_once_and_late_ones_with_their_lead() -> None:
    lead = timedelta(hours=24)
    assert next_key_due([], NOW, 90, lead) == NOW
    key = SigningKey("k", 1, "", "", NOW, NOW)
    due = NOW + timedelta(days=90)
    assert next_key_due([key], due - lead - timedelta(microseconds=1), 90, lead) is None
    assert next_key_due([key], due - lead, 90, lead) == due
    late = NOW + timedelta(days=400)
    assert next_key_due([key], late, 90, lead) == late + lead, "published before it signs, however late"


@given(st.integers(0, 40), st.integers(0, 7200))
def test_waiting_grows_and_ends(failures: int, seconds: int) -> None:
    counter = Counter("k", failures, NOW, NOW)
    later = NOW + timedelta(seconds=seconds)
    left = throttle.wait(counter, throttle.ACCOUNT, later)
    assert timedelta(0) <= left <= throttle.ACCOUNT.longest
    assert throttle.wait(counter, throttle.ACCOUNT, later + left) == timedelta(0)
    if failures < throttle.ACCOUNT.free:
        assert left == timedelta(0)


def test_forgetting() -> None:
    counter = Counter("k", 30, NOW, NOW)
    later = NOW + throttle.ACCOUNT.window
    assert throttle.count(counter, "k", throttle.ACCOUNT, later).failures == 1
    assert throttle.count(counter, "k", throttle.ACCOUNT, NOW).failures == 31


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::"),
        ("testclient", "unknown"),
        ("", "unknown"),
    ],
)
def test_networks(ip: str, network: str) -> None:
    assert throttle.network(ip) == network


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("correct horse battery", True),
        ("ﬁne long passphrase", True),
        ("short", False),
        ("aaaaaaaaaaaaaaaa", False),
        ("x" * 10 + "abcdefg" * 40, False),
        ("administrator", False),
        ("with a null \x00 inside", False),
        ("a surrogate \ud800 inside", False),
    ],
)
def test_passwords(password: str, good: bool) -> None:
    assert (check_password(password, shortest=12, names=("Administrator",)) is None) is good
