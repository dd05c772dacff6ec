"""Passkeys in a real Chromium, with its own virtual authenticator: the script, the pages' policy and the server meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyotp

from openpim.services.credentials import put_totp, set_password
from tests.browser.site import LiveSite

PASSWORD = "correct horse battery"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def with_device(page: Any) -> None:
    """A device with a finger sensor that keeps its keys."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_is_made_and_signs_in(
    site: LiveSite, open_page: Callable[..., Any], check_access: Callable[[Any], None]
) -> None:
    world = site.world
    world.write(lambda tx: set_password(tx, site.signin, world.ann, PASSWORD))
    world.write(lambda tx: put_totp(tx, site.signin, world.ann, SEED))
    page = open_page(world.ann)
    with_device(page)
    page.goto("/portal/me/methods")
    check_access(page)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("What to call it").wait_for()
    check_access(page)
    page.get_by_label("What to call it").fill("laptop")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Code from your authenticator").fill(pyotp.TOTP(SEED).at(world.now))
    page.get_by_role("button", name="Add").click()
    page.get_by_text("The passkey laptop is ready").wait_for()
    page.goto("/portal/me")
    page.get_by_role("button", name="Sign out").last.click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/portal/roles*")
    page.goto("/portal/me")
    page.get_by_text("Passkey", exact=True).wait_for()


def test_without_a_script_the_password_remains(site: LiveSite, open_page: Callable[..., Any]) -> None:
    page = open_page(script=False)
    page.goto("/portal/roles")
    page.get_by_label("Password").wait_for()
    assert not page.get_by_role("button", name="Sign in with a passkey").is_visible()
