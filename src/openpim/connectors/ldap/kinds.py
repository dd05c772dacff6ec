"""The three kinds of directories: groups, entries of activations, and Active Directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from openpim.connectors.ldap.activations import GRANULARITY, Activations
from openpim.connectors.ldap.active_directory import ActiveDirectory
from openpim.connectors.ldap.config import (
    ACTIVATIONS,
    ACTIVE_DIRECTORY,
    CLASSES,
    GROUPS,
    NO_FENCE,
    check_activations,
    check_active_directory,
    check_groups,
    people,
    ticket_life,
    where,
)
from openpim.connectors.ldap.fence import Fencing
from openpim.connectors.ldap.groups import Groups, Shape
from openpim.connectors.ldap.names import check_dn, check_role, check_subject, written
from openpim.connectors.ldap.probing import probe_activations, probe_groups
from openpim.connectors.ldap.session import Session
from openpim.ports.connector import Capabilities, ConnectorKind, Opening, Probe


class _LdapGroups(Groups):
    secret: Callable[[int], str]

    def probe(self) -> Probe:
        return probe_groups(self, self.session.about(), self.secret)


class _LdapActivations(Activations):
    secret: Callable[[int], str]

    def probe(self) -> Probe:
        return probe_activations(self, self.session.about(), self.secret)


class _Domain(ActiveDirectory):
    secret: Callable[[int], str]

    def probe(self) -> Probe:
        return probe_groups(self, self.session.about(), self.secret)


def _open_groups(opening: Opening) -> _LdapGroups:
    settings = opening.settings
    membership = settings.get("membership", "") or "groupOfNames"
    attribute, needs_one = CLASSES[membership]
    placeholder = settings.get("placeholder", "") if needs_one else ""
    made = _LdapGroups(
        Session(opening.outbound, where(opening)),
        opening.managed,
        Shape(attribute, placeholder, plain=membership == "posixGroup"),
        people(settings),
        _fencing(opening),
        opening.clock,
    )
    made.secret = opening.secret
    return made


def _open_activations(opening: Opening) -> _LdapActivations:
    settings = opening.settings
    made = _LdapActivations(
        Session(opening.outbound, where(opening)),
        opening.managed,
        check_dn(settings["activations_base"]),
        settings.get("role_attribute", "") or "businessCategory",
        people(settings),
        _fencing(opening),
        opening.clock,
    )
    made.secret = opening.secret
    return made


def _open_domain(opening: Opening) -> _Domain:
    made = _Domain(
        Session(opening.outbound, where(opening)),
        opening.managed,
        Shape("member"),
        people(opening.settings),
        _fencing(opening),
        opening.clock,
    )
    made.secret = opening.secret
    made.ticket = ticket_life(opening.settings)
    made.links_end = opening.settings.get("ttl_links") == "on"
    return made


def _fencing(opening: Opening) -> Fencing:
    attribute = opening.settings.get("fence_attribute", "") or NO_FENCE
    return Fencing("" if attribute == NO_FENCE else attribute, opening.target_id, opening.settings["host"])


def _domain_can(settings: Mapping[str, str]) -> Capabilities:
    return Capabilities(
        native_end="new_logins" if settings.get("ttl_links") == "on" else "none",
        granularity=timedelta(seconds=2),
        grant_live="next_token",
        revoke_live="session_keeps",
        worst_case_after_revoke=ticket_life(settings),
        watch=True,
        atomic_batch=True,
    )


KIND: Final = ConnectorKind(
    name="ldap",
    title="LDAP directory: membership of groups",
    settings=GROUPS,
    capabilities=lambda _settings: Capabilities(atomic_batch=True),
    open=_open_groups,
    check_subject=check_subject,
    check_entitlement=check_dn,
    check_settings=check_groups,
    subject="{localPart}",
    written=written,
)
ACTIVATIONS_KIND: Final = ConnectorKind(
    name="ldap-activations",
    title="OpenLDAP: entries that end by themselves (dds)",
    settings=ACTIVATIONS,
    capabilities=lambda _settings: Capabilities(
        native_end="full", granularity=GRANULARITY, per_activation=True
    ),
    open=_open_activations,
    check_subject=check_subject,
    check_entitlement=check_role,
    check_settings=check_activations,
    subject="{localPart}",
    written=written,
)
DOMAIN_KIND: Final = ConnectorKind(
    name="activedirectory",
    title="Active Directory, Samba: membership of groups",
    settings=ACTIVE_DIRECTORY,
    capabilities=_domain_can,
    open=_open_domain,
    check_subject=check_subject,
    check_entitlement=check_dn,
    check_settings=check_active_directory,
    written=written,
)
