"""Microsoft Graph as one signed-in account, and the query options of its addresses."""

from __future__ import annotations

from openpim.client.api import Api, answers_in
from openpim.client.errors import PimError
from openpim.client.transport import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Row = dict[str, Any]
    Call = tuple[str, str, Row | None]

__all__ = ["Graph", "literal", "query"]


def literal(text: str) -> str:
    """A string in an OData filter: quoted, with quotes doubled."""
    return "'" + text.replace("'", "''") + "'"


def query(path: str, **options: str) -> str:
    """`path?$filter=…&$expand=…` from the options that are not empty, percent-encoded."""
    pairs = [f"${name}={quote(value, query=True)}" for name, value in options.items() if value]
    return path + "?" + "&".join(pairs) if pairs else path


class Graph(Api):
    """Graph as one signed-in account."""

    @property
    def me(self) -> str:
        """The object id of who is signed in."""
        oid = self.session.tokens().account.get("oid", "")
        if not oid:
            raise PimError("signin", "the sign-in does not say who it is", "sign in again: pim login")
        return oid

    def url(self, path: str, *, beta: bool = False) -> str:
        absolute = path.startswith(("https://", "http://"))
        return (
            self.same_origin(path) if absolute else f"{self.profile.graph}/{'beta' if beta else 'v1.0'}{path}"
        )

    def envelope(self, calls: Sequence[Call], *, beta: bool = False) -> tuple[str, Row]:
        requests = []
        for index, (method, path, body) in enumerate(calls):
            item: Row = {"id": str(index), "method": method, "url": path}
            if body is not None:
                item["headers"] = {"Content-Type": "application/json"}
                item["body"] = body
            requests.append(item)
        return self.url("/$batch", beta=beta), {"requests": requests}

    def opened(self, data: Any) -> dict[str, tuple[int, dict[str, str], Any]]:
        rows = data.get("responses") if isinstance(data, dict) else None
        return answers_in(rows, "id", "status", "body")
