"""Token exchange: a token for one activation and nothing else, that nobody comes by who was not given what it is made from."""

from __future__ import annotations

from typing import Any

import pytest

from openpim.core.directory import Application
from openpim.core.first_party import PIM
from openpim.core.relying import AppRole, Named
from tests.relying_world import Relying
from tests.services.groups import GroupWorld
from tests.signin_helper import access_token, app_token
from tests.signin_world import claims_of
from tests.world import HELPDESK, TEAMS, World, ok

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"


@pytest.fixture
def ledger(place: Relying) -> Application:
    """An API with a role that the group has; it is told everything in access tokens."""
    role = AppRole(place.world.new_id(), "Ledger.Close", "Close the books")
    app, face = place.register("Ledger", app_roles=(role,), identifier_uris=("api://ledger",))
    place.assign(place.admins, role, face)
    place.settings(
        app, only_named=True, access_token=tuple(Named(one) for one in ("roles", "groups", "wids"))
    )
    place.allow(place.face, face, "user_impersonation")
    return app


@pytest.fixture
def activation(place: Relying, groups: GroupWorld) -> str:
    """Ann is in the group for half an hour; her directory role and her other group have nothing to do with it."""
    ok(groups.give(place.admins, place.ann))
    place.world.assigned(place.ann, HELPDESK)
    place.world.group("Standing", [place.ann], role_assignable=False)
    return schedule_of(groups.activate(place.admins, place.ann, minutes=30))


def schedule_of(request: Any) -> str:
    return str(ok(request).schedule_id)


def base(place: Relying, who: str = "", **more: Any) -> str:
    """What `pim` has."""
    return access_token(place.signin, place.tenant, who or place.ann, **more)


def ask(place: Relying, subject: str, activation: str, **fields: str) -> Any:
    basics = {
        "client_id": PIM,
        "grant_type": GRANT,
        "subject_token": subject,
        "subject_token_type": ACCESS,
        "activation": activation,
        "audience": "api://ledger",
    }
    form = {name: value for name, value in {**basics, **fields}.items() if value != "-"}
    return place.http.post(f"/{place.tenant}/oauth2/v2.0/token", **form)


def refused(answer: Any, error: str, word: str = "") -> None:
    assert answer.status_code in {400, 401}, answer.text
    assert answer.json()["error"] == error, answer.text
    assert word in answer.json()["error_description"]


def test_it_carries_what_the_activation_gives_and_no_more(
    place: Relying, ledger: Application, activation: str
) -> None:
    answer = ask(place, base(place, amr=("pwd", "mfa")), activation)
    assert answer.status_code == 200, answer.text
    assert answer.json()["issued_token_type"] == ACCESS
    assert answer.json()["token_type"] == "Bearer"
    assert "refresh_token" not in answer.json()
    told = claims_of(answer.json()["access_token"])
    assert (told["aud"], told["sub"], told["acr"]) == (ledger.app_id, place.ann, "mfa")
    assert told["roles"] == ["Ledger.Close"]
    assert told["groups"] == [place.admins]
    assert told["wids"] == []
    assert told["activation"]["id"] == activation
    assert (told["activation"]["role_id"], told["activation"]["scope"]) == ("member", place.admins)
    assert "act" not in told
    assert told["exp"] - told["iat"] == answer.json()["expires_in"] == 30 * 60


def test_of_a_directory_role(place: Relying, ledger: Application, activation: str) -> None:
    place.world.eligible(place.ann)
    of_role = schedule_of(place.world.activate(place.ann, minutes=20))
    told = claims_of(ask(place, base(place), of_role).json()["access_token"])
    assert (told["wids"], told["groups"], told["roles"]) == ([TEAMS], [], [])
    assert told["activation"]["role"] == "Teams Administrator"
    assert told["exp"] - told["iat"] == 20 * 60


def test_it_ends_with_the_activation_whatever_it_says(
    place: Relying, ledger: Application, activation: str, groups: GroupWorld
) -> None:
    token = ask(place, base(place), activation).json()["access_token"]
    assert place.introspect(token, ledger)["active"] is True
    place.world.forward(minutes=6)
    ok(groups.deactivate(place.admins, place.ann))
    assert place.introspect(token, ledger) == {"active": False}
    refused(ask(place, base(place), activation), "invalid_request", "no such activation")
    again = ask(place, token, activation, client_id=ledger.app_id, client_secret=_secret())
    refused(again, "invalid_request", "has ended")


def test_it_is_never_longer_than_what_it_was_made_from(
    place: Relying, ledger: Application, activation: str
) -> None:
    subject = base(place)
    place.world.forward(minutes=20)
    place.world.forward(minutes=5)
    made = ask(place, subject, activation).json()
    assert made["expires_in"] == 5 * 60  # the activation's end
    assert claims_of(made["access_token"])["exp"] <= claims_of(subject)["exp"]


