"""The few requests of SCIM 2.0 that a connector needs, over the guarded road. Names go into filters as JSON texts, as RFC 7644 3.4.2.2
has them, and ids into addresses encoded: neither can become anything else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from openpim.connectors.answers import call, object_of, said_by
from openpim.connectors.taking import Taken
from openpim.ports.connector import Fault, Opening, TargetError
from openpim.ports.outbound import Answer

SECONDS: Final = 8.0
_PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_MEDIA: Final = "application/scim+json"
Resource = Mapping[str, Any]


class NoError(Exception):
    """The application says no to this one thing. The text says why, for people."""


class Client:
    def __init__(self, opening: Opening) -> None:
        self._outbound = opening.outbound
        self._base = opening.settings["url"].rstrip("/")
        self._token = opening.secrets.get("token", "")

    def config(self) -> Resource:
        return object_of(self._ask("GET", "/ServiceProviderConfig"))

    def find(self, kind: str, attribute: str, value: str) -> list[Resource]:
        """Users or groups of which the attribute is the value. At most a few: it must be one."""
        query = {
            "filter": f"{attribute} eq {json.dumps(value)}",
            "count": "5",
            "excludedAttributes": "members",
        }
        answer = self._ask("GET", f"/{kind}?{urlencode(query)}")
        if answer.status == 400:
            raise NoError(f"The application cannot be asked for {attribute} by this name.")
        if not answer.ok:
            raise self._no(answer, f"asked for {kind.lower()} by {attribute}")
        found = object_of(answer).get("Resources") or []
        if not isinstance(found, list) or any(not _is_resource(one) for one in found):
            raise TargetError(Fault.BROKEN, f"The list of {kind.lower()} is not one of SCIM resources.")
        return found

    def get(
        self, kind: str, key: str, *, attributes: str = "", taken: Taken | None = None
    ) -> Resource | None:
        """None: there is no such one. taken: what is kept besides."""
        query = f"?{urlencode({'attributes': attributes})}" if attributes else ""
        answer = self._ask("GET", f"/{kind}/{quote(key, safe='')}{query}")
        if answer.status in {400, 404, 410}:
            return None
        if not answer.ok:
            raise self._no(answer, f"asked for one of the {kind.lower()}")
        found = object_of(answer)
        if not _is_resource(found):
            raise TargetError(Fault.BROKEN, "The answer is not a SCIM resource.")
        if taken is not None:
            members = found.get("members")
            taken.bytes(len(answer.body))
            taken.entries(len(members) if isinstance(members, list) else 0)
        return found

    def add(self, group: str, user: str) -> None:
        """Raises NoError."""
        self._patch(group, {"op": "add", "path": "members", "value": [{"value": user}]})

    def remove(self, group: str, user: str) -> None:
        """Raises NoError."""
        self._patch(group, {"op": "remove", "path": f"members[value eq {json.dumps(user)}]"})

    def _patch(self, group: str, operation: Mapping[str, Any]) -> None:
        body = {"schemas": [_PATCH], "Operations": [operation]}
        answer = self._ask(
            "PATCH", f"/Groups/{quote(group, safe='')}?attributes=id", json.dumps(body).encode()
        )
        if not answer.ok:
            why = said_by(answer)
            raise NoError(f"The application answered {answer.status}{': ' + why if why else '.'}")

    def _ask(self, method: str, path: str, body: bytes = b"") -> Answer:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": _MEDIA}
        if body:
            headers["Content-Type"] = _MEDIA
        return call(self._outbound, method, self._base + path, headers, body, seconds=SECONDS)

    @staticmethod
    def _no(answer: Answer, what: str) -> TargetError:
        why = said_by(answer)
        return TargetError(
            Fault.BROKEN, f"The application answered {answer.status} when {what}{': ' + why if why else '.'}"
        )


def _is_resource(found: Any) -> bool:
    return isinstance(found, dict) and isinstance(found.get("id"), str) and bool(found["id"])
