"""Reads and changes the members of the declared groups of one application."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from openpim.connectors.answers import session_of
from openpim.connectors.remembering import RememberedFence
from openpim.connectors.scim.client import Client, NoError, Resource
from openpim.connectors.taking import Taken
from openpim.core.connecting import Edge, Op, OpKind, Snapshot
from openpim.ports.connector import Fault, Fence, Opening, Probe, Receipt, Severed, TargetError

# How long the name of a member is known. Who is in a group is read each time; whose number it is changes rarely.
NAMES_FOR: Final = timedelta(minutes=5)
_MOST_NAMES: Final = 20_000


class ScimConnector:
    """See ports/connector.py."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._client = Client(opening)
        self._fence = RememberedFence(opening.memory, opening.clock)
        self._managed = opening.managed
        self._groups_by = opening.settings.get("groups_by") or "displayName"
        self._people_by = opening.settings.get("people_by") or "userName"
        self._session = session_of(opening.settings)
        self._keys: dict[str, str] = {}  # of groups, by entitlement; looked at again at each reading
        self._names: dict[str, tuple[str, datetime]] = {}  # of people, by their ids there

    # -- looking
    def probe(self) -> Probe:
        config = self._client.config()
        lacks = []
        patch = config.get("patch")
        if not (isinstance(patch, dict) and patch.get("supported") is True):
            lacks.append("The application does not let groups be changed by PATCH.")
        _, unread = self._groups(self._managed)
        lacks += [f"{name}: {why}" for name, why in unread.items()]
        return Probe(reachable=True, version="SCIM 2.0", lacks=tuple(lacks))

    def read(self) -> Snapshot:
        groups, unread = self._groups(self._managed)
        edges = {
            Edge(name, entitlement)
            for entitlement, group in groups.items()
            for key in _members(group)
            if (name := self._name_of(key))
        }
        return Snapshot(frozenset(edges), unread)

    def _groups(self, entitlements: Collection[str]) -> tuple[dict[str, Resource], dict[str, str]]:
        """With their members; and those that could not be told, with the reason."""
        taken = Taken("The application")
        found: dict[str, Resource] = {}
        unread: dict[str, str] = {}
        for entitlement in entitlements:
            try:
                found[entitlement] = self._group(entitlement, taken)
            except NoError as error:
                unread[entitlement] = str(error)
        owners: dict[str, list[str]] = {}
        for entitlement, group in found.items():
            owners.setdefault(group["id"], []).append(entitlement)
        for same in owners.values():
            if len(same) > 1:
                for entitlement in same:
                    del found[entitlement]
                    unread[entitlement] = (
                        f"It is the same group as {', '.join(x for x in same if x != entitlement)}."
                    )
        return found, unread

    def _group(self, entitlement: str, taken: Taken) -> Resource:
        known = entitlement if self._groups_by == "id" else self._keys.get(entitlement)
        if known is not None:
            group = self._client.get("Groups", known, taken=taken)
            if group is not None and self._is(group, entitlement):
                return group
            self._keys.pop(entitlement, None)
        if self._groups_by == "id":
            raise NoError("The application has no group with this id.")
        found = self._client.find("Groups", "displayName", entitlement)
        found = [one for one in found if self._is(one, entitlement)]
        if len(found) != 1:
            raise NoError(
                "The application has no group of this name."
                if not found
                else "The application has several groups of this name."
            )
        group = self._client.get("Groups", found[0]["id"], taken=taken)
        if group is None:
            raise NoError("The group went away while it was looked at.")
        self._keys[entitlement] = group["id"]
        return group

    def _is(self, group: Resource, entitlement: str) -> bool:
        if self._groups_by == "id":
            return bool(group["id"] == entitlement)
        name = group.get("displayName")
        return isinstance(name, str) and name.casefold() == entitlement.casefold()

    def _name_of(self, key: str) -> str | None:
        """None: no person, or nobody any more."""
        now = self._opening.clock()
        known = self._names.get(key)
        if known is not None and known[1] > now:
            return known[0] or None
        user = self._client.get("Users", key)
        name = self._said(user) if user is not None else ""
        if len(self._names) >= _MOST_NAMES:
            self._names.clear()
        self._names[key] = (name, now + NAMES_FOR)
        return name or None

    def _said(self, user: Resource) -> str:
        """The name by which a person is known here, in lower case."""
        if self._people_by == "userName":
            name = user.get("userName")
            return name.lower() if isinstance(name, str) else ""
        mails = [
            one
            for one in user.get("emails") or ()
            if isinstance(one, dict) and isinstance(one.get("value"), str)
        ]
        best = sorted(mails, key=lambda one: one.get("primary") is not True)
        return str(best[0]["value"]).lower() if best else ""

    # -- changing
    def apply(self, ops: Sequence[Op], fence: Fence) -> list[Receipt]:
        if not ops:
            return []
        self._fence.enter(fence)
        groups, unread = self._groups(self._managed)
        inside = {name: set(_members(group)) for name, group in groups.items()}
        receipts = []
        for op in ops:
            self._fence.in_time(fence)
            name = op.edge.entitlement
            error = (
                unread.get(name, "") if name in self._managed else "This group is not one that is managed."
            )
            if not error:
                try:
                    self._one(op, groups[name]["id"], inside[name])
                except NoError as no:
                    error = str(no)
            receipts.append(Receipt(op, error))
        return receipts

    def _one(self, op: Op, group: str, inside: set[str]) -> None:
        """inside: who is in the group, kept up with what is done."""
        if op.kind is OpKind.REVOKE:
            self._remove(op.edge, group, inside)
            return
        user = self._user(op.edge.subject)
        if user is None:
            raise NoError("The application has no such person.")
        if user not in inside:
            self._client.add(group, user)
            inside.add(user)

    def _remove(self, edge: Edge, group: str, inside: set[str]) -> None:
        """Whoever has the name; and a member who had it when he was last looked at, should nobody be found by it now."""
        keys = {key for key in inside if self._names.get(key, ("",))[0] == edge.subject}
        try:
            user = self._user(edge.subject)
        except NoError:
            user = None
        keys |= {user} if user is not None else set()
        for key in sorted(keys & inside):
            try:
                self._client.remove(group, key)
            except NoError:
                again = self._client.get("Groups", group)
                if again is not None and key in _members(again):
                    raise
            inside.discard(key)

    def _user(self, subject: str) -> str | None:
        """The number of the one person of this name. Raises NoError where there are several."""
        attribute = "userName" if self._people_by == "userName" else "emails.value"
        found = [one for one in self._client.find("Users", attribute, subject) if self._said(one) == subject]
        if len(found) > 1:
            raise NoError("The application has several people of this name.")
        return str(found[0]["id"]) if found else None

    def sever(self, ended: Sequence[Edge], kept: Collection[Edge], fence: Fence) -> list[Severed]:
        """Nobody can be put out by SCIM. What is left is to look whether they are out of the group, and to say how long the
        application may let them work on."""
        if not ended:
            return []
        names = {edge.entitlement for edge in ended} & set(self._managed)
        groups, unread = self._groups(sorted(names))
        until = self._opening.clock() + self._session if self._session else None
        said = []
        for edge in ended:
            group = groups.get(edge.entitlement)
            inside = group is not None and any(self._name_of(key) == edge.subject for key in _members(group))
            error = unread.get(edge.entitlement, "") or ("Still a member of the group." if inside else "")
            said.append(Severed(edge, error, None if error else until))
        return said

    def close(self) -> None:
        """Nothing is held open."""


def _members(group: Resource) -> list[str]:
    """Ids of the people in it; groups inside it are not looked into."""
    found: Any = group.get("members") or []
    if not isinstance(found, list):
        raise TargetError(Fault.BROKEN, "The members of a group are not a list.")
    return [
        one["value"]
        for one in found
        if isinstance(one, dict)
        and isinstance(one.get("value"), str)
        and str(one.get("type") or "User").lower() != "group"
    ]
