"""What an application that people sign in to is told about them: which claims, where each stands, groups by id or by name,
and the application's own roles. The words are Entra's where it has them (groupMembershipClaims, optionalClaims, appRoles);
userinfo and the moment of sign-out are ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from openpim.core.pauses import doubled

Fault = tuple[str, str]


class Claim(StrEnum):
    """The claims that follow what a person holds now."""

    ROLES = "roles"
    WIDS = "wids"
    GROUPS = "groups"
    GROUP_NAMES = "group_names"


class Place(StrEnum):
    ID_TOKEN = "id_token"
    ACCESS_TOKEN = "access_token"
    USERINFO = "userinfo"


class LogoutWhen(StrEnum):
    """Besides at sign-out: when a claim of the application changed for the person, when he lost something, or never."""

    CHANGE = "change"
    LOSS = "loss"
    SIGN_OUT = "signOut"


ALL, SECURITY, ASSIGNED, DIRECTORY, NONE = (
    "All",
    "SecurityGroup",
    "ApplicationGroup",
    "DirectoryRole",
    "None",
)
SOURCES = (NONE, SECURITY, ASSIGNED, ALL, DIRECTORY)
BY_NAME = "cloud_displayname"
# Claims that people's tokens carry here anyway, or when the scope says so: naming them changes nothing, and other tools do.
ALWAYS = frozenset(
    {"acrs", "auth_time", "email", "family_name", "given_name", "preferred_username", "sid", "upn", "xms_cc"}
)
DEFAULT_ROLE = "00000000-0000-0000-0000-000000000000"  # assigned to the application, without any of its roles
MAX_ROLES = 250
MAX_NAMED = 50
# What does not fit into a token is told by userinfo alone (OpenID Connect Core 5.6.2): a request header has its limits.
MOST_VALUES = 200
MOST_BYTES = 9000
_VALUE = re.compile(
    r"[\x21\x23-\x5b\x5d-\x7e]{1,120}\Z"
)  # a scope-token of RFC 6749: no space, quote, backslash
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


@dataclass(frozen=True, slots=True)
class AppRole:
    """value: what stands in the claim. members: "User" (people and groups), "Application", or both."""

    id: str
    value: str
    display_name: str
    description: str = ""
    enabled: bool = True
    members: tuple[str, ...] = ("User",)


@dataclass(frozen=True, slots=True)
class Named:
    """One of optionalClaims. properties: BY_NAME makes `groups` carry names."""

    name: str
    properties: tuple[str, ...] = ()
    essential: bool = False
    source: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimSettings:
    """group_claims: Entra's groupMembershipClaims, several with commas; None: not said. userinfo None: all four.
    only_named: tokens carry of the four what is named for them, and nothing by default."""

    group_claims: str | None = None
    id_token: tuple[Named, ...] = ()
    access_token: tuple[Named, ...] = ()
    userinfo: tuple[Named, ...] | None = None
    only_named: bool = False
    logout_when: LogoutWhen = LogoutWhen.CHANGE

    @property
    def sources(self) -> frozenset[str]:
        return frozenset(one.strip() for one in (self.group_claims or "").split(",") if one.strip())

    def named(self, place: Place) -> tuple[Named, ...]:
        chosen = {Place.ID_TOKEN: self.id_token, Place.ACCESS_TOKEN: self.access_token}
        return chosen.get(place, self.userinfo or ())


PLAIN = ClaimSettings()


@dataclass(frozen=True, slots=True)
class AppRoleAssignment:
    """principal_id: a user, a group or an application. resource_id: the application's service principal here."""

    id: str
    principal_id: str
    resource_id: str
    app_role_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ClientSession:
    """A person is signed in at an application: it was given an ID token in this session. One for each session and client.

    tenant_id, user_id: the person there. issuer: as in his ID token. claims: what the application may know, by the claim.
    check_at: when it must be looked at again. over: signed out; the application is still to be told.
    """

    session_id: str
    client_id: str
    tenant_id: str
    user_id: str
    home_tenant_id: str
    home_user_id: str
    grant_id: str
    issuer: str
    claims: Mapping[str, tuple[str, ...]]
    at: datetime
    check_at: datetime
    over: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """What stands in one place. by_name: `groups` has names."""

    claims: frozenset[Claim] = frozenset()
    by_name: bool = False


def placed(settings: ClaimSettings, place: Place, *, has_roles: bool) -> Placed:
    """has_roles: the application has roles of its own."""
    named = {one.name: one for one in settings.named(place)}
    chosen = {claim for claim in Claim if claim.value in named}
    sources = settings.sources
    if place is Place.USERINFO:
        if settings.userinfo is None:
            chosen = set(Claim)
    elif not settings.only_named:
        everywhere = {one.name for one in (*settings.id_token, *settings.access_token)}
        if has_roles:
            chosen.add(Claim.ROLES)
        if sources & {ALL, SECURITY, ASSIGNED} and Claim.GROUPS.value not in everywhere:
            chosen.add(Claim.GROUPS)
        if sources & {ALL, DIRECTORY} and Claim.WIDS.value not in everywhere:
            chosen.add(Claim.WIDS)
    if NONE in sources:
        chosen -= {Claim.GROUPS, Claim.GROUP_NAMES}
    groups = named.get(Claim.GROUPS.value)
    return Placed(frozenset(chosen), groups is not None and BY_NAME in groups.properties)


