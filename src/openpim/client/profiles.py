"""Profiles: which server, which tenant, as whom; kept in `config.json`, chosen by `PIM_PROFILE` or by name.

The server writes one itself at `make run` (`write_profile`), so that the next command a newcomer types
just works.
"""

from __future__ import annotations

import json
import os

from openpim.client.errors import PimError
from openpim.client.files import config_home, read_private, write_private
from openpim.client.http11 import split_url

__all__ = [
    "ENTRA_ARM", "ENTRA_AUTHORITY", "ENTRA_CLIENT_ID", "ENTRA_GRAPH", "NO_ARM", "OPENPIM_CLIENT_ID", "Config",
    "Profile", "load_config", "profile_from_url", "read_arm", "save_config", "write_profile",
]  # fmt: skip

OPENPIM_CLIENT_ID = "8f0b7a52-3c1d-4e6f-9a27-5d2c1b8e4f10"
ENTRA_CLIENT_ID = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
ENTRA_AUTHORITY = "https://login.microsoftonline.com"
ENTRA_GRAPH = "https://graph.microsoft.com"
ENTRA_ARM = "https://management.azure.com"
NO_ARM = "none"  # in place of an address: this server has no resource manager, or one does not want it
# With an application of Microsoft's, `.default` gives only what was consented before; so name the rights.
ENTRA_SCOPES = (
    "User.Read", "RoleAssignmentSchedule.ReadWrite.Directory", "RoleEligibilitySchedule.Read.Directory",
    "RoleManagementPolicy.Read.Directory", "RoleManagement.Read.Directory", "PrivilegedAccess.ReadWrite.AzureAD",
)  # fmt: skip
_FIELDS = (
    "kind",
    "authority",
    "graph",
    "arm",
    "tenant",
    "client_id",
    "ca_file",
    "username",
    "scopes",
    "flow",
    "keyring",
)


class Profile:
    """One place to sign in to.  `kind` is "openpim" or "entra"; addresses have no trailing slash or version."""

    __slots__ = (
        "arm",
        "authority",
        "ca_file",
        "client_id",
        "flow",
        "graph",
        "keyring",
        "kind",
        "name",
        "scopes",
        "tenant",
        "username",
    )

    def __init__(
        self,
        name: str,
        *,
        kind: str = "openpim",
        authority: str,
        graph: str,
        tenant: str = "common",
        client_id: str = OPENPIM_CLIENT_ID,
        ca_file: str = "",
        username: str = "",
        scopes: str = "",
        flow: str = "browser",
        keyring: str = "",
        arm: str = "",
    ) -> None:
        self.name = name
        self.kind = kind
        self.authority = authority.rstrip("/")
        self.graph = graph.rstrip("/")
        self.arm = arm.rstrip("/") or (ENTRA_ARM if kind == "entra" else "")  # "": not known yet
        self.tenant = tenant
        self.client_id = client_id
        self.ca_file = ca_file
        self.username = username
        self.scopes = scopes
        self.flow = flow
        self.keyring = keyring  # "yes": the refresh token is in the system's keyring

    def as_dict(self) -> dict[str, str]:
        """The profile as it is kept."""
        return {field: str(getattr(self, field)) for field in _FIELDS if getattr(self, field)}

    @property
    def graph_scope(self) -> str:
        """What to ask for besides `openid profile offline_access`."""
        if self.scopes:
            return self.scopes
        if self.kind == "entra":
            return " ".join(f"{self.graph}/{scope}" for scope in ENTRA_SCOPES)
        return f"{self.graph}/.default"

    @property
    def scope(self) -> str:
        """What a person's sign-in asks for."""
        return f"{self.graph_scope} openid profile offline_access"

    def endpoint(self, name: str, tenant: str = "") -> str:
        """`authorize`, `token`, `devicecode` or `logout` of the tenant."""
        return f"{self.authority}/{tenant or self.tenant}/oauth2/v2.0/{name}"


class Config:
    """Everything in `config.json`: the profiles and which one is current."""

    def __init__(self, home: str, current: str, profiles: dict[str, Profile]) -> None:
        self.home = home
        self.current = current
        self.profiles = profiles

    def choose(self, name: str = "") -> Profile:
        """The profile called `name`, else `PIM_PROFILE`, else the current one."""
        wanted = name or os.environ.get("PIM_PROFILE", "") or self.current
        if not wanted:
            if len(self.profiles) == 1:
                return next(iter(self.profiles.values()))
            if not self.profiles:
                hint = "sign in: pim login --server URL   (or: pim login --entra)"
                raise PimError("signin", "no server is set up yet", hint)
            raise PimError(
                "usage", "several profiles and none is current", "choose one: pim profile use NAME"
            )
        profile = self.profiles.get(wanted)
        if profile is None:
            known = ", ".join(sorted(self.profiles)) or "none"
            raise PimError(
                "missing", f"there is no profile {wanted!r} (known: {known})", "see: pim profile list"
            )
        return profile


