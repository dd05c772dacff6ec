"""Directory objects of all kinds: how users, groups, service principals, units and applications are shown.

Where several kinds stand in one list, each says which it is. The files of the kinds hold their addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from openpim.core import query as q
from openpim.core.directory import (
    AdministrativeUnit,
    Application,
    Group,
    Principal,
    PrincipalKind,
    ServicePrincipal,
    User,
    UserType,
)
from openpim.faces.graph import filters
from openpim.faces.graph.application_claims import claim_members
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import unsupported
from openpim.faces.graph.resource import Resource, Row, listed
from openpim.services import browse
from openpim.services.browse import DirectoryObject
from openpim.wire import odata
from openpim.wire.errors import shown
from openpim.wire.instants import render_datetime
from openpim.wire.odata import QueryOptions

USER_DEFAULT = (
    "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
    "preferredLanguage", "surname", "userPrincipalName", "id",
)  # fmt: skip


def user_row(_call: Call, user: User) -> Row:
    guest = user.user_type is UserType.GUEST
    return {
        "businessPhones": [],
        "displayName": user.display_name,
        "givenName": user.given_name,
        "jobTitle": user.job_title,
        "mail": user.mail,
        "mobilePhone": user.mobile_phone,
        "officeLocation": user.office_location,
        "preferredLanguage": None,
        "surname": user.surname,
        "userPrincipalName": user.user_principal_name,
        "id": user.id,
        "accountEnabled": user.enabled,
        "companyName": None,
        "createdDateTime": render_datetime(user.created_at),
        "creationType": "Invitation" if guest else None,
        "deletedDateTime": None,
        "department": user.department,
        "employeeId": user.employee_id,
        "externalUserState": "Accepted" if guest else None,
        "imAddresses": [],
        "mailNickname": user.user_principal_name.partition("@")[0],
        "onPremisesSyncEnabled": None,
        "otherMails": [],
        "proxyAddresses": [],
        "usageLocation": None,
        "userType": user.user_type.value,
    }


def group_row(_call: Call, group: Group) -> Row:
    return {
        "id": group.id,
        "deletedDateTime": None,
        "classification": None,
        "createdDateTime": render_datetime(group.created_at),
        "description": group.description,
        "displayName": group.display_name,
        "groupTypes": ["DynamicMembership"] if group.dynamic else [],
        "isAssignableToRole": group.role_assignable,
        "mail": None,
        "mailEnabled": False,
        "mailNickname": group.mail_nickname,
        "membershipRule": group.membership_rule,
        "membershipRuleProcessingState": "On" if group.dynamic else None,
        "onPremisesSyncEnabled": True if group.synced else None,
        "proxyAddresses": [],
        "securityEnabled": group.security_enabled,
        "visibility": None,
    }


def service_principal_row(_call: Call, principal: ServicePrincipal) -> Row:
    return {
        "id": principal.id,
        "deletedDateTime": None,
        "accountEnabled": principal.enabled,
        "appDisplayName": principal.display_name,
        "appId": principal.app_id,
        "appRoleAssignmentRequired": False,
        "createdDateTime": render_datetime(principal.created_at),
        "displayName": principal.display_name,
        "servicePrincipalNames": [principal.app_id],
        "servicePrincipalType": "Application",
        "tags": [],
        "openPim": {"permissions": list(principal.permissions)},
    }


def application_row(_call: Call, application: Application) -> Row:
    redirects = list(application.redirect_uris)
    return {
        "id": application.id,
        "deletedDateTime": None,
        "appId": application.app_id,
        "createdDateTime": render_datetime(application.created_at),
        "displayName": application.display_name,
        "identifierUris": list(application.identifier_uris),
        "isFallbackPublicClient": application.public,
        **claim_members(application),
        "publicClient": {"redirectUris": redirects if application.public else []},
        "signInAudience": "AzureADMultipleOrgs",
        "web": {
            "logoutUrl": application.logout_uri,
            "redirectUris": [] if application.public else redirects,
        },
    }


def unit_row(_call: Call, unit: AdministrativeUnit) -> Row:
    return {
        "id": unit.id,
        "deletedDateTime": None,
        "description": unit.description,
        "displayName": unit.display_name,
        "isMemberManagementRestricted": False,
        "visibility": None,
    }


_ENABLED = filters.boolean("enabled")
_COMMON: dict[str, filters.Property] = {
    "id": filters.guid("id"),
    "displayname": filters.text("display_name"),
    "createddatetime": filters.instant("created_at"),
    "deleteddatetime": filters.constant(None),
}


def _dynamic(value: str | None) -> q.Condition:
    if value is not None and value.lower() == "dynamicmembership":
        return q.Compare("membership_rule", "ne", None)
    return filters.NONE


def _expand_manager(call: Call, people: Sequence[User], options: QueryOptions) -> list[Any]:
    above = browse.managers_of(call.deps, call.caller, people)
    return [object_rows(call, [above[one.id]], options)[0] if one.id in above else None for one in people]


def _expand_memberships(call: Call, people: Sequence[Any], options: QueryOptions) -> list[Any]:
    found: list[Any] = []
    for one in people:
        page = browse.memberships(call.deps, call.caller, one.id, q.Query(limit=20))
        found.append(object_rows(call, page.items, options) if isinstance(page, q.Page) else [])
    return found


def _expand_people(*, owners: bool) -> Callable[[Call, Sequence[Group], QueryOptions], list[Any]]:
    def load(call: Call, groups: Sequence[Group], options: QueryOptions) -> list[Any]:
        found: list[Any] = []
        for one in groups:
            page = browse.members(call.deps, call.caller, one.id, q.Query(limit=20), owners=owners)
            if isinstance(page, q.Page):
                found.append(object_rows(call, detailed(call, page.items), options))
            else:
                found.append([])
        return found

    return load


USERS: Resource[User] = Resource(
    path="users",
    type="user",
    render=user_row,
    default=USER_DEFAULT,
    tolerant=True,
    properties={
        **_COMMON,
        "userprincipalname": filters.text("user_principal_name"),
        "mail": filters.text("mail"),
        "givenname": filters.text("given_name"),
        "surname": filters.text("surname"),
        "jobtitle": filters.text("job_title"),
        "department": filters.text("department"),
        "officelocation": filters.text("office_location"),
        "mobilephone": filters.text("mobile_phone"),
        "employeeid": filters.text("employee_id"),
        "accountenabled": _ENABLED,
        "usertype": filters.word("user_type", UserType),
    },
    expanders={"manager": _expand_manager, "memberOf": _expand_memberships},
)
GROUPS: Resource[Group] = Resource(
    path="groups",
    type="group",
    render=group_row,
    tolerant=True,
    properties={
        **_COMMON,
        "description": filters.text("description"),
        "mailnickname": filters.text("mail_nickname"),
        "isassignabletorole": filters.boolean("role_assignable"),
        "securityenabled": filters.boolean("security_enabled"),
        "mailenabled": filters.constant(False),
        "mail": filters.constant(None),
        "grouptypes/any": filters.decided(_dynamic),
    },
    expanders={
        "members": _expand_people(owners=False),
        "owners": _expand_people(owners=True),
        "memberOf": _expand_memberships,
    },
)
SERVICE_PRINCIPALS: Resource[ServicePrincipal] = Resource(
    path="servicePrincipals",
    type="servicePrincipal",
    render=service_principal_row,
    tolerant=True,
    properties={
        **_COMMON,
        "appid": filters.guid("app_id"),
        "appdisplayname": filters.text("display_name"),
        "accountenabled": _ENABLED,
        "serviceprincipaltype": filters.constant("Application"),
        "serviceprincipalnames/any": filters.guid("app_id"),
    },
    expanders={"memberOf": _expand_memberships},
)
APPLICATIONS: Resource[Application] = Resource(
    path="applications",
    type="application",
    render=application_row,
    tolerant=True,
    properties={
        **_COMMON,
        "appid": filters.guid("app_id"),
        "isfallbackpublicclient": filters.boolean("public"),
    },
)
UNITS: Resource[AdministrativeUnit] = Resource(
    path="directory/administrativeUnits",
    type="administrativeUnit",
    render=unit_row,
    tolerant=True,
    properties={**_COMMON, "description": filters.text("description")},
)


def _of_type(value: str | None) -> q.Condition:
    kind = (value or "").lower().removeprefix("#").removeprefix("microsoft.graph.")
    found = next((one for one in PrincipalKind if one.value.lower() == kind), None)
    return q.Compare("kind", "eq", found.value) if found is not None else filters.NONE


PRINCIPALS: dict[str, filters.Property] = {
    "id": filters.guid("id"),
    "displayname": filters.text("display_name"),
    "accountenabled": _ENABLED,
    "createddatetime": filters.instant("created_at"),
    "@odata.type": filters.decided(_of_type),
}

_BY_TYPE: tuple[tuple[type, Resource[Any]], ...] = (
    (User, USERS),
    (Group, GROUPS),
    (ServicePrincipal, SERVICE_PRINCIPALS),
    (AdministrativeUnit, UNITS),
    (Application, APPLICATIONS),
)


def resource_of(value: object) -> Resource[Any]:
    return next(resource for kind, resource in _BY_TYPE if isinstance(value, kind))


def object_rows(call: Call, values: Sequence[DirectoryObject], options: QueryOptions) -> list[Row]:
    """Objects of several kinds, each with its type first."""
    return [resource_of(value).rows(call, (value,), options, typed=True)[0] for value in values]


def expanded(call: Call, ids: Sequence[str | None], options: QueryOptions) -> list[Any]:
    """The directory object behind each id, None where there is none: for `$expand=principal`."""
    found = browse.objects_by_id(call.deps, call.caller, {one for one in ids if one})
    rows: dict[str, Row] = {}
    for key, value in found.items():
        row = object_rows(call, (value,), options)[0]
        if isinstance(value, User) and not options.select:
            row |= {"accountEnabled": value.enabled, "userType": value.user_type.value}
        rows[key] = row
    return [rows.get(one) if one else None for one in ids]


def detailed(call: Call, principals: Collection[Principal]) -> list[DirectoryObject]:
    """The principals with all that is known of them, in their order."""
    found = browse.objects_by_id(call.deps, call.caller, [one.id for one in principals])
    return [found[one.id] for one in principals if one.id in found]


_CAST_PATHS = {"user": "users", "group": "groups", "serviceprincipal": "servicePrincipals"}


def people_query(call: Call) -> q.Query:
    """What is asked of a list of principals; a cast at the end of the address keeps one kind."""
    extra = _of_type(call.cast) if call.cast else None
    return filters.build(call.options, PRINCIPALS, extra=extra)


def people(call: Call, page: q.Page[Principal]) -> Answer:
    """A page of principals of any kind."""
    rows = object_rows(call, detailed(call, page.items), call.options)
    path = _CAST_PATHS.get(call.cast or "", "directoryObjects")
    parts = [name for name in call.options.select if name != "*"]
    fragment = path + (f"({','.join(parts)})" if parts else "")
    return listed(call, fragment, rows, page.next, page.total)


# ---------------------------------------------------------------- $search


def searching(call: Call, fields: dict[str, str]) -> q.Condition | None:
    """`$search` as a condition: a value begins with the term. fields: lower-case property -> field of the model."""
    search = call.options.search
    if search is None:
        return None
    if not call.eventual:
        raise unsupported(
            "Request with $search query parameter only works with the header 'ConsistencyLevel: eventual'."
        )
    return _searched(search, fields)


def _searched(search: odata.Search, fields: dict[str, str]) -> q.Condition:
    match search:
        case odata.SearchAll(terms=terms):
            return q.All(tuple(_searched(term, fields) for term in terms))
        case odata.SearchAny(terms=terms):
            return q.Some(tuple(_searched(term, fields) for term in terms))
        case odata.SearchNot(term=term):
            return q.Not(_searched(term, fields))
        case odata.SearchTerm(field=field, text=text):
            if "\x00" in text:
                return filters.NONE
            if field is None:
                return q.Some(tuple(q.Compare(name, "startswith", text) for name in fields.values()))
            known = fields.get(field.lower())
            if known is None:
                raise odata.ODataError("$search", f"the property {shown(field)} cannot be searched")
            return q.Compare(known, "startswith", text)
