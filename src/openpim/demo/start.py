"""What `pim serve --demo` does before it serves: make the organisation once, and say how to sign in to it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from openpim.demo.accounts import DemoAccounts
from openpim.demo.organisation import create
from openpim.demo.people import COMPANY, DOMAIN
from openpim.ports.deps import Deps
from openpim.services.signin.context import SignIn

FILE = "demo-accounts.toml"


def start_demo(deps: Deps, signin: SignIn, data_dir: Path) -> list[str]:
    """The lines to print. The accounts are written once, to a file that only this user can read."""
    del deps  # the sign-in context carries them
    file = data_dir / FILE
    made = create(signin)
    title = f"Demo:         {COMPANY} ({DOMAIN})"
    if made is None:
        return [title, f"Accounts:     {file}"] if file.exists() else [title]
    problem = _write(file, made)
    where = f"Accounts:     {file}" if problem is None else f"{file} could not be written: {problem}"
    shown = made.accounts[:2] if problem is None else made.accounts
    lines = [
        f"Sign in as:   {account.user_principal_name}  password {account.password}  ({account.purpose})"
        for account in shown
    ]
    return [title, *lines, where]


def _write(file: Path, made: DemoAccounts) -> str | None:
    """Why it could not be written, or None. A reader never sees half of it."""
    unfinished = file.with_suffix(".unfinished")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished.unlink(missing_ok=True)
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(_text(made))
        unfinished.replace(file)
    except OSError as error:
        return error.strerror or type(error).__name__
    return None


def _text(made: DemoAccounts) -> str:
    lines = [
        "# How to sign in to the demo organisation. Made at random when it was first started; kept nowhere else.",
        "# totp_secret: for an authenticator application; where there is none, one is enrolled when first asked for.",
        "",
        _pair("tenant_id", made.tenant_id),
        _pair("tenant", made.tenant_name),
        _pair("domain", made.domain),
        _pair("other_tenant_id", made.other_tenant_id),
        _pair("other_domain", made.other_domain),
    ]
    for account in made.accounts:
        lines += [
            "",
            "[[account]]",
            _pair("user", account.user_principal_name),
            _pair("name", account.display_name),
            _pair("purpose", account.purpose),
            _pair("password", account.password),
        ]
        if account.totp_secret is not None:
            lines.append(_pair("totp_secret", account.totp_secret))
    lines += [
        "",
        "[client]",
        _pair("client_id", made.client.app_id),
        _pair("name", made.client.display_name),
        _pair("client_secret", made.client.secret),
        "",
    ]
    return "\n".join(lines)


def _pair(key: str, value: str) -> str:
    """One line of TOML; a JSON string is a basic string of TOML."""
    return f"{key} = {json.dumps(value, ensure_ascii=False)}"