def check_name(name: str) -> str:
    """A profile name is used in file names: letters, digits, `.`, `-`, `_`."""
    plain = name.replace("-", "").replace("_", "").replace(".", "")
    if not (plain.isascii() and plain.isalnum()) or len(name) > 64 or name.startswith((".", "-")):
        text = f"{name[:80]!r} cannot name a profile"
        raise PimError("usage", text, "use letters, digits, '-', '_' and '.', at most 64")
    return name


def read_arm(given: str, option: str) -> str:
    """The address of a resource manager as a person gives it, or `NO_ARM`."""
    if given.lower() == NO_ARM:
        return NO_ARM
    try:
        split_url(given)
    except PimError as error:
        raise PimError(
            "usage", f"{option}: {error.message}", f"write it like {option} https://arm.example.org"
        ) from None
    return given.rstrip("/")


def _profile(name: str, fields: object, path: str) -> Profile:
    if not isinstance(fields, dict) or not fields.get("authority") or not fields.get("graph"):
        raise PimError(
            "usage",
            f"profile {name!r} in {path} lacks authority or graph",
            f"remove it: pim profile remove {name}",
        )
    known = {key: str(value) for key, value in fields.items() if key in _FIELDS}
    return Profile(check_name(name), **known)


def load_config(home: str = "") -> Config:
    """Read `config.json`; an empty configuration if there is none."""
    home = home or config_home()
    path = os.path.join(home, "config.json")
    raw = read_private(path)
    if raw is None:
        return Config(home, "", {})
    try:
        data = json.loads(raw)
        profiles = data.get("profiles", {})
        return Config(
            home,
            str(data.get("current") or ""),
            {name: _profile(name, profiles[name], path) for name in profiles},
        )
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise PimError(
            "usage", f"{path} is not the configuration of pim", "repair or delete that file, then: pim login"
        ) from None


def save_config(config: Config) -> None:
    """Write `config.json`, whole."""
    data = {
        "current": config.current,
        "profiles": {name: profile.as_dict() for name, profile in sorted(config.profiles.items())},
    }
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    write_private(os.path.join(config.home, "config.json"), text.encode())


def profile_from_url(name: str, url: str, *, tenant: str = "", ca_file: str = "", arm: str = "") -> Profile:
    """The profile of an OpenPIM server known only by its address; arm: that of its resource manager."""
    scheme, host, port, _ = split_url(url)
    literal = f"[{host}]" if ":" in host else host
    origin = f"{scheme}://{literal}"
    if port != (443 if scheme == "https" else 80):
        origin += f":{port}"
    return Profile(name, authority=origin, graph=origin, tenant=tenant or "common", ca_file=ca_file, arm=arm)


def entra_profile(name: str, tenant: str = "") -> Profile:
    """The profile of Microsoft Entra."""
    return Profile(
        name,
        kind="entra",
        authority=ENTRA_AUTHORITY,
        graph=ENTRA_GRAPH,
        tenant=tenant or "organizations",
        client_id=ENTRA_CLIENT_ID,
    )


def write_profile(
    name: str,
    *,
    server: str,
    arm: str = "",
    tenant: str = "common",
    ca_file: str = "",
    username: str = "",
    home: str = "",
    make_current: bool = True,
) -> str:
    """Write (or replace) the profile of the OpenPIM server at `server`; returns the file it is in.

    For the server itself at first start.  Another profile stays current unless it is this one's
    predecessor, there is none, or `make_current` is set.  A file that cannot be read or written is an
    `OSError`, as the server expects of files.
    """
    try:
        config = load_config(home)
        profile = profile_from_url(
            check_name(name),
            server,
            tenant=tenant,
            ca_file=os.path.abspath(ca_file) if ca_file else "",
            arm=arm,
        )
        profile.username = username
        config.profiles[name] = profile
        if make_current or config.current not in config.profiles:
            config.current = name
        save_config(config)
    except PimError as error:
        raise OSError(0, error.message) from None
    return os.path.join(config.home, "config.json")
