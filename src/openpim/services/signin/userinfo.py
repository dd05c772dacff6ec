"""The userinfo endpoint: who the token's person is now. `groups`, `group_names`, `roles` and `wids` are live."""

from __future__ import annotations

from typing import Any

from openpim.core.caller import Caller, CallerKind
from openpim.core.refusals import Code, Refusal
from openpim.core.relying import Place, Placed
from openpim.ports.store import Transaction
from openpim.services.relying.claims import values_of, wanted_in
from openpim.services.signin.bearer import live_caller, userinfo_audience
from openpim.services.signin.context import SignIn


def userinfo(signin: SignIn, authorization: str | None) -> dict[str, Any] | Refusal:
    """Claims of the person; Refusal SIGN_IN (401) or FORBIDDEN (403: the token lacks `openid`)."""
    claims = userinfo_audience(signin.deps, signin.tokens, authorization)
    if isinstance(claims, Refusal):
        return claims
    now = signin.deps.clock()

    def work(tx: Transaction) -> dict[str, Any] | Refusal:
        caller = live_caller(tx, claims, {}, now)
        if isinstance(caller, Refusal):
            return caller
        if caller.kind is not CallerKind.USER or "openid" not in caller.scopes:
            return Refusal(Code.FORBIDDEN, "The access token lacks the scope openid.")
        return _person(tx, caller)

    def _person(tx: Transaction, caller: Caller) -> dict[str, Any]:
        user = tx.users.get(caller.principal_id)
        if user is None:  # pragma: no cover - live_caller has just read it
            raise AssertionError
        application = tx.applications.by_app_id(str(claims.get("appid")))
        wanted = wanted_in(application, Place.USERINFO) if application is not None else Placed()
        found: dict[str, Any] = {
            "sub": user.id,
            "oid": user.id,
            "tid": tx.tenant_id,
            **values_of(tx, application, user.id, now, wanted).claims,
            "sid": caller.session_id,
            "amr": sorted(caller.amr),
        }
        found["name"] = user.display_name
        found["preferred_username"] = user.user_principal_name
        optional = {"given_name": user.given_name, "family_name": user.surname, "email": user.mail}
        return found | {name: value for name, value in optional.items() if value}

    return signin.deps.store.read(str(claims["tid"]), work)
