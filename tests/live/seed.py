"""Run as a program, before a server starts: fills its database with the demo organisation, gives some people passwords
and second factors, and registers an application. Prints what one needs to sign in as JSON.

An operator with the data directory can do all this; the server itself has no way in for tests.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from openpim.app import make_system
from openpim.config import load
from openpim.core import caller as callers
from openpim.core.refusals import Refusal
from openpim.demo.organisation import create
from openpim.demo.people import PEOPLE, STUDIO_PEOPLE
from openpim.services.credentials import (
    add_client_certificate,
    add_client_secret,
    hash_password,
    new_totp_seed,
    put_password_hash,
    put_totp,
)
from openpim.services.directory.applications import NewApplication, create_application
from openpim.services.directory.service_principals import create_service_principal, update_service_principal

PASSWORD = "correct horse battery staple"
# Who has a second factor from the start; everybody else enrols one when it is first demanded.
ENROLLED = ("dana", "tomas", "farid", "emergency1", "emergency2", "noor")
REDIRECT = "https://app.tidewater.example/signed-in"
PERMISSIONS = (
    "AuditLog.Read.All",
    "Directory.Read.All",
    "RoleAssignmentSchedule.ReadWrite.Directory",
    "RoleEligibilitySchedule.ReadWrite.Directory",
    "RoleManagement.ReadWrite.Directory",
)


def must(value):
    if isinstance(value, Refusal):
        raise SystemExit(f"{value.code}: {value.message}")
    return value


def seed(config_file: str, certificate: str) -> dict[str, object]:
    system = make_system(load(Path(config_file)))
    deps, signin = system.deps, system.signin
    made = create(signin)
    assert made is not None, "there is an organisation already"
    hashed = must(hash_password(signin, PASSWORD))
    system_caller = callers.system(made.tenant_id)
    new = NewApplication("Conformance", redirect_uris=(REDIRECT,))
    application = must(create_application(deps, system_caller, new))
    face = must(create_service_principal(deps, system_caller, application.app_id))
    must(update_service_principal(deps, system_caller, face.id, {"permissions": PERMISSIONS}))

    def credentials(tx):
        _, begins, public = Path(certificate).read_bytes().partition(b"-----BEGIN CERTIFICATE")
        must(add_client_certificate(tx, signin, application.app_id, begins + public))
        return must(add_client_secret(tx, signin, application.app_id, name="conformance")).secret

    def person(tx, key, name, domain):
        user = tx.users.by_upn(f"{name}@{domain}")
        put_password_hash(tx, user.id, hashed, deps.clock())
        totp = new_totp_seed(signin) if key in ENROLLED else None
        if totp is not None:
            put_totp(tx, signin, user.id, totp)
        return {
            "id": user.id,
            "name": user.display_name,
            "username": user.user_principal_name,
            "password": PASSWORD,
            "totp": totp,
        }

    names = {each.key: each.mailbox for each in PEOPLE if each.key != "ebba"}
    names |= {key: key for key in ("emergency1", "emergency2")}
    people = deps.store.write(
        made.tenant_id, lambda tx: {key: person(tx, key, name, made.domain) for key, name in names.items()}
    )
    studio = {each.key: each.mailbox for each in STUDIO_PEOPLE}
    people |= deps.store.write(
        made.other_tenant_id,
        lambda tx: {key: person(tx, key, name, made.other_domain) for key, name in studio.items()},
    )
    secret = deps.store.write(made.tenant_id, credentials)
    system.database.close()
    facts = asdict(made)
    return {
        "tenant_id": made.tenant_id,
        "domain": made.domain,
        "other_tenant_id": made.other_tenant_id,
        "other_domain": made.other_domain,
        "exporter": facts["client"],
        "people": people,
        "application": {
            "app_id": application.app_id,
            "id": application.id,
            "principal_id": face.id,
            "secret": secret,
            "redirect": REDIRECT,
        },
    }


if __name__ == "__main__":
    print(json.dumps(seed(sys.argv[1], sys.argv[2])))
