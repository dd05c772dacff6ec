"""Short cuts for tests of other rooms: a sign-in context that is cheap to make, and access tokens without a browser.

    signin = fast_sign_in(deps)
    token = access_token(signin, tenant_id, user_id, amr=("pwd", "otp", "mfa"))
    client.get("/v1.0/me", headers={"Authorization": f"Bearer {token}"})

The tokens are the real thing (signed, checked live); only the way to them is short.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from joserfc.jwk import RSAKey

from openpim.core.first_party import PIM
from openpim.core.settings import Settings
from openpim.core.signin.consent import Audience
from openpim.core.signin.scopes import Asked
from openpim.core.signin.values import Grant
from openpim.notify.chat import AppriseChat
from openpim.notify.outbound import GuardedOutbound
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.sealing import Sealer
from openpim.services.signin.consent import find_audience
from openpim.services.signin.context import SignIn, issuer, make_sign_in
from openpim.services.signin.issue import Draft, draft_for_app, draft_for_person
from openpim.services.signin.keyring import make_key
from openpim.services.signin.people import account_of, find_client, person_in
from openpim.services.signin.proofs import lifetime

SEALER = Sealer(bytes(range(32)), secrets.token_urlsafe)
OUTBOUND = GuardedOutbound(["127.0.0.0/8"])  # servers of tests are on this machine
CHAT = AppriseChat(OUTBOUND)
GRAPH = "https://graph.microsoft.com/.default"


def fast(settings: Settings) -> Settings:
    """The same settings with the cheapest password hash."""
    return replace(settings, argon2_time_cost=1, argon2_memory_kib=8, argon2_parallelism=1)


def fast_sign_in(deps: Deps) -> SignIn:
    """A sign-in context for tests: fixed key file, cheap passwords."""
    return make_sign_in(replace(deps, settings=fast(deps.settings)), key_maker())


_keys: list[RSAKey] = []


def key_maker() -> Callable[[], RSAKey]:
    """Hands out the same key pairs in every test of a process: the first, the second, ... (rotation needs several)."""
    place = iter(range(100))

    def make() -> RSAKey:
        at = next(place)
        if at == len(_keys):
            _keys.append(make_key())
        return _keys[at]

    return make


def access_token(
    signin: SignIn,
    tenant_id: str,
    user_id: str,
    *,
    scope: str = GRAPH,
    amr: tuple[str, ...] = ("pwd",),
    acrs: tuple[str, ...] = (),
    client_id: str = PIM,
    cp1: bool = False,
    session_id: str = "",
) -> str:
    """A bearer token of that user, as if he had just signed in with `amr` (add "mfa" for two factors)."""
    now = signin.deps.clock()
    asked = signin.asked(scope)
    assert isinstance(asked, Asked), asked

    def work(tx: Transaction) -> Draft:
        user = tx.in_tenant(tenant_id).users.get(user_id)
        assert user is not None, f"no user {user_id} in {tenant_id}"
        person = person_in(tx, account_of(user, tenant_id), tenant_id)
        assert person is not None, "the user, or his home account, is disabled"
        grant = Grant(
            id=signin.deps.new_id(),
            client_id=client_id,
            account=person.account,
            tenant_id=tenant_id,
            scope=asked.scopes,
            session_id=session_id or signin.deps.new_id(),
            amr=amr,
            acrs=acrs,
            auth_time=now,
            mfa_at=now if "mfa" in amr else None,
            created_at=now,
            expires_at=now + timedelta(days=90),
            cp1=cp1,
        )
        audience = find_audience(tx.in_tenant(tenant_id), asked)
        assert isinstance(audience, Audience), audience
        return draft_for_person(
            signin,
            tx,
            grant,
            person,
            asked,
            audience,
            now,
            id_issuer=issuer(signin.settings.origin, tenant_id),
            acrs=dict.fromkeys(acrs, now + lifetime(signin)),
            cp1=cp1,
        )

    return signin.tokens.sign(signin.deps.store.read(tenant_id, work).access, "at+jwt")


def app_token(signin: SignIn, tenant_id: str, app_id: str, *, scope: str = GRAPH) -> str:
    """A bearer token of an application acting as itself, through its service principal in the tenant."""
    asked = signin.asked(scope)
    assert isinstance(asked, Asked), asked

    def work(tx: Transaction) -> Draft:
        client = find_client(tx, app_id)
        principal = tx.in_tenant(tenant_id).service_principals.by_app_id(app_id)
        assert client is not None, f"no application {app_id}"
        assert principal is not None, f"no service principal of {app_id} in {tenant_id}"
        audience = find_audience(tx.in_tenant(tenant_id), asked)
        assert isinstance(audience, Audience), audience
        return draft_for_app(
            signin, tx.in_tenant(tenant_id), client, principal, asked, audience, signin.deps.clock()
        )

    return signin.tokens.sign(signin.deps.store.read(tenant_id, work).access, "at+jwt")
