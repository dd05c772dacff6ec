"""Token exchange (RFC 8693): the token somebody has, for a short one that carries one activation of his and nothing else.

It is for an application's API, ends with the activation (live: bearer.py asks the store each time), and is never longer than
the token it was made from. Our own APIs are no audience: they look at what a person holds, whatever his token says.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from openpim.core.caller import Caller, CallerKind
from openpim.core.directory import Application
from openpim.core.grants import Provider, Schedule
from openpim.core.refusals import Refusal
from openpim.core.relying import Place, fitting
from openpim.core.scopes import TENANT
from openpim.core.signin.consent import OWN_RESOURCES, Audience
from openpim.core.signin.lifetimes import access_token_end
from openpim.core.signin.oauth import OAuthError
from openpim.core.signin.scopes import Asked
from openpim.core.signin.values import Account, Client
from openpim.ports.store import Transaction
from openpim.services.providers import PROVIDERS
from openpim.services.relying.claims import Values, values_by, wanted_in
from openpim.services.signin.bearer import activation_of, live_caller, ours
from openpim.services.signin.consent import find_audience, scp_of, unconsented
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import Origin, record
from openpim.services.signin.issue import Draft, common, userinfo_address
from openpim.services.signin.people import client_allowed, find_tenant
from openpim.services.signin.tokens import instant, seconds

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"
_TYPES: Final = frozenset({ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt"})
_ACTIVITY: Final = "Exchange token"
# How the person proved himself, and the sign-in it all hangs on: as in the token that is exchanged.
_KEPT: Final = (
    "amr",
    "acr",
    "acrs",
    "acrs_until",
    "auth_time",
    "sid",
    "gid",
    "upn",
    "unique_name",
    "preferred_username",
    "name",
    "idp",
)


def exchange(
    signin: SignIn,
    tx: Transaction,
    client: Client,
    authority: str,
    fields: Mapping[str, str],
    origin: Origin,
) -> Draft | OAuthError:
    """fields: subject_token and its type, activation (the id of an active assignment), audience or scope or resource; perhaps
    actor_token. A no about a token of ours is on record too."""
    problem = _form_problem(fields)
    if problem is not None:
        return problem
    subject = signin.tokens.verify(fields["subject_token"])
    if subject is None or not ours(signin.deps, subject):
        return _no("The subject token is not valid or has expired: sign in again.")
    there = tx.in_tenant(str(subject["tid"]))
    made = _exchanged(signin, tx, there, client, authority, fields, subject)
    if subject.get("idtyp") == "user":
        failed = made if isinstance(made, OAuthError) else None
        record(
            signin.deps,
            there,
            Account(there.tenant_id, str(subject.get("oid"))),
            _ACTIVITY,
            origin,
            reason=failed.description if failed is not None else "",
            app_id=client.app_id,
            details=_details(fields, made),
        )
    return made


def _details(fields: Mapping[str, str], made: Draft | OAuthError) -> tuple[tuple[str, str], ...]:
    found = [("Activation", fields.get("activation", "")[:36])]
    if isinstance(made, Draft):
        access = made.access
        found += [("Audience", str(access["aud"])), ("TokenId", str(access["jti"]))]
        if "act" in access:
            found.append(("Actor", str(access["act"]["sub"])))
    return tuple(found)


def _form_problem(fields: Mapping[str, str]) -> OAuthError | None:
    if not fields.get("subject_token"):
        return OAuthError("invalid_request", "subject_token is missing.")
    if fields.get("subject_token_type") not in _TYPES:
        return OAuthError("invalid_request", f"subject_token_type must be {ACCESS_TOKEN}.")
    if fields.get("requested_token_type", ACCESS_TOKEN) not in _TYPES:
        return OAuthError("invalid_request", f"requested_token_type must be {ACCESS_TOKEN}.")
    if bool(fields.get("actor_token")) != bool(fields.get("actor_token_type")):
        return OAuthError("invalid_request", "actor_token and actor_token_type come together.")
    if fields.get("actor_token_type", ACCESS_TOKEN) not in _TYPES:
        return OAuthError("invalid_request", f"actor_token_type must be {ACCESS_TOKEN}.")
    if not fields.get("activation"):
        return OAuthError(
            "invalid_request",
            "activation is missing: name the active assignment that the token is to carry, by its id.",
        )
    return None


def _exchanged(
    signin: SignIn,
    tx: Transaction,
    there: Transaction,
    client: Client,
    authority: str,
    fields: Mapping[str, str],
    subject: Mapping[str, Any],
) -> Draft | OAuthError:
    now = signin.deps.clock()
    tenant = find_tenant(tx, authority)
    if tenant is not None and tenant.id != there.tenant_id:
        return _no("The subject token is of another tenant.")
    if not client_allowed(tx, client, there.tenant_id):
        return OAuthError("unauthorized_client", "The application is not allowed in this tenant.")
    caller = live_caller(there, subject, {}, now)
    if isinstance(caller, Refusal) or caller.kind is not CallerKind.USER:
        said = caller.message if isinstance(caller, Refusal) else "It is no person's."
        return _no(f"The subject token does not stand: {said}")
    act = _actor(signin, there, client, fields, subject, now)
    if isinstance(act, OAuthError):
        return act
    target = _target(signin, there, client, fields, caller)
    if isinstance(target, OAuthError):
        return target
    asked, audience, application = target
    schedule = _activation(there, fields, subject, caller, now)
    if isinstance(schedule, OAuthError):
        return schedule
    held = _given(there, application, caller.principal_id, schedule, now)
    ends = [end for end in (schedule.ends_at, instant(subject.get("exp")), *held.ends) if end is not None]
    end = access_token_end(now, signin.settings.access_token_minutes, ends)
    access: dict[str, Any] = {
        **common(signin, there.tenant_id, audience, client.app_id, now, end),
        "sub": caller.principal_id,
        "oid": caller.principal_id,
        "scp": " ".join(scp_of(there, client.app_id, caller.principal_id, asked, audience)),
        "idtyp": "user",
        **{name: subject[name] for name in _KEPT if name in subject},
        **fitting(held.claims, userinfo_address(signin)),
        "activation": _told(there, schedule),
    }
    if act:
        access["act"] = act
    return Draft(
        access=access,
        expires_in=max(1, seconds(end) - seconds(now)),
        scope=asked.scopes,
        issued_type=ACCESS_TOKEN,
    )


def _actor(
    signin: SignIn,
    there: Transaction,
    client: Client,
    fields: Mapping[str, str],
    subject: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any] | OAuthError:
    """Who acts for the person, as the `act` claim: nobody where he swaps his own token; the application that was given it
    to act for him; or whoever the actor token is of. Anybody else has come by the token in some other way."""
    own, given = subject.get("appid") == client.app_id, subject.get("aud") == client.app_id
    if not own and (client.public or not given):
        return _no("The subject token was given to another application, for another API.")
    # Anybody can say that he is a public client: an API that it called has its token, and would be it elsewhere.
    if own and client.public and not given and subject.get("rid") not in OWN_RESOURCES:
        return _no(
            "The subject token was made for another API, which may have it: exchange the one you signed in with."
        )
    before = subject.get("act")
    actor: dict[str, Any] = {}
    if fields.get("actor_token"):
        claims = signin.tokens.verify(fields["actor_token"])
        if claims is None or not ours(signin.deps, claims) or claims.get("tid") != there.tenant_id:
            return _no("The actor token is not valid here.")
        if client.app_id not in {claims.get("appid"), claims.get("aud")}:
            return _no("The actor token was given to another application.")
        found = live_caller(there, claims, {}, now)
        if isinstance(found, Refusal):
            return _no(f"The actor token does not stand: {found.message}")
        actor = {"sub": found.principal_id, "client_id": str(claims.get("appid"))}
    elif not own:
        face = there.service_principals.by_app_id(client.app_id)
        if face is None or not face.enabled:
            return OAuthError("unauthorized_client", "The application is not allowed in this tenant.")
        actor = {"sub": face.id, "client_id": client.app_id}
    if not isinstance(before, Mapping):
        return actor
    return {**actor, "act": dict(before)} if actor else dict(before)


def _target(
    signin: SignIn, there: Transaction, client: Client, fields: Mapping[str, str], caller: Caller
) -> tuple[Asked, Audience, Application] | OAuthError:
    named = fields.get("resource", "") or fields.get("audience", "")
    asked = signin.asked(fields.get("scope", ""), named)
    if isinstance(asked, OAuthError):
        return asked
    if named:
        meant = signin.asked("", named)
        if isinstance(meant, OAuthError) or meant.resource != asked.resource:
            return OAuthError("invalid_target", "The scope is of another API than the audience.")
    audience = find_audience(there, asked)
    if isinstance(audience, OAuthError):
        return OAuthError("invalid_target", audience.description)
    application = there.applications.by_app_id(audience.address)
    if audience.resource_id in OWN_RESOURCES or application is None:
        return OAuthError(
            "invalid_target",
            "Name the application's API that the token is for. The APIs of this server look at what you hold now: the "
            "token you have does for them.",
        )
    if unconsented(there, client, caller.principal_id, asked, audience):
        return OAuthError(
            "invalid_grant",
            "AADSTS65001: The application was not allowed to do this for you: sign in again to be asked.",
            suberror="consent_required",
        )
    return asked, audience, application


def _activation(
    there: Transaction,
    fields: Mapping[str, str],
    subject: Mapping[str, Any],
    caller: Caller,
    now: datetime,
) -> Schedule | OAuthError:
    wanted = (
        fields["activation"].lower().rpartition("_")[2]
    )  # Graph's ids of group schedules have more in front
    bound = subject.get("activation")
    if isinstance(bound, Mapping) and bound.get("id") != wanted:
        return _no("The subject token carries another activation: exchange the token you signed in with.")
    found = activation_of(there, wanted[:36], caller.principal_id, now)
    return found or _no("You have no such activation in force now: look at `pim list --active`.")


def _given(
    there: Transaction, application: Application, user_id: str, schedule: Schedule, now: datetime
) -> Values:
    """What this activation gives, of what the application is told in access tokens."""
    wanted = wanted_in(application, Place.ACCESS_TOKEN)
    by: dict[str, str] = {}
    if schedule.provider is Provider.DIRECTORY and schedule.scope == TENANT:
        by = {"role_id": schedule.role_id}
    elif schedule.provider is Provider.GROUP and schedule.role_id == "member":
        by = {"group_id": schedule.scope}
    return values_by(there, application, user_id, now, wanted, **by)


def _told(there: Transaction, schedule: Schedule) -> dict[str, str]:
    name = PROVIDERS[schedule.provider].role_name(there, schedule.role_id, schedule.scope)
    return {
        "id": schedule.id,
        "provider": schedule.provider.value,
        "role_id": schedule.role_id,
        "role": name,
        "scope": schedule.scope,
    }


def _no(description: str) -> OAuthError:
    """RFC 8693 2.2.2: a token that is not acceptable makes the request invalid."""
    return OAuthError("invalid_request", description)
