"""The resource manager as one signed-in account: roles on Azure resources, and the tree they are on.

Its addresses are places: `/subscriptions/…/providers/Microsoft.Authorization/…`.  One version serves for all of PIM,
here and at Microsoft.
"""

from __future__ import annotations

from openpim.client.api import Api, answers_in
from openpim.client.transport import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from openpim.client.profiles import Profile
    from openpim.client.session import Session
    from openpim.client.transport import Transport

    Row = dict[str, Any]
    Call = tuple[str, str, Row | None]

__all__ = [
    "APPROVALS_VERSION", "AUTHORIZATION", "GROUPS_VERSION", "RESOURCES_VERSION", "ROLES_VERSION",
    "SUBSCRIPTIONS_VERSION", "VERSION", "Arm", "at", "versioned",
]  # fmt: skip

VERSION = "2020-10-01"
AUTHORIZATION = "/providers/Microsoft.Authorization"
ROLES_VERSION = "2022-04-01"
APPROVALS_VERSION = "2021-01-01-preview"
SUBSCRIPTIONS_VERSION = "2022-12-01"
GROUPS_VERSION = "2021-04-01"  # management groups
RESOURCES_VERSION = "2024-11-01"


def at(scope: str, collection: str, filter: str = "", *, version: str = VERSION) -> str:
    """The address of a collection of Microsoft.Authorization at a scope ("/" is the root)."""
    return versioned(f"{scope.rstrip('/')}{AUTHORIZATION}/{collection}", version, filter)


def versioned(path: str, version: str, filter: str = "") -> str:
    """The path with its api-version, and the filter if there is one."""
    given = f"&$filter={quote(filter, query=True)}" if filter else ""
    return f"{quoted(path)}?api-version={version}{given}"


def quoted(path: str) -> str:
    """A path in which spaces and what is not ASCII are encoded; slashes stay."""
    return "/".join(quote(part, query=True) for part in path.split("/"))


class Arm(Api):
    """The resource manager at `address`."""

    link = "nextLink"
    together = 100

    def __init__(self, address: str, profile: Profile, session: Session, transport: Transport) -> None:
        super().__init__(profile, session, transport)
        self.resource = address

    @property
    def batches(self) -> bool:
        """Microsoft's `/batch` is not documented: there, one by one."""
        return self.profile.kind != "entra"

    def url(self, path: str, *, beta: bool = False) -> str:
        absolute = path.startswith(("https://", "http://"))
        return self.same_origin(path) if absolute else self.resource + path

    def envelope(self, calls: Sequence[Call], *, beta: bool = False) -> tuple[str, Row]:
        requests = []
        for index, (method, path, body) in enumerate(calls):
            item: Row = {"name": str(index), "httpMethod": method, "url": path}
            if body is not None:
                item["content"] = body
            requests.append(item)
        return self.url("/batch?api-version=2020-06-01"), {"requests": requests}

    def opened(self, data: Any) -> dict[str, tuple[int, dict[str, str], Any]]:
        rows = data.get("responses") if isinstance(data, dict) else None
        return answers_in(rows, "name", "httpStatusCode", "content")
