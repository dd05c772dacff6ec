"""The resources that are served, as scim2-models describes them: the standard's, less what is not for provisioners to say.

Left out of `User` are passwords, groups, roles, entitlements and certificates: what a provisioner sends of these is dropped, and
/Schemas does not name them.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from pydantic import Field
from scim2_models import Address as _Address
from scim2_models import (
    AnyExtension,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    External,
    Filter,
    Mutability,
    Name,
    Patch,
    PhoneNumber,
    Photo,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_models import EnterpriseUser as _Enterprise
from scim2_models import Group as _Group
from scim2_models import Im as _Im
from scim2_models import User as _User

MOST: Final = 200  # resources a page
# How Microsoft Entra ID and Okta depart from the standard: attributes we do not have, values in a remove, filters that match
# nothing yet in a path.
TOLERANT: Final = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)


class Manager(ComplexAttribute):
    """RFC 7643 4.3; the reference may be left out, as Entra does."""

    value: Annotated[str | None, CaseExact.true] = None
    """The id of the manager's User resource."""

    ref: Reference[_User[Any]] | None = Field(None, serialization_alias="$ref", validation_alias="$ref")
    """The address of the manager's User resource."""

    display_name: Annotated[str | None, Mutability.read_only] = None
    """The manager's name."""


class EnterpriseUser(Extension):
    __schema__ = _Enterprise.__schema__

    employee_number: str | None = None
    """The number of the employee; up to 16 characters are also kept in the directory."""

    cost_center: str | None = None
    """The name of a cost center."""

    organization: str | None = None
    """The name of an organization."""

    division: str | None = None
    """The name of a division."""

    department: str | None = None
    """The name of a department."""

    manager: Manager | None = None
    """The user's manager."""

    Manager: ClassVar[type[ComplexAttribute]] = Manager


class Email(ComplexAttribute):
    """RFC 7643 4.1.2. Any address: scim2-models takes only those of names that the internet could have."""

    value: str | None = None
    """The address."""

    display: str | None = None
    """A name for it."""

    type: str | None = Field(None, examples=["work", "home", "other"])
    """What it is for."""

    primary: bool | None = None
    """Whether it is the preferred one."""


class User(Resource[AnyExtension]):
    __schema__ = _User.__schema__

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """What the person signs in with; without a domain it is in the organisation's default one."""

    name: Name | None = None
    """The parts of the name."""

    Name: ClassVar[type[ComplexAttribute]] = Name

    display_name: str | None = None
    """The name that is shown."""

    nick_name: str | None = None
    """The casual name."""

    profile_url: Reference[External] | None = None
    """The address of a page about the person."""

    title: str | None = None
    """The job title."""

    user_type: str | None = None
    """How the person belongs to the organization; kept as written."""

    preferred_language: str | None = None
    """The preferred language."""

    locale: str | None = None
    """The locale for currencies and dates."""

    timezone: str | None = None
    """The time zone."""

    active: bool | None = None
    """Whether the person may sign in. False ends all sessions and activations, for good."""

    emails: list[Email] | None = None
    """Addresses; the primary one, else the one of type work, else the first is the directory's."""

    Emails: ClassVar[type[ComplexAttribute]] = Email

    phone_numbers: list[PhoneNumber] | None = None
    """Numbers; the one of type mobile is the directory's."""

    PhoneNumbers: ClassVar[type[ComplexAttribute]] = PhoneNumber

    ims: list[_Im] | None = None
    """Instant messaging addresses."""

    Ims: ClassVar[type[ComplexAttribute]] = _Im

    photos: list[Photo] | None = None
    """Addresses of photos."""

    Photos: ClassVar[type[ComplexAttribute]] = Photo

    addresses: list[_Address] | None = None
    """Postal addresses."""

    Addresses: ClassVar[type[ComplexAttribute]] = _Address


class Member(ComplexAttribute):
    """RFC 7643 4.2."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    """The id of the user or group."""

    ref: Annotated[Reference[_User[Any] | _Group] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """Its address."""

    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User", "Group"])
    """Which of the two it is."""


class Group(Resource[Any]):
    __schema__ = _Group.__schema__

    display_name: Annotated[str | None, Required.true] = None
    """The name of the group; no two groups have the same."""

    members: list[Member] | None = None
    """Who is in it. In a group that gives privileges: whom this client put there, active or eligible."""

    Members: ClassVar[type[ComplexAttribute]] = Member


FullUser: Final[Any] = User[EnterpriseUser]


def provider(documentation: str) -> ScimProvider:
    """What /ServiceProviderConfig, /ResourceTypes and /Schemas say. documentation: an address."""
    config = ServiceProviderConfig(
        documentation_uri=Reference(documentation),
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MOST),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="OAuth bearer token",
                description="A provisioning token, or an access token of an application with Provisioning.ReadWrite.All.",
                spec_uri=Reference("https://www.rfc-editor.org/info/rfc6750"),
                primary=True,
            )
        ],
    )
    types = [
        ResourceType.from_resource(FullUser),
        ResourceType.from_resource(Group),
    ]
    return ScimProvider([User, EnterpriseUser, Group], types, config, TOLERANT)


__all__ = ["MOST", "TOLERANT", "EnterpriseUser", "FullUser", "Group", "User", "provider"]
