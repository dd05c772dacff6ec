"""My sign-in methods: password, authenticator, recovery codes, passkeys. Every change asks for what proves the person again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from openpim.core.refusals import Code, Refusal
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import plural, t
from openpim.services.signin.my_methods import (
    Methods,
    Proof,
    change_password,
    my_methods,
    offer_totp,
    renew_recovery_codes,
    same_offer,
    take_totp,
)
from openpim.services.signin.my_passkeys import (
    add_passkey,
    my_passkey,
    my_passkeys,
    offer_passkey,
    remove_passkey,
)
from openpim.services.signin.portal import SECRET

NAV: Final = "methods"
HERE: Final = "/portal/me/methods"
_FIELDS: Final = {
    "passkey": "passkey",
    **{one: SECRET + one for one in ("password", "code", "new", "repeat", "new_code")},
}
_LONGEST: Final = 1100  # characters of a password that are looked at; longer ones are refused by the act


def listing(call: Call) -> Answer:
    passkeys = my_passkeys(call.signin, call.presence.session.account)
    return Show("methods.html", {"methods": _mine(call), "passkeys": passkeys}, nav=NAV)


def password_form(call: Call) -> Answer:
    return _form(call, "method_password.html", None)


def password(call: Call) -> Answer:
    new = call.form.get(SECRET + "new", "")[:_LONGEST]
    if new != call.form.get(SECRET + "repeat", "")[:_LONGEST]:
        no = Refusal(Code.INVALID, t("The two are not the same: type them again."), member="repeat")
        return _form(call, "method_password.html", no)
    done = change_password(call.signin, call.presence.session, _proof(call), new, call.origin)
    if isinstance(done, Refusal):
        return _form(call, "method_password.html", done)
    ended = plural(done, "{count} other browser is signed out", "{count} other browsers are signed out")
    return Go(HERE, f"{t('Your password is changed.')} {ended}.")


def authenticator_form(call: Call) -> Answer:
    if not _mine(call).may_enrol:
        no = t("Second factors are set up by a link here: ask an administrator for one.")
        raise RefusedError(Refusal(Code.FORBIDDEN, no))
    return _form(call, "method_totp.html", None, offer=offer_totp(call.signin, call.presence.session))


def authenticator(call: Call) -> Answer:
    session, token = call.presence.session, call.form.get("seed", "")
    done = take_totp(
        call.signin, session, _proof(call), token, call.form.get(SECRET + "new_code", "")[:64], call.origin
    )
    if isinstance(done, Refusal):
        offer = same_offer(call.signin, session, token) or offer_totp(call.signin, session)
        return _form(call, "method_totp.html", done, offer=offer)
    said = t("Your authenticator is set up. These recovery codes go with it; all former ones are void.")
    return Show("method_codes.html", {"codes": done, "done": said}, nav=NAV)


def codes_form(call: Call) -> Answer:
    return _form(call, "method_recovery.html", None)


def codes(call: Call) -> Answer:
    done = renew_recovery_codes(call.signin, call.presence.session, _proof(call), call.origin)
    if isinstance(done, Refusal):
        return _form(call, "method_recovery.html", done)
    said = t("These are your new recovery codes; all former ones are void.")
    return Show("method_codes.html", {"codes": done, "done": said}, nav=NAV)


def passkey_form(call: Call) -> Answer:
    return _passkey_form(call, None)


def passkey(call: Call) -> Answer:
    answer, name = call.form.get("assertion", ""), call.form.get("name", "")[:100]
    done = add_passkey(
        call.signin,
        call.presence.session,
        _proof(call),
        call.form.get("offer", ""),
        answer,
        name,
        call.origin,
    )
    if isinstance(done, Refusal):
        return _passkey_form(call, done)
    return Go(HERE, t("The passkey {name} is ready: sign in with it.", name=done.name))


def _passkey_form(call: Call, refusal: Refusal | None) -> Answer:
    offer = offer_passkey(call.signin, call.presence.session, call.origin)
    if isinstance(offer, Refusal):
        raise RefusedError(offer)
    options, token = offer
    name = call.form.get("name", "")[:100]
    return _form(call, "method_passkey.html", refusal, options=options, offer=token, name=name)


def removal_form(call: Call) -> Answer:
    return _removal_form(call, None)


def removal(call: Call) -> Answer:
    done = remove_passkey(
        call.signin, call.presence.session, _proof(call), call.params["id"][:64], call.origin
    )
    if isinstance(done, Refusal):
        return _removal_form(call, done)
    return Go(HERE, t("The passkey {name} is removed.", name=done.name))


def _removal_form(call: Call, refusal: Refusal | None) -> Answer:
    found = my_passkey(call.signin, call.presence.session.account, call.params["id"][:64])
    if isinstance(found, Refusal):
        raise RefusedError(found)
    return _form(call, "method_passkey_remove.html", refusal, passkey=found)


def _mine(call: Call) -> Methods:
    return my_methods(call.signin, call.presence.session.account)


def _proof(call: Call) -> Proof:
    return Proof(call.form.get(SECRET + "password", "")[:_LONGEST], call.form.get(SECRET + "code", "")[:64])


def _form(call: Call, template: str, refusal: Refusal | None, **more: Any) -> Show:
    """The form; after a refusal again, with what is wrong beside the field. What proves somebody is typed anew."""
    errors: Mapping[str, str] = {}
    if refusal is not None:
        errors = {_FIELDS.get(refusal.member or "", ""): refusal.message}
    status = status_of(refusal) if refusal is not None else 200
    return Show(template, {"methods": _mine(call), "errors": errors, **more}, status, nav=NAV)


PAGES = (
    Page("GET", HERE, listing),
    Page("GET", "/portal/me/password", password_form),
    Page("POST", "/portal/me/password", password),
    Page("GET", "/portal/me/authenticator", authenticator_form),
    Page("POST", "/portal/me/authenticator", authenticator),
    Page("GET", "/portal/me/recovery-codes", codes_form),
    Page("POST", "/portal/me/recovery-codes", codes),
    Page("GET", "/portal/me/passkeys/new", passkey_form),
    Page("POST", "/portal/me/passkeys/new", passkey),
    Page("GET", "/portal/me/passkeys/{id}/remove", removal_form),
    Page("POST", "/portal/me/passkeys/{id}/remove", removal),
)
