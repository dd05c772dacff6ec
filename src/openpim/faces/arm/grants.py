"""What the resources of the life of a grant share: ids and paths, windows of time, what rows refer to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, unquote

from openpim.core.grants import Kind, Provider, Request, Schedule
from openpim.core.resources import ROOT, Resource, ResourceKind, subscription_of
from openpim.faces.arm.call import AUTHORIZATION, Answer, Call, Row
from openpim.services.resources import browse
from openpim.services.resources.browse import Facts
from openpim.wire.ids import is_guid
from openpim.wire.instants import render_datetime

PROVIDER: Final = Provider.RESOURCE
_PRINCIPALS = {"user": "User", "group": "Group", "servicePrincipal": "ServicePrincipal"}


def when(at: datetime | None) -> str | None:
    return render_datetime(at) if at is not None else None


def bare(row: Row) -> Row:
    """Without the members that are null, however deep: this API leaves them out."""
    return {
        name: bare(value) if isinstance(value, dict) else value
        for name, value in row.items()
        if value is not None
    }


def capital(word: str) -> str:
    """`selfActivate` is `SelfActivate` here."""
    return word[:1].upper() + word[1:]


@dataclass(frozen=True, slots=True)
class Names:
    """Paths and names of what rows refer to."""

    facts: Facts

    def path(self, scope: str) -> str:
        """A place's path as it was first written, "" for the root; of one that is gone, its id."""
        if scope == ROOT:
            return ""
        place = self.facts.places.get(scope)
        return place.path if place is not None else scope

    def role_id(self, role_id: str, scope: str) -> str:
        """At a subscription and below it the id names the subscription."""
        subscription = subscription_of(scope)
        prefix = "" if subscription is None else "/".join(self.path(scope).split("/")[:3])
        return f"{prefix}{AUTHORIZATION}/roleDefinitions/{role_id}"

    def principal_type(self, principal_id: str) -> str | None:
        found = self.facts.principals.get(principal_id)
        return _PRINCIPALS[found.kind.value] if found is not None else None

    def expanded(self, principal_id: str, role_id: str, scope: str) -> Row:
        principal = self.facts.principals.get(principal_id)
        user = self.facts.users.get(principal_id)
        role = self.facts.roles.get(role_id)
        return {
            "principal": {
                "id": principal_id,
                "displayName": principal.display_name if principal else None,
                "email": (user.mail or user.user_principal_name) if user else None,
                "type": self.principal_type(principal_id),
            },
            "roleDefinition": self.role_info(role_id, scope) if role else None,
            "scope": self.scope_info(scope),
        }

    def role_info(self, role_id: str, scope: str) -> Row:
        role = self.facts.roles.get(role_id)
        return {
            "id": self.role_id(role_id, scope),
            "displayName": role.name if role else None,
            "type": "BuiltInRole" if role is None or role.built_in else "CustomRole",
        }

    def scope_info(self, scope: str) -> Row:
        place = self.facts.places.get(scope)
        return {
            "id": self.path(scope) or ROOT,
            "displayName": place.display_name if place else None,
            "type": scope_type(place) if place else None,
        }


def scope_type(place: Resource) -> str:
    return place.type if place.kind is ResourceKind.RESOURCE else place.kind.value


def names_for(call: Call, items: Iterable[Schedule | Request], linked: Iterable[str] = ()) -> Names:
    held = list(items)
    return Names(
        browse.facts(
            call.deps,
            call.caller,
            scopes={one.scope for one in held},
            roles={one.role_id for one in held},
            principals={one.principal_id for one in held},
            eligibilities=set(linked),
            place=call.scope,
        )
    )


def noun(kind: Kind) -> str:
    return "Assignment" if kind is Kind.ASSIGNMENT else "Eligibility"


def resource_id(prefix: str, type_: str, name: str) -> str:
    """prefix: the path of the place, "" for the root. type: below Microsoft.Authorization."""
    return f"{prefix}{AUTHORIZATION}/{type_}/{name}"


def entity(prefix: str, type_: str, name: str, properties: Row) -> Row:
    return {
        "properties": bare(properties),
        "name": name,
        "id": resource_id(prefix, type_, name),
        "type": f"Microsoft.Authorization/{type_}",
    }


def guid_of(text: str | None) -> str | None:
    """The guid at the end of an id, or a bare one; None when there is none."""
    if not text:
        return None
    last = text.strip().rstrip("/").rsplit("/", 1)[-1]
    return last.lower() if is_guid(last) else None


# ---------------------------------------------------------------- lists


def listed(call: Call, rows: Sequence[Any], following: str | None = None) -> Answer:
    """A list, with a link to the next page where there is one."""
    body: Row = {"value": list(rows)}
    if following is not None:
        body["nextLink"] = next_link(call, following)
    return Answer(200, body)


def next_link(call: Call, token: str) -> str:
    kept = []
    for pair in call.raw.query.decode("latin-1").split("&"):
        name = unquote(pair.partition("=")[0].replace("+", " ")).strip().lower().lstrip("$")
        if pair and name != "skiptoken":
            kept.append(quote(pair, safe="=$&%+'(),/:;@!*~-._"))
    kept.append(f"$skiptoken={quote(token, safe='')}")
    path = "/" + "/".join(part for part in call.raw.path.decode("latin-1").split("/") if part)
    return f"{call.raw.origin}{quote(path, safe='$%/()=,;:@!*~-._' + chr(39))}?{'&'.join(kept)}"