def _secret() -> str:
    return "payroll-secret-payroll-secret-pay"


def test_an_application_acts_for_the_person_who_called_it(
    place: Relying, ledger: Application, activation: str
) -> None:
    """Payroll was called with a token for it, and calls the ledger: the ledger sees who acts."""
    subject = base(place, scope=f"{place.app.app_id}/.default")
    answer = ask(place, subject, activation, client_id=place.app.app_id, client_secret=_secret())
    assert answer.status_code == 200, answer.text
    told = claims_of(answer.json()["access_token"])
    assert told["act"] == {"sub": place.face.id, "client_id": place.app.app_id}
    assert told["appid"] == place.app.app_id
    # The ledger hands on to a third, with the same activation: the chain of actors is kept.
    third, face = place.register("Third", identifier_uris=("api://third",))
    ledger_face = place.world.read(lambda tx: tx.service_principals.by_app_id(ledger.app_id))
    place.allow(ledger_face, face, "user_impersonation")
    on = ask(
        place,
        answer.json()["access_token"],
        activation,
        client_id=ledger.app_id,
        client_secret=_secret(),
        audience="api://third",
    )
    assert on.status_code == 200, on.text
    chain = claims_of(on.json()["access_token"])["act"]
    assert (chain["client_id"], chain["act"]["client_id"]) == (ledger.app_id, place.app.app_id)
    assert claims_of(on.json()["access_token"])["aud"] == third.app_id


def test_an_actor_of_ones_own(place: Relying, ledger: Application, activation: str) -> None:
    actor = app_token(place.signin, place.tenant, place.app.app_id)
    subject = base(place, scope=f"{place.app.app_id}/.default")
    answer = ask(
        place,
        subject,
        activation,
        client_id=place.app.app_id,
        client_secret=_secret(),
        actor_token=actor,
        actor_token_type=ACCESS,
    )
    assert claims_of(answer.json()["access_token"])["act"]["sub"] == place.face.id


# ---------------------------------------------------------------- who does not get one


def test_only_ones_own_activation_in_force(
    place: Relying, ledger: Application, activation: str, groups: GroupWorld
) -> None:
    ok(groups.give(place.admins, place.world.bob))
    bobs = schedule_of(groups.activate(place.admins, place.world.bob, hours=1))
    standing = [one.id for one in place.world.schedules()]
    for other in (bobs, *standing, place.world.new_id(), "x", "'; --", "\u0000"):
        refused(ask(place, base(place), other), "invalid_request")
    place.world.forward(minutes=30)
    refused(ask(place, base(place), activation), "invalid_request", "no such activation")


def test_tokens_that_are_not_for_this(place: Relying, ledger: Application, activation: str) -> None:
    signed = place.sign_in()
    robot = app_token(place.signin, place.tenant, place.app.app_id)
    for foreign in (
        "",
        "x",
        "a.b.c",
        signed.answer["id_token"],
        signed.answer["refresh_token"],
        base(place) + "x",
        robot,
    ):
        answer = ask(place, foreign, activation, client_id=place.app.app_id, client_secret=_secret())
        refused(answer, "invalid_request")


def test_a_token_that_another_application_was_given(
    place: Relying, ledger: Application, activation: str
) -> None:
    """Neither its own nor made for it: it came by it in some other way."""
    stolen = base(place, scope=f"{ledger.app_id}/.default")
    answer = ask(place, stolen, activation, client_id=place.app.app_id, client_secret=_secret())
    refused(answer, "invalid_request", "given to another application")
    failures = [one for one in place.world.events("Exchange token") if one.result == "failure"]
    assert failures[0].app_id == place.app.app_id
    assert "another application" in failures[0].reason


def test_a_public_client_acts_for_nobody(place: Relying, ledger: Application, activation: str) -> None:
    public, _ = place.register("Tool", public=True)
    subject = base(place, scope=f"{public.app_id}/.default")
    refused(ask(place, subject, activation, client_id=public.app_id), "invalid_request")


def test_an_api_does_not_pass_for_the_public_client_that_called_it(
    place: Relying, ledger: Application, activation: str
) -> None:
    """Anybody can say that he is `pim`: what an API was sent takes nobody to another one in its name."""
    sent = base(place, scope=f"{place.app.app_id}/.default")
    refused(ask(place, sent, activation), "invalid_request", "made for another API")
    exchanged = ask(place, base(place), activation, audience=place.app.app_id).json()["access_token"]
    assert claims_of(exchanged)["aud"] == place.app.app_id
    refused(ask(place, exchanged, activation), "invalid_request", "made for another API")