def compared(before: Mapping[str, Iterable[str]], after: Mapping[str, Iterable[str]]) -> tuple[bool, bool]:
    """(something was lost, something was gained), of the claims both know: a claim the application was not given before is
    no change of what it was given."""
    lost = gained = False
    for name in before.keys() & after.keys():
        old, new = set(before[name]), set(after[name])
        lost |= bool(old - new)
        gained |= bool(new - old)
    return lost, gained


def fitting(claims: Mapping[str, list[str]], userinfo: str) -> dict[str, Any]:
    """The claims as a token carries them; what is too much is named with the address that tells it."""
    found: dict[str, Any] = {}
    left, away = MOST_BYTES, []
    for name in [one.value for one in Claim if one.value in claims]:
        values = claims[name]
        size = len(json.dumps(values).encode())
        if len(values) > MOST_VALUES or size > left:
            away.append(name)
        else:
            left -= size
            found[name] = values
    if away:
        found["_claim_names"] = dict.fromkeys(away, "src1")
        found["_claim_sources"] = {"src1": {"endpoint": userinfo}}
    return found


# ---------------------------------------------------------------- logout tokens (OpenID Connect Back-Channel Logout 1.0)

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_TOKEN_LIFE = timedelta(minutes=2)
GIVE_UP = timedelta(days=7)
SAID_AT = 3  # the try whose failure is put on record
_REFUSALS = 5  # tries after which a receiver that says 400 is believed
_LONGEST_PAUSE = timedelta(minutes=5)


def pause_after(failures: int) -> timedelta:
    """A second, doubled each time, five minutes at most: who is away for a moment is told a moment later."""
    return doubled(failures, _LONGEST_PAUSE)


def final(status: int | None, attempt: int, age: timedelta) -> bool:
    """Whether it is no use to try again. status: what the application answered, None: nothing."""
    return age >= GIVE_UP or (status == 400 and attempt >= _REFUSALS)


# ---------------------------------------------------------------- what somebody writes into the settings


def app_role_faults(roles: Iterable[AppRole]) -> list[Fault]:
    found: list[Fault] = []
    given = list(roles)
    if len(given) > MAX_ROLES:
        found.append(("app_roles", f"at most {MAX_ROLES} roles are allowed"))
    for one in given[:MAX_ROLES]:
        name = one.value[:100]
        if not _GUID.match(one.id) or one.id == DEFAULT_ROLE:
            found.append(("app_roles", f"the id of the role {name} must be a guid of its own"))
        if not _VALUE.match(one.value) or one.value.startswith("."):
            found.append(
                (
                    "app_roles",
                    "the value of a role is 1 to 120 plain characters without spaces, and no dot in front",
                )
            )
        if not one.display_name.strip() or len(one.display_name) > 100 or not one.display_name.isprintable():
            found.append(("app_roles", f"the role {name} needs a name of 1 to 100 characters"))
        if len(one.description) > 1000:
            found.append(
                ("app_roles", f"the description of the role {name} may be at most 1000 characters long")
            )
        if not one.members or set(one.members) - {"User", "Application"}:
            found.append(("app_roles", f"the role {name} is for User, Application, or both"))
    for what, keys in (("ids", [one.id for one in given]), ("values", [one.value for one in given])):
        if len(set(keys)) < len(keys):
            found.append(("app_roles", f"two roles have the same {what[:-1]}"))
    return found


def claim_faults(settings: ClaimSettings) -> list[Fault]:
    found: list[Fault] = []
    unknown = settings.sources - set(SOURCES)
    if unknown or len(settings.group_claims or "") > 100:
        found.append(("group_claims", f"groupMembershipClaims is one or more of {', '.join(SOURCES)}"))
    elif NONE in settings.sources and len(settings.sources) > 1:
        found.append(("group_claims", f"{NONE} stands alone"))
    for place in Place:
        named = settings.named(place)
        if len(named) > MAX_NAMED or len({one.name for one in named}) < len(named):
            found.append(("claims", f"each claim is named once for the {place.value}, at most {MAX_NAMED}"))
        known = {claim.value for claim in Claim} | (ALWAYS if place is not Place.USERINFO else frozenset())
        for one in named[:MAX_NAMED]:
            if one.name not in known:
                found.append(("claims", f"there is no claim {one.name[:100]!r} here for the {place.value}"))
            wrong = set(one.properties) - ({BY_NAME} if one.name == Claim.GROUPS.value else set())
            if wrong and one.name not in ALWAYS:
                found.append(("claims", f"{one.name[:100]} knows no property {min(wrong)[:100]!r}"))
    return found


# ---------------------------------------------------------------- as JSON, for the store


def roles_json(roles: Iterable[AppRole]) -> str:
    return json.dumps([asdict(one) for one in roles], sort_keys=True)


def roles_of_json(text: str) -> tuple[AppRole, ...]:
    return tuple(AppRole(**{**one, "members": tuple(one["members"])}) for one in json.loads(text))


def settings_json(settings: ClaimSettings) -> str:
    return json.dumps(asdict(settings), sort_keys=True)


def settings_of_json(text: str) -> ClaimSettings:
    read = json.loads(text)
    userinfo = read.pop("userinfo")
    return ClaimSettings(
        group_claims=read["group_claims"],
        id_token=_named(read["id_token"]),
        access_token=_named(read["access_token"]),
        userinfo=None if userinfo is None else _named(userinfo),
        only_named=read["only_named"],
        logout_when=LogoutWhen(read["logout_when"]),
    )


def _named(read: list[dict[str, Any]]) -> tuple[Named, ...]:
    return tuple(Named(**{**one, "properties": tuple(one["properties"])}) for one in read)
