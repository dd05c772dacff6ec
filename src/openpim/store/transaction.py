"""The unit of work: one connection, one tenant, one small repository for each noun, made when first used."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cached_property

from sqlalchemy import Connection

from openpim.store.administrative_units import AdministrativeUnits
from openpim.store.app_roles import AppRoleAssignments
from openpim.store.applications import Applications
from openpim.store.approvals import Approvals
from openpim.store.audit import Audit
from openpim.store.audit_log import AuditLog
from openpim.store.audit_search import AuditSearch
from openpim.store.bundles import Bundles
from openpim.store.channels import Channels
from openpim.store.checkpoints import Checkpoints
from openpim.store.client_credentials import ClientCredentials
from openpim.store.client_sessions import ClientSessions
from openpim.store.credentials import AuthenticationContexts, Credentials, SetupLinks
from openpim.store.cursors import Cursors
from openpim.store.decisions import Decisions
from openpim.store.deliveries import Deliveries, NotificationPreferences
from openpim.store.deny_assignments import DenyAssignments
from openpim.store.device_codes import DeviceCodes
from openpim.store.effects import Effects
from openpim.store.figures import Figures
from openpim.store.groups import Groups
from openpim.store.oauth import AuthorizationCodes, Grants, RefreshTokens, Revocations
from openpim.store.organisation_settings import OrganisationSettings
from openpim.store.outbox import Outbox
from openpim.store.passkeys import Passkeys
from openpim.store.permission_grants import PermissionGrants
from openpim.store.policies import Policies
from openpim.store.principals import Principals, forget_read
from openpim.store.provisioning import Provisioning
from openpim.store.requests import Requests
from openpim.store.resource_roles import ResourceRoles
from openpim.store.resources import Resources
from openpim.store.roles import Roles
from openpim.store.schedules import Schedules
from openpim.store.service_principals import ServicePrincipals
from openpim.store.sessions import Sessions
from openpim.store.signals import SignalStreams
from openpim.store.signing_keys import SigningKeys
from openpim.store.streams import Streams
from openpim.store.tallies import Tallies
from openpim.store.targets import Targets
from openpim.store.tenants import Tenants
from openpim.store.throttle import Throttle
from openpim.store.timelines import Timelines
from openpim.store.told import Told
from openpim.store.users import Users


class Undo(Exception):  # noqa: N818 - a signal inside `savepoint`, never seen outside
    """Raised by Savepoint.roll_back."""


class Savepoint:
    def __init__(self) -> None:
        self.rolled_back = False

    def roll_back(self) -> None:
        """Undo all that was written since the savepoint was set; leaves the `with` block."""
        self.rolled_back = True
        raise Undo


class StoreTransaction:
    """See `ports.store.Transaction`."""

    def __init__(self, connection: Connection, tenant_id: str, told: Told | None = None) -> None:
        """told: where a unit of work that only reads keeps what it was told, so that it does not ask twice."""
        self.connection = connection
        self.tenant_id = tenant_id
        self._told = told

    def in_tenant(self, tenant_id: str) -> StoreTransaction:
        return StoreTransaction(self.connection, tenant_id, self._told)

    @contextmanager
    def savepoint(self) -> Iterator[Savepoint]:
        """`with tx.savepoint() as point: ...; point.roll_back()` undoes the block and nothing else."""
        point = Savepoint()
        nested = self.connection.begin_nested()
        try:
            yield point
        except Undo:
            nested.rollback()
            forget_read(self.connection)
        except BaseException:
            forget_read(self.connection)
            # Not when an inner savepoint could not be released: then the whole unit of work is lost anyway.
            if nested.is_active and self.connection.get_nested_transaction() is nested:
                nested.rollback()
            raise
        else:
            nested.commit()

    # -- the directory
    @cached_property
    def administrative_units(self) -> AdministrativeUnits:
        return AdministrativeUnits(self.connection, self.tenant_id)

    @cached_property
    def app_role_assignments(self) -> AppRoleAssignments:
        return AppRoleAssignments(self.connection, self.tenant_id)

    @cached_property
    def applications(self) -> Applications:
        return Applications(self.connection, self.tenant_id)

    @cached_property
    def groups(self) -> Groups:
        return Groups(self.connection, self.tenant_id, self._told)

    @cached_property
    def organisation_settings(self) -> OrganisationSettings:
        return OrganisationSettings(self.connection, self.tenant_id)

    @cached_property
    def passkeys(self) -> Passkeys:
        return Passkeys(self.connection, self.tenant_id)

    @cached_property
    def permission_grants(self) -> PermissionGrants:
        return PermissionGrants(self.connection, self.tenant_id)

    @cached_property
    def principals(self) -> Principals:
        return Principals(self.connection, self.tenant_id, self._told)

    @cached_property
    def provisioning(self) -> Provisioning:
        return Provisioning(self.connection, self.tenant_id)

    @cached_property
    def roles(self) -> Roles:
        return Roles(self.connection, self.tenant_id)

    @cached_property
    def service_principals(self) -> ServicePrincipals:
        return ServicePrincipals(self.connection, self.tenant_id)

    @cached_property
    def tenants(self) -> Tenants:
        return Tenants(self.connection, self.tenant_id, self._told)

    @cached_property
    def users(self) -> Users:
        return Users(self.connection, self.tenant_id, self._told)

    def lock_principal(self, id: str) -> None:
        self.principals.lock(id)

    def lock_principals(self, ids: Collection[str]) -> None:
        self.principals.lock(*ids)

    def lock_tenant(self) -> None:
        self.tenants.lock()

    # -- resources
    @cached_property
    def deny_assignments(self) -> DenyAssignments:
        return DenyAssignments(self.connection, self.tenant_id)

    @cached_property
    def resource_roles(self) -> ResourceRoles:
        return ResourceRoles(self.connection, self.tenant_id)

    @cached_property
    def resources(self) -> Resources:
        return Resources(self.connection, self.tenant_id)

    # -- the life of a grant
    @cached_property
    def schedules(self) -> Schedules:
        return Schedules(self.connection, self.tenant_id, self._told)

    @cached_property
    def tallies(self) -> Tallies:
        return Tallies(self.connection, self.tenant_id, self._told)

    @cached_property
    def timelines(self) -> Timelines:
        return Timelines(self.connection, self.tenant_id)

    @cached_property
    def requests(self) -> Requests:
        return Requests(self.connection, self.tenant_id)

    @cached_property
    def approvals(self) -> Approvals:
        return Approvals(self.connection, self.tenant_id, self._told)

    @cached_property
    def policies(self) -> Policies:
        return Policies(self.connection, self.tenant_id)

    @cached_property
    def audit(self) -> Audit:
        return Audit(self.connection, self.tenant_id)

    @cached_property
    def audit_log(self) -> AuditLog:
        return AuditLog(self.connection, self.tenant_id)

    @cached_property
    def audit_search(self) -> AuditSearch:
        return AuditSearch(self.connection, self.tenant_id)

    @cached_property
    def checkpoints(self) -> Checkpoints:
        return Checkpoints(self.connection, self.tenant_id)

    @cached_property
    def cursors(self) -> Cursors:
        return Cursors(self.connection, self.tenant_id)

    @cached_property
    def outbox(self) -> Outbox:
        return Outbox(self.connection, self.tenant_id)

    @cached_property
    def signal_streams(self) -> SignalStreams:
        return SignalStreams(self.connection, self.tenant_id)

    @cached_property
    def streams(self) -> Streams:
        return Streams(self.connection, self.tenant_id)

    # -- what is told
    @cached_property
    def deliveries(self) -> Deliveries:
        return Deliveries(self.connection, self.tenant_id)

    @cached_property
    def notification_preferences(self) -> NotificationPreferences:
        return NotificationPreferences(self.connection, self.tenant_id)

    # -- other systems
    @cached_property
    def channels(self) -> Channels:
        return Channels(self.connection, self.tenant_id)

    @cached_property
    def effects(self) -> Effects:
        return Effects(self.connection, self.tenant_id)

    @cached_property
    def targets(self) -> Targets:
        return Targets(self.connection, self.tenant_id)

    # -- the whole server
    @cached_property
    def decisions(self) -> Decisions:
        return Decisions(self.connection, self.tenant_id)

    @cached_property
    def figures(self) -> Figures:
        return Figures(self.connection)

    # -- the portal
    @cached_property
    def bundles(self) -> Bundles:
        return Bundles(self.connection, self.tenant_id)

    # -- signing in
    @cached_property
    def authentication_contexts(self) -> AuthenticationContexts:
        return AuthenticationContexts(self.connection, self.tenant_id)

    @cached_property
    def authorization_codes(self) -> AuthorizationCodes:
        return AuthorizationCodes(self.connection, self.tenant_id)

    @cached_property
    def client_credentials(self) -> ClientCredentials:
        return ClientCredentials(self.connection, self.tenant_id)

    @cached_property
    def client_sessions(self) -> ClientSessions:
        return ClientSessions(self.connection, self.tenant_id)

    @cached_property
    def credentials(self) -> Credentials:
        return Credentials(self.connection, self.tenant_id)

    @cached_property
    def device_codes(self) -> DeviceCodes:
        return DeviceCodes(self.connection, self.tenant_id)

    @cached_property
    def grants(self) -> Grants:
        return Grants(self.connection, self.tenant_id)

    @cached_property
    def refresh_tokens(self) -> RefreshTokens:
        return RefreshTokens(self.connection, self.tenant_id)

    @cached_property
    def revocations(self) -> Revocations:
        return Revocations(self.connection, self.tenant_id)

    @cached_property
    def sessions(self) -> Sessions:
        return Sessions(self.connection, self.tenant_id)

    @cached_property
    def setup_links(self) -> SetupLinks:
        return SetupLinks(self.connection, self.tenant_id)

    @cached_property
    def signing_keys(self) -> SigningKeys:
        return SigningKeys(self.connection, self.tenant_id)

    @cached_property
    def throttle(self) -> Throttle:
        return Throttle(self.connection, self.tenant_id)
