"""prompt=none, id_token_hint, acr_values, and what discovery says of all this."""

from __future__ import annotations

from typing import Any

import pytest

from openpim.services.credentials import put_totp
from tests.relying_world import BACK, Relying
from tests.signin_world import Browser

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def silently(place: Relying, browser: Browser, **params: str) -> dict[str, str]:
    asked = {"client_id": place.app.app_id, "redirect_uri": BACK, "scope": "openid", "prompt": "none"}
    browser.authorize(place.tenant, **{**asked, **params})
    return browser.result


def test_silently_with_a_session_and_without(place: Relying) -> None:
    assert silently(place, place.browser())["error"] == "login_required"
    signed = place.sign_in()
    assert silently(place, signed.browser)["code"]
    place.world.forward(minutes=10)
    assert silently(place, signed.browser, max_age="3600")["code"]
    assert silently(place, signed.browser, max_age="60")["error"] == "login_required"


def test_a_hint_names_the_one_person_who_will_do(place: Relying) -> None:
    anns = place.sign_in()
    bobs = place.sign_in(place.world.bob)
    hint = anns.answer["id_token"]
    assert silently(place, anns.browser, id_token_hint=hint)["code"]
    assert silently(place, bobs.browser, id_token_hint=hint)["error"] == "login_required"
    place.world.forward(hours=3)  # an old one will do
    assert silently(place, anns.browser, id_token_hint=hint)["code"]


def test_who_signs_in_as_somebody_else_gets_no_code(place: Relying) -> None:
    hint = place.sign_in().answer["id_token"]
    browser = place.browser()
    browser.authorize(
        place.tenant, client_id=place.app.app_id, redirect_uri=BACK, scope="openid", id_token_hint=hint
    )
    browser.sign_in(place.upn(place.world.bob))
    assert browser.result["error"] == "login_required"
    assert "code" not in browser.result


@pytest.mark.parametrize("kind", ["access_token", "other application", "nonsense"])
def test_a_hint_that_is_none(place: Relying, kind: str) -> None:
    signed = place.sign_in()
    other, _ = place.register("Other")
    hints = {
        "access_token": signed.answer["access_token"],
        "other application": place.sign_in(app=other).answer["id_token"],
        "nonsense": "a.b.c",
    }
    assert silently(place, signed.browser, id_token_hint=hints[kind])["error"] == "invalid_request"


def _two_factors(place: Relying) -> None:
    place.world.write(lambda tx: put_totp(tx, place.signin, place.ann, SEED))


@pytest.mark.parametrize(
    "params",
    [{"acr_values": "mfa"}, {"acr_values": "urn:unknown mfa 1"}, {"acr_values": "c7"},
     {"claims": '{"id_token":{"acr":{"essential":true,"values":["mfa"]}}}'}],
)  # fmt: skip
def test_acr_values_ask_for_more_proof(place: Relying, params: dict[str, str]) -> None:
    import pyotp

    _two_factors(place)
    signed = place.sign_in()
    assert signed.identity["acr"] == "1"
    assert silently(place, signed.browser, **params)["error"] == "interaction_required"
    asked = {"client_id": place.app.app_id, "redirect_uri": BACK, "scope": "openid", **params}
    signed.browser.authorize(place.tenant, **asked)
    signed.browser.submit("code", code=pyotp.TOTP(SEED).at(place.world.now))
    again = place.sign_in(browser=signed.browser, **params)
    assert (again.identity["acr"], again.access["acr"]) == ("mfa", "mfa")
    if params.get("acr_values") == "c7":
        assert again.identity["acrs"] == again.access["acrs"] == ["c7"]
    told = again.introspect()
    assert (told["acr"], told["auth_time"]) == ("mfa", again.access["auth_time"])


def test_acr_values_that_ask_for_nothing(place: Relying) -> None:
    signed = place.sign_in()
    for values in ("1", "urn:unknown", "1 mfa"):
        assert silently(place, signed.browser, acr_values=values)["code"]


def test_discovery_and_its_two_addresses_agree(place: Relying) -> None:
    def read(path: str) -> Any:
        answer = place.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    found = read(f"/{place.tenant}/v2.0/.well-known/openid-configuration")
    assert found == read(f"/.well-known/oauth-authorization-server/{place.tenant}/v2.0")
    assert found["backchannel_logout_supported"] is found["backchannel_logout_session_supported"] is True
    assert found["frontchannel_logout_supported"] is False
    assert "urn:ietf:params:oauth:grant-type:token-exchange" in found["grant_types_supported"]
    assert {"1", "mfa", "c1", "c99"} <= set(found["acr_values_supported"])
    assert {"groups", "group_names", "roles", "wids", "sid", "acr"} <= set(found["claims_supported"])
    for name in ("introspection", "revocation", "token"):
        assert "private_key_jwt" in found[f"{name}_endpoint_auth_methods_supported"]
    assert place.sign_in().identity["iss"] == found["issuer"]
