"""Makes the demo organisation: all of it in one commit, once; the passwords are new in every installation."""

from __future__ import annotations

from openpim.demo import directory, grants, resources, settings, story
from openpim.demo.accounts import DemoAccount, DemoAccounts, DemoClient, made_password
from openpim.demo.people import COMPANY, DOMAIN, STUDIO_DOMAIN
from openpim.demo.seeding import Seeding, must
from openpim.ports.store import Transaction
from openpim.services.credentials import (
    add_client_secret,
    hash_password,
    new_totp_seed,
    put_password_hash,
    put_totp,
)
from openpim.services.signin.context import SignIn

# key: (what the account is good for, with a second factor from the start)
COMPANY_ACCOUNTS = {
    "mira": ("engineer: eligible for many roles, each with other demands", False),
    "jonas": ("approves Teams Administrator; one of the Change Advisory Board", False),
    "dana": ("head of identity: eligible for Privileged Role Administrator", True),
    "tomas": ("head of security: the second stage for Global Administrator", True),
    "ines": ("compliance: reads everything, changes nothing", False),
    "emergency1": ("Global Administrator for ever, for emergencies", True),
    "emergency2": ("the other one", True),
}
STUDIO_ACCOUNTS = {"bea": (f"guest at {COMPANY}: pim login --tenant {DOMAIN}", False)}
CLIENT = "Compliance Exporter"


def create(signin: SignIn) -> DemoAccounts | None:
    """None when the organisation is there already; else what to sign in with, to be shown once and not kept."""
    deps = signin.deps
    if deps.store.read("", lambda tx: tx.tenants.by_domain(DOMAIN)) is not None:
        return None
    passwords = {key: made_password(deps.secret) for key in (*COMPANY_ACCOUNTS, *STUDIO_ACCOUNTS)}
    hashes = {key: must(hash_password(signin, password)) for key, password in passwords.items()}
    company_id, studio_id = deps.new_id(), deps.new_id()

    def work(tx: Transaction) -> DemoAccounts | None:
        if tx.tenants.by_domain(DOMAIN) is not None:
            return None
        present = deps.clock()
        studio = Seeding(tx, deps, studio_id, present)
        company = Seeding(tx, deps, company_id, present)
        _make(studio, company)
        accounts = [
            _account(signin, seeding, key, purpose, passwords[key], hashes[key], second_factor)
            for seeding, table in ((company, COMPANY_ACCOUNTS), (studio, STUDIO_ACCOUNTS))
            for key, (purpose, second_factor) in table.items()
        ]
        app_id = company.ids[f"{CLIENT} (client)"]
        added = must(add_client_secret(tx, signin, app_id, name="demo"))
        client = DemoClient(app_id, CLIENT, added.secret)
        return DemoAccounts(company_id, COMPANY, DOMAIN, studio_id, STUDIO_DOMAIN, tuple(accounts), client)

    return deps.store.write(company_id, work)


def _make(studio: Seeding, company: Seeding) -> None:
    studio.ago(days=90)
    directory.make_studio(studio)
    studio.ago(days=0)
    company.ago(days=60)
    directory.make_company(company)
    story.give_standing(company)
    company.ago(days=45)
    settings.apply(company)
    resources.make_tree(company)
    resources.make_rules(company)
    grants.apply_settings(company)
    company.ago(days=30)
    story.give_eligibilities(company)
    company.ago(days=29)
    story.give_assignments(company)
    grants.give(company)
    story.live_through(company)


def _account(
    signin: SignIn,
    seeding: Seeding,
    key: str,
    purpose: str,
    password: str,
    hashed: str,
    second_factor: bool,
) -> DemoAccount:
    tx = seeding.tx.in_tenant(seeding.tenant_id)
    user_id = seeding.ids[key]
    user = tx.users.get(user_id)
    assert user is not None  # noqa: S101 - made a moment ago
    put_password_hash(tx, user_id, hashed, seeding.now)
    seed = new_totp_seed(signin) if second_factor else None
    if seed is not None:
        put_totp(tx, signin, user_id, seed)
    return DemoAccount(user_id, user.user_principal_name, user.display_name, purpose, password, seed)
