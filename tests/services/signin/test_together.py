"""Several clients at the same instant: one outcome, and nothing given twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from openpim.core.first_party import PIM
from openpim.core.signin.oauth import OAuthError
from openpim.core.signin.values import Account
from openpim.services.signin.clients import ClientProof
from openpim.services.signin.events import Origin
from openpim.services.signin.factors import check_password, check_second_factor
from openpim.services.signin.known_browsers import Known
from openpim.services.signin.redeem import redeem
from tests.signin_world import BOB, LOOPBACK, ORIGIN, PASSWORD, VERIFIER, A, World

HERE = Origin(ORIGIN, "203.0.113.7")


def at_once(count: int, act: Callable[[], Any]) -> list[Any]:
    gate = Barrier(count)

    def run() -> Any:
        gate.wait()
        return act()

    with ThreadPoolExecutor(count) as pool:
        return [one.result() for one in [pool.submit(run) for _ in range(count)]]


def test_one_code_many_redemptions(world: World) -> None:
    code = world.browser().code()
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": LOOPBACK,
        "code_verifier": VERIFIER,
    }
    found = at_once(4, lambda: redeem(world.signin, A, fields, ClientProof(PIM), HERE))
    assert sum(not isinstance(one, OAuthError) for one in found) == 1


def test_one_refresh_token_many_uses(world: World) -> None:
    """Within the grace all are served (a client that runs twice); none of the answers is an error or a crash."""
    token = world.browser().tokens()["refresh_token"]
    fields = {"grant_type": "refresh_token", "refresh_token": token}
    found = at_once(4, lambda: redeem(world.signin, A, fields, ClientProof(PIM), HERE))
    assert not [one for one in found if isinstance(one, OAuthError)]
    assert len({one["refresh_token"] for one in found}) == 4


def test_guesses_at_once_are_no_better_than_one_after_another(world: World) -> None:
    found = at_once(
        8, lambda: check_password(world.signin, "bob@contoso.example", "guess", None, Known(), HERE)
    )
    assert [one.code for one in found].count("sign_in") <= 5


def test_one_code_of_the_second_factor_for_two(world: World) -> None:
    code = world.code_of(BOB)
    found = at_once(2, lambda: check_second_factor(world.signin, Account(A, BOB), code, HERE))
    assert [one for one in found if isinstance(one, tuple)] == [("otp", "mfa")]


def test_the_first_key_is_made_once(world: World) -> None:
    from openpim.services.signin.context import make_sign_in
    from tests.signin_helper import key_maker

    def first() -> Any:
        return make_sign_in(world.deps, key_maker()).tokens.jwks()["keys"]

    found = at_once(4, first)
    assert {len(one) for one in found} == {1}
    assert PASSWORD


def test_housekeeping(world: World) -> None:
    from openpim.services.signin.housekeeping import forget_old

    browser = world.browser()
    body = browser.tokens()
    assert forget_old(world.deps) == 0
    world.move(days=40)
    forget_old(world.deps)
    assert browser.token(grant_type="refresh_token", refresh_token=body["refresh_token"]).status_code == 200
    world.move(days=100)
    assert forget_old(world.deps) == 3


def test_an_administrator_makes_a_link(world: World) -> None:
    from openpim.core.caller import Caller, CallerKind, system
    from openpim.core.refusals import Refusal
    from openpim.services.signin.invite import invite
    from tests.signin_world import ADA, GUEST, B

    nobody = Caller(A, ADA, CallerKind.USER)
    assert isinstance(invite(world.signin, nobody, BOB), Refusal)
    assert any(event.activity == "Make set-up link" and event.result == "failure" for event in world.events())
    link = invite(world.signin, system(A), BOB)
    assert isinstance(link, str)
    assert world.browser().get(link.removeprefix(ORIGIN)).status_code == 200
    guest = invite(world.signin, system(B), GUEST)
    assert isinstance(guest, Refusal)
    missing = invite(world.signin, system(A), "nobody")
    assert isinstance(missing, Refusal)