def test_another_tenants_token(place: Relying, ledger: Application, activation: str) -> None:
    other = World(place.world.database)
    foreign = access_token(place.signin, other.tenant_id, other.ann)
    refused(ask(place, foreign, activation), "invalid_request", "another tenant")
    at_common = place.http.post(
        "/common/oauth2/v2.0/token",
        client_id=PIM,
        grant_type=GRANT,
        subject_token=foreign,
        subject_token_type=ACCESS,
        activation=activation,
        audience="api://ledger",
    )
    refused(at_common, "invalid_target")  # there is no such application there


@pytest.mark.parametrize(
    "audience", ["https://graph.microsoft.com", "https://management.azure.com", "api://nobody"]
)
def test_our_own_apis_and_unknown_ones(
    place: Relying, ledger: Application, activation: str, audience: str
) -> None:
    refused(ask(place, base(place), activation, audience=audience), "invalid_target")


def test_an_audience_that_was_not_allowed(place: Relying, ledger: Application, activation: str) -> None:
    _, face = place.register("Vault", identifier_uris=("api://vault",))
    subject = base(place, scope=f"{place.app.app_id}/.default")
    ours = {"client_id": place.app.app_id, "client_secret": _secret(), "audience": "api://vault"}
    answer = ask(place, subject, activation, **ours)
    refused(answer, "invalid_grant", "not allowed")
    place.allow(place.face, face, "user_impersonation")
    assert ask(place, subject, activation, **ours).status_code == 200


def test_a_scope_of_another_api(place: Relying, ledger: Application, activation: str) -> None:
    answer = ask(place, base(place), activation, scope="https://graph.microsoft.com/User.Read")
    refused(answer, "invalid_target", "another API")


def test_ended_sign_ins(place: Relying, ledger: Application, activation: str) -> None:
    from openpim.services.signin.revoke_sessions import revoke_sessions

    signed = place.sign_in(scope=f"openid {place.app.app_id}/.default")
    ours = {"client_id": place.app.app_id, "client_secret": _secret()}
    assert ask(place, signed.answer["access_token"], activation, **ours).status_code == 200
    assert revoke_sessions(place.signin.deps, place.world.caller(place.world.ga), place.ann) is None
    refused(ask(place, signed.answer["access_token"], activation, **ours), "invalid_request")
    subject = base(place)
    place.world.disable(place.ann)
    refused(ask(place, subject, activation), "invalid_request", "disabled")


def test_from_one_activation_to_another(
    place: Relying, ledger: Application, activation: str, groups: GroupWorld
) -> None:
    """A token that carries one thing is no way to another."""
    place.world.eligible(place.ann)
    of_role = schedule_of(place.world.activate(place.ann, minutes=20))
    narrow = ask(place, base(place), activation).json()["access_token"]
    ledger_face = place.world.read(lambda tx: tx.service_principals.by_app_id(ledger.app_id))
    place.allow(ledger_face, place.face, "user_impersonation")
    ours = {"client_id": ledger.app_id, "client_secret": _secret(), "audience": place.app.app_id}
    refused(ask(place, narrow, of_role, **ours), "invalid_request", "another activation")


@pytest.mark.parametrize(
    ("fields", "word"),
    [({"subject_token": "-"}, "subject_token is missing"), ({"activation": "-"}, "activation is missing"),
     ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "subject_token_type"),
     ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "requested_token_type"),
     ({"actor_token": "x"}, "come together"), ({"actor_token_type": ACCESS}, "come together"),
     ({"actor_token": "x", "actor_token_type": "y"}, "actor_token_type"),
     ({"actor_token": "x", "actor_token_type": ACCESS}, "actor token is not valid")],
)  # fmt: skip
def test_what_the_form_lacks(
    place: Relying, ledger: Application, activation: str, fields: dict[str, str], word: str
) -> None:
    named = {"activation": activation, **fields}
    refused(ask(place, base(place), named.pop("activation"), **named), "invalid_request", word)


def test_it_is_on_record(place: Relying, ledger: Application, activation: str) -> None:
    made = ask(place, base(place), activation).json()["access_token"]
    (event,) = place.world.events("Exchange token")
    details = dict(event.details)
    assert (event.result, event.actor_id, event.app_id) == ("success", place.ann, PIM)
    assert (details["Activation"], details["Audience"]) == (activation, ledger.app_id)
    assert details["TokenId"] == claims_of(made)["jti"]


def test_our_own_apis_and_userinfo_do_not_take_it(
    place: Relying, ledger: Application, activation: str
) -> None:
    from openpim.core.refusals import Refusal
    from openpim.services.signin.bearer import authenticate

    made = ask(place, base(place), activation).json()["access_token"]
    answer = place.http.client.get("/oidc/userinfo", headers={"Authorization": f"Bearer {made}"})
    assert answer.status_code == 403
    assert isinstance(authenticate(place.signin.deps, place.signin.tokens, f"Bearer {made}"), Refusal)
