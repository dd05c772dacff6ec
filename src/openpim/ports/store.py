"""The store as the acts see it: units of work, and in each one small repository for every noun.

A repository is bound to the tenant of its unit of work; no method takes a tenant id, so no act can forget it.
Every method that depends on the time takes `now`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from openpim.ports.administrative_units import AdministrativeUnits
from openpim.ports.app_roles import AppRoleAssignments
from openpim.ports.applications import Applications
from openpim.ports.approvals import Approvals
from openpim.ports.audit import Audit
from openpim.ports.audit_log import AuditLog
from openpim.ports.audit_search import AuditSearch
from openpim.ports.bundles import Bundles
from openpim.ports.channels import Channels
from openpim.ports.checkpoints import Checkpoints
from openpim.ports.client_credentials import ClientCredentials
from openpim.ports.client_sessions import ClientSessions
from openpim.ports.credentials import AuthenticationContexts, Credentials, SetupLinks
from openpim.ports.cursors import Cursors
from openpim.ports.decisions import Decisions
from openpim.ports.deliveries import Deliveries, NotificationPreferences
from openpim.ports.figures import Figures
from openpim.ports.groups import Groups
from openpim.ports.oauth import AuthorizationCodes, DeviceCodes, Grants, RefreshTokens, Revocations
from openpim.ports.organisation_settings import OrganisationSettings
from openpim.ports.outbox import Outbox
from openpim.ports.passkeys import Passkeys
from openpim.ports.permission_grants import PermissionGrants
from openpim.ports.policies import Policies
from openpim.ports.principals import Principals
from openpim.ports.provisioning import Provisioning
from openpim.ports.requests import Requests
from openpim.ports.resources import DenyAssignments, ResourceRoles, Resources
from openpim.ports.roles import Roles
from openpim.ports.schedules import Schedules
from openpim.ports.service_principals import ServicePrincipals
from openpim.ports.sessions import Sessions
from openpim.ports.signals import SignalStreams
from openpim.ports.signing_keys import SigningKeys
from openpim.ports.streams import Streams
from openpim.ports.tallies import Tallies
from openpim.ports.targets import Effects, Targets
from openpim.ports.tenants import Tenants
from openpim.ports.throttle import Throttle
from openpim.ports.timelines import Timelines
from openpim.ports.users import Users

T = TypeVar("T")


class StoreUnavailableError(Exception):
    """The database cannot be reached; nothing was changed. Faces answer 503."""


class Savepoint(Protocol):
    rolled_back: bool

    def roll_back(self) -> None: ...


class Transaction(Protocol):
    """One unit of work of one tenant. `savepoint` undoes a part: `point.roll_back()` leaves its `with` block."""

    tenant_id: str

    def savepoint(self) -> AbstractContextManager[Savepoint]: ...

    def in_tenant(self, tenant_id: str) -> Transaction:
        """The same unit of work, bound to another tenant: only for signing in, which finds out which one it is."""
        ...

    def lock_principal(self, id: str) -> None:
        """Hold a principal until the commit: two units of work that change what it has go one after the other."""
        ...

    def lock_principals(self, ids: Collection[str]) -> None:
        """The same for many, always in the same order."""
        ...

    def lock_tenant(self) -> None:
        """The same for what concerns the whole tenant (its last administrator, the names that must be unique)."""
        ...

    # -- the directory
    @property
    def administrative_units(self) -> AdministrativeUnits: ...
    @property
    def app_role_assignments(self) -> AppRoleAssignments: ...
    @property
    def applications(self) -> Applications: ...
    @property
    def groups(self) -> Groups: ...
    @property
    def organisation_settings(self) -> OrganisationSettings: ...
    @property
    def passkeys(self) -> Passkeys: ...
    @property
    def permission_grants(self) -> PermissionGrants: ...
    @property
    def principals(self) -> Principals: ...
    @property
    def provisioning(self) -> Provisioning: ...
    @property
    def roles(self) -> Roles: ...
    @property
    def service_principals(self) -> ServicePrincipals: ...
    @property
    def tenants(self) -> Tenants: ...
    @property
    def users(self) -> Users: ...

    # -- resources
    @property
    def deny_assignments(self) -> DenyAssignments: ...
    @property
    def resource_roles(self) -> ResourceRoles: ...
    @property
    def resources(self) -> Resources: ...

    # -- the life of a grant
    @property
    def schedules(self) -> Schedules: ...
    @property
    def tallies(self) -> Tallies: ...

    @property
    def timelines(self) -> Timelines: ...
    @property
    def requests(self) -> Requests: ...
    @property
    def approvals(self) -> Approvals: ...
    @property
    def policies(self) -> Policies: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def audit_log(self) -> AuditLog: ...
    @property
    def audit_search(self) -> AuditSearch: ...
    @property
    def checkpoints(self) -> Checkpoints: ...
    @property
    def cursors(self) -> Cursors: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def signal_streams(self) -> SignalStreams: ...
    @property
    def streams(self) -> Streams: ...

    # -- what is told
    @property
    def deliveries(self) -> Deliveries: ...
    @property
    def notification_preferences(self) -> NotificationPreferences: ...

    # -- other systems
    @property
    def channels(self) -> Channels: ...

    # -- real systems
    @property
    def effects(self) -> Effects: ...
    @property
    def targets(self) -> Targets: ...

    # -- the whole server
    @property
    def decisions(self) -> Decisions: ...
    @property
    def figures(self) -> Figures: ...

    # -- the portal
    @property
    def bundles(self) -> Bundles: ...

    # -- signing in
    @property
    def authentication_contexts(self) -> AuthenticationContexts: ...
    @property
    def authorization_codes(self) -> AuthorizationCodes: ...
    @property
    def client_credentials(self) -> ClientCredentials: ...
    @property
    def client_sessions(self) -> ClientSessions: ...
    @property
    def credentials(self) -> Credentials: ...
    @property
    def device_codes(self) -> DeviceCodes: ...
    @property
    def grants(self) -> Grants: ...
    @property
    def refresh_tokens(self) -> RefreshTokens: ...
    @property
    def revocations(self) -> Revocations: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def setup_links(self) -> SetupLinks: ...
    @property
    def signing_keys(self) -> SigningKeys: ...
    @property
    def throttle(self) -> Throttle: ...


class Store(Protocol):
    @property
    def local(self) -> bool:
        """It is in this process: reads cost processor time and wait for nobody."""
        ...

    def write(self, tenant_id: str, work: Callable[[Transaction], T]) -> T:
        """One transaction: commits when `work` returns, rolls back when it raises. `work` may be run again."""
        ...

    def read(self, tenant_id: str, work: Callable[[Transaction], T]) -> T:
        """Reads only."""
        ...

    def snapshot(self, tenant_id: str, work: Callable[[Transaction], T]) -> T:
        """Reads only, and all of them see what was committed at one moment."""
        ...

    def gathered(self) -> Store:
        """The same store, for the several acts that answer one question, in one thread: what one of them was told is not
        asked again for the next. A write ends what was told."""
        ...
