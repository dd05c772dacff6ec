"""The first administrator: a one-time link, printed at first start, leads to a page where he names himself, sets a
password and a second factor, and becomes Global Administrator. There is never a default password.

The same page serves one-time links for existing people (a new colleague, a lost device).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from openpim.core.ask import Ask
from openpim.core.caller import system
from openpim.core.directory import Tenant, User, UserType
from openpim.core.grants import Action, Kind, Provider
from openpim.core.refusals import Code, Refusal
from openpim.core.roles import GLOBAL_ADMINISTRATOR
from openpim.core.scopes import TENANT
from openpim.core.signin.values import Account, SetupLink, digest
from openpim.ports.store import Transaction
from openpim.services.credentials import (
    ORDINARY_LINK,
    enrol_totp,
    hash_password,
    make_setup_link,
    new_totp_seed,
    put_password_hash,
    totp_uri,
)
from openpim.services.power import is_privileged
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import Origin, record
from openpim.services.signin.sessions import end_all
from openpim.services.submit import in_transaction

_PURPOSE = "setup"
_DEAD = Refusal(
    Code.NOT_FOUND, "This link was used already, has expired or never existed: ask for a new one."
)
_OUTGROWN = Refusal(
    Code.NOT_FOUND,
    "This person has a privileged role by now, or can activate one: ask a Global Administrator for a new link.",
)


@dataclass(frozen=True, slots=True)
class SetupPage:
    """first: the person is made here and names himself. name: the sign-in name, or the domain it will end in."""

    first: bool
    name: str
    domain: str
    seed: str
    uri: str
    token: str


def first_start_link(signin: SignIn, tenant_id: str) -> str | None:
    """The link to print at start while the tenant has no Global Administrator; None once there is one. Every start
    makes a new one and voids the last."""
    now = signin.deps.clock()

    def work(tx: Transaction) -> str | None:
        held = tx.schedules.of_role(Provider.DIRECTORY, Kind.ASSIGNMENT, GLOBAL_ADMINISTRATOR, "/", now=now)
        if held:
            return None
        return make_setup_link(tx, signin, tenant_id, None, signin.settings.origin)

    return signin.deps.store.write(tenant_id, work)


def _alive(signin: SignIn, tx: Transaction, secret: str) -> SetupLink | None:
    link = tx.setup_links.get(digest(secret)) if 20 <= len(secret) <= 100 else None
    if link is None or link.used_at is not None or signin.deps.clock() >= link.expires_at:
        return None
    return link


def _outgrown(signin: SignIn, tx: Transaction, link: SetupLink, secret: str) -> bool:
    """Made by somebody without a say over privileged people, for one who has become one since."""
    if link.user_id is None or not secret.startswith(ORDINARY_LINK):
        return False
    return is_privileged(tx.in_tenant(link.tenant_id), link.user_id, signin.deps.clock())


def open_setup(signin: SignIn, secret: str) -> SetupPage | Refusal:
    """What the page behind the link shows. Looking does not use the link up."""

    def work(tx: Transaction) -> SetupPage | Refusal:
        link = _alive(signin, tx, secret)
        tenant = tx.tenants.get(link.tenant_id) if link else None
        if link is None or tenant is None:
            return _DEAD
        user = tx.in_tenant(link.tenant_id).users.get(link.user_id) if link.user_id else None
        if link.user_id and user is None:
            return _DEAD
        if _outgrown(signin, tx, link, secret):
            return _OUTGROWN
        return _page(signin, link, tenant, user)

    return signin.deps.store.read("", work)


def _page(signin: SignIn, link: SetupLink, tenant: Tenant, user: User | None) -> SetupPage:
    seed = new_totp_seed(signin)
    name = user.user_principal_name if user else f"administrator@{tenant.domain}"
    token = signin.sealer.seal_json(_PURPOSE, {"l": link.hash, "s": seed})
    return SetupPage(user is None, name, tenant.domain, seed, totp_uri(seed, name, tenant.name), token)


def keep_seed(signin: SignIn, page: SetupPage, token: str, secret: str) -> SetupPage:
    """The page again after an error, with the seed the person has already scanned."""
    body = signin.sealer.unseal_json(_PURPOSE, token) if token else None
    if body is None or body["l"] != digest(secret):
        return page
    uri = totp_uri(body["s"], page.name, page.domain)
    return SetupPage(page.first, page.name, page.domain, body["s"], uri, token)


def finish_setup(
    signin: SignIn, secret: str, fields: Mapping[str, str], origin: Origin
) -> tuple[str, tuple[str, ...]] | Refusal:
    """fields: token, username and display_name (first administrator only), password, repeat, code.
    Returns the sign-in name and the recovery codes. The link is used up only by success."""
    deps = signin.deps
    body = signin.sealer.unseal_json(_PURPOSE, fields.get("token", "")) if fields.get("token") else None
    if body is None or body["l"] != digest(secret):
        return _DEAD
    if fields.get("password", "") != fields.get("repeat", ""):
        return Refusal(Code.INVALID, "The two passwords differ: type them again.", member="repeat")
    page = open_setup(signin, secret)
    if isinstance(page, Refusal):
        return page
    name = fields.get("username", "").strip() if page.first else page.name
    display = (fields.get("display_name", "").strip() or name.partition("@")[0])[:256]
    wrong = _check_name(name, page.domain) if page.first else None
    if wrong is not None:
        return wrong
    # Hashed outside the unit of work: it takes a tenth of a second.
    hashed = hash_password(signin, fields.get("password", ""), (name, name.partition("@")[0], display))
    if isinstance(hashed, Refusal):
        return hashed

    def work(tx: Transaction) -> tuple[str, tuple[str, ...]] | Refusal:
        link = _alive(signin, tx, secret)
        if link is None:
            return _DEAD
        if _outgrown(signin, tx, link, secret):
            return _OUTGROWN
        # A refusal must not use the link up, nor leave half an administrator behind.
        with tx.savepoint() as point:
            outcome = _apply(
                signin, tx, link, name, display, hashed, body["s"], fields.get("code", "")[:64], origin
            )
            if isinstance(outcome, Refusal):
                point.roll_back()
        return outcome

    return deps.store.write("", work)


def _apply(
    signin: SignIn,
    tx: Transaction,
    link: SetupLink,
    name: str,
    display: str,
    hashed: str,
    seed: str,
    code: str,
    origin: Origin,
) -> tuple[str, tuple[str, ...]] | Refusal:
    if not tx.setup_links.spend(link.hash, signin.deps.clock()):
        return _DEAD
    home = tx.in_tenant(link.tenant_id)
    user_id = link.user_id or _make_administrator(signin, home, name, display)
    if isinstance(user_id, Refusal):
        return user_id
    put_password_hash(home, user_id, hashed, signin.deps.clock())
    codes = enrol_totp(home, signin, user_id, seed, code)
    if isinstance(codes, Refusal):
        return codes
    account = Account(link.tenant_id, user_id)
    tx.passkeys.remove_all(account)  # whoever made them: from here on only what is set up now counts
    end_all(tx, signin.deps, account)
    record(signin.deps, home, account, "Set up credentials", origin, details=(("link", link.hash[:8]),))
    return name, codes


def _check_name(name: str, domain: str) -> Refusal | None:
    local, at, after = name.rpartition("@")
    plain = all(ch.isascii() and (ch.isalnum() or ch in "._-'") for ch in local)
    if not at or not 1 <= len(local) <= 64 or not plain or after.lower() != domain.lower():
        message = f"The sign-in name must look like name@{domain}."
        return Refusal(Code.INVALID, message, member="username")
    return None


def _make_administrator(signin: SignIn, tx: Transaction, name: str, display: str) -> str | Refusal:
    deps = signin.deps
    now = deps.clock()
    if tx.users.by_upn(name) is not None:
        return Refusal(Code.CONFLICT, "That sign-in name is taken: choose another.", member="username")
    user = User(
        id=deps.new_id(),
        display_name=display,
        user_principal_name=name,
        user_type=UserType.MEMBER,
        enabled=True,
        created_at=now,
    )
    tx.users.add(user)
    ask = Ask(Kind.ASSIGNMENT, Provider.DIRECTORY, Action.ADMIN_ASSIGN, user.id, GLOBAL_ADMINISTRATOR, TENANT)
    given = in_transaction(tx, deps, system(tx.tenant_id), ask, now)
    if isinstance(given, Refusal):
        return given
    account = Account(tx.tenant_id, user.id)
    detail = (("role", GLOBAL_ADMINISTRATOR), ("by", system(tx.tenant_id).display_name))
    record(
        deps, tx, account, "Create the first administrator", Origin(signin.settings.origin), details=detail
    )
    return user.id
