"""The organisation one is in: what it is called, how clients find it, its keys and settings; and one's other ones."""

from __future__ import annotations

from typing import Final

from openpim.core.settings import Settings
from openpim.faces.portal import client_ways
from openpim.faces.portal.call import Answer, Call, Show, settled
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import plural, span, t
from openpim.services.directory import organisation

NAV: Final = "organisation"
_SECOND_FACTOR: Final = {
    "asked": "where a role asks for it",
    "enrolled": "of everybody who has one",
    "always": "of everybody",
}


def one(call: Call) -> Answer:
    settings, tenant = call.deps.settings, call.presence.tenant
    found = settled(organisation.look(call.deps, call.caller))
    values = {
        "found": found,
        "default_domain": found.tenant.domain,
        "domains": found.tenant.domains or (found.tenant.domain,),
        "addresses": client_ways.addresses(settings, tenant),
        "lines": client_ways.sign_in_lines(settings, tenant),
        "security": security(found.server.settings) if found.server is not None else (),
        "home": call.presence.tenants[0].id,
    }
    return Show("organisation.html", values, nav=NAV)


def security(settings: Settings) -> tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]:
    """What is in force, by what it is about: (words, value, the setting's name in the file)."""
    minutes = settings.minimum_minutes
    return (
        (
            "Sign-in",
            (
                ("Second factor is asked", t(_SECOND_FACTOR[settings.mfa_at_sign_in]), "sign_in.mfa"),
                ("People set up a second factor themselves", _yes(settings.totp_self_enrolment), "sign_in.self_enrolment"),
                ("Shortest password", plural(settings.password_min_length, "{count} character", "{count} characters"), "sign_in.password_min_length"),
                ("A proof counts for an authentication context", span(settings.authentication_context_minutes * 60), "sign_in.authentication_context_minutes"),
                ("A link to set up an account works", span(settings.setup_link_hours * 3600), "sign_in.setup_link_hours"),
            ),
        ),
        (
            "Sessions and tokens",
            (
                ("A session that is not used ends after", span(settings.session_idle_minutes * 60), "sign_in.session_idle_minutes"),
                ("A session ends at the latest after", span(settings.session_max_hours * 3600), "sign_in.session_max_hours"),
                ("Access tokens live", span(settings.access_token_minutes * 60), "sign_in.access_token_minutes"),
                ("Refresh tokens that are not used live", span(settings.refresh_token_days * 86_400), "sign_in.refresh_token_days"),
                ("Device codes live", span(settings.device_code_minutes * 60), "sign_in.device_code_minutes"),
                ("A signing key is used for", span(settings.signing_key_days * 86_400), "sign_in.signing_key_days"),
            ),
        ),
        (
            "Activation",
            (
                ("Shortest activation", span(minutes * 60) if minutes else t("no minimum"), "activation.minimum_minutes"),
                ("An extension waits for a decision", span(settings.admin_decision_days * 86_400), "activation.admin_decision_days"),
                ("Working hours", f"{settings.work_days} {settings.work_hours}, {settings.work_zone}", "working_time.hours"),
            ),
        ),
    )  # fmt: skip


def _yes(value: bool) -> str:
    return t("yes") if value else t("no")


PAGES = (Page("GET", "/portal/organisation", one),)
