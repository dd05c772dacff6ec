"""An administrator gives an application a secret or a certificate, or takes one away.

Whoever has the secret, or the certificate's key, is the application, so that of a powerful one (with a privileged role, or application
permissions) is only for those who could give it that power.
"""

from __future__ import annotations

from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.directory import Application
from openpim.core.refusals import Code, Refusal
from openpim.core.signin.values import ClientCredential
from openpim.ports.store import Transaction
from openpim.services import shown_once
from openpim.services.credentials import NewSecret, add_client_certificate, add_client_secret
from openpim.services.directory.performing import Done, not_found, perform
from openpim.services.directory.rights import may_grant_permissions, may_manage_application
from openpim.services.power import is_powerful
from openpim.services.recording import storable
from openpim.services.signin.context import SignIn

MOST = 20
LONGEST_NAME = 100


def add_secret(
    signin: SignIn,
    caller: Caller,
    application_id: str,
    *,
    name: str = "",
    expires_at: datetime | None = None,
    once: str = "",
) -> NewSecret | Refusal:
    """The secret is in the answer and nowhere else; only its digest is kept.

    once: a word of the one who asks, by which a form that is sent twice makes one secret (CONFLICT the second time).
    """
    secret_id = shown_once.id_of(application_id, once) if once else None

    def work(tx: Transaction, now: datetime) -> Done[NewSecret] | Refusal:
        application = _application(tx, caller, application_id, now)
        if isinstance(application, Refusal):
            return application
        if application.public:
            return Refusal(Code.INVALID, "A public client can keep no secret.", member="id")
        if expires_at is not None and expires_at <= now:
            return Refusal(Code.INVALID, "The secret would have expired already.", member="end")
        tx.lock_tenant()
        present = tx.client_credentials.of(application.app_id)
        if secret_id is not None and any(one.id == secret_id for one in present):
            return shown_once.MADE
        if len(present) >= MOST:
            return _full()
        made = add_client_secret(
            tx, signin, application.app_id, name=name, expires_at=expires_at, secret_id=secret_id
        )
        return made if isinstance(made, Refusal) else Done(made, (_target(application),))

    return perform(signin.deps, caller, "Add client secret", "ApplicationManagement", work)


def add_certificate(
    signin: SignIn, caller: Caller, application_id: str, certificate: bytes, *, name: str = ""
) -> ClientCredential | Refusal:
    """The application proves who it is by assertions that the certificate's key signs. certificate: PEM or DER. name: ""
    for the one in the certificate."""

    def work(tx: Transaction, now: datetime) -> Done[ClientCredential] | Refusal:
        application = _application(tx, caller, application_id, now)
        if isinstance(application, Refusal):
            return application
        if application.public:
            return Refusal(Code.INVALID, "A public client proves nothing by a certificate.", member="id")
        if len(name) > LONGEST_NAME or not storable(name):
            return Refusal(Code.INVALID, f"A name has at most {LONGEST_NAME} characters.", member="name")
        tx.lock_tenant()
        if len(tx.client_credentials.of(application.app_id)) >= MOST:
            return _full()
        made = add_client_certificate(tx, signin, application.app_id, certificate, name=name)
        return made if isinstance(made, Refusal) else Done(made, (_target(application),))

    return perform(signin.deps, caller, "Add client certificate", "ApplicationManagement", work)


def remove_secret(signin: SignIn, caller: Caller, application_id: str, credential_id: str) -> Refusal | None:
    """A secret or a certificate; tokens that were got with it last until they expire."""

    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        application = _application(tx, caller, application_id, now)
        if isinstance(application, Refusal):
            return application
        if not tx.client_credentials.remove(application.app_id, credential_id):
            return not_found("credential", credential_id)
        return Done(None, (_target(application),))

    return perform(signin.deps, caller, "Remove client secret", "ApplicationManagement", work)


def _application(
    tx: Transaction, caller: Caller, application_id: str, now: datetime
) -> Application | Refusal:
    application = tx.applications.get(application_id)
    if application is None:
        return not_found("application", application_id)
    refusal = may_manage_application(tx, caller, application.id, now)
    if refusal is not None:
        return refusal
    principal = tx.service_principals.by_app_id(application.app_id)
    if is_powerful(tx, principal, now):
        refusal = may_grant_permissions(tx, caller, now)
    return refusal or application


def _full() -> Refusal:
    return Refusal(
        Code.INVALID, f"An application has at most {MOST} credentials. Remove one first.", member="id"
    )


def _target(application: Application) -> Target:
    return Target("Other", application.id, application.display_name)
