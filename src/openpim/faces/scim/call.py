"""One SCIM request, taken apart: what a handler is given, and the answer it gives back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import msgspec
from scim2_models import (
    Error,
    InvalidSyntaxException,
    PreconditionFailedException,
    ScimProvider,
    SearchRequest,
)

from openpim.core.caller import Caller
from openpim.core.refusals import Code, Refusal
from openpim.faces.scim.filters import LONGEST
from openpim.ports.deps import Deps

BASE: Final = "/scim/v2"
_JSON = re.compile(r"\s*application/(?:scim\+)?json\s*(?:;.*)?", re.IGNORECASE | re.DOTALL)
_SEARCH: Final = frozenset(
    {"filter", "sortby", "sortorder", "startindex", "count", "attributes", "excludedattributes"}
)
_STATUS: Final[Mapping[Code, tuple[int, str | None]]] = {
    Code.INVALID: (400, "invalidValue"),
    Code.NOT_FOUND: (404, None),
    Code.FORBIDDEN: (403, None),
    Code.CONFLICT: (409, "uniqueness"),
    Code.ASSIGNMENT_EXISTS: (409, "uniqueness"),
    Code.POLICY: (403, None),
    Code.LAST_ADMINISTRATOR: (403, None),
    Code.SUBJECT_MISSING: (400, "invalidValue"),
    Code.SUBJECT_NOT_ALLOWED: (400, "mutability"),
    Code.SIGN_IN: (401, None),
    Code.THROTTLED: (429, None),
}


class FaultError(Exception):
    """An error of RFC 7644 3.12. scim_type: one of its keywords."""

    def __init__(self, status: int, detail: str, scim_type: str | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.scim_type = status, detail, scim_type


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose caller may provision. origin: our address as the client wrote it. query: as sent, decoded. headers: in
    lower case."""

    deps: Deps
    provider: ScimProvider
    caller: Caller
    origin: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def address(self, *path: str) -> str:
        return "/".join((self.origin + BASE, *path))

    def json(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        if not _JSON.fullmatch(self.headers.get("content-type", "")):
            raise FaultError(415, "The body must be application/scim+json.")
        try:
            found = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise InvalidSyntaxException(detail="The body is not JSON.") from None
        if not isinstance(found, dict):
            raise InvalidSyntaxException(detail="The body is not a JSON object.")
        return found

    def search(self, model: Any, given: Mapping[str, Any] | None = None) -> SearchRequest[Any]:
        """given: a search in a body; else the one of the query."""
        found = {
            name: value
            for name, value in (self.query if given is None else given).items()
            if name.lower() in _SEARCH
        }
        for name, value in found.items():
            if name.lower() == "filter" and len(str(value)) > LONGEST:
                raise FaultError(400, f"A filter has at most {LONGEST} characters.", "invalidFilter")
        search: SearchRequest[Any] = SearchRequest[model].model_validate(found)
        return search

    def check_version(self, version: str) -> None:
        """If-Match (RFC 9110 13.1.1), compared weakly, as versions here are weak."""
        wanted = self.headers.get("if-match", "")
        if wanted and not matches(wanted, version):
            raise PreconditionFailedException(
                detail="It has been changed since. Read it again and decide anew."
            )

    def known(self, version: str) -> bool:
        """If-None-Match of a reader who has this version already."""
        return matches(self.headers.get("if-none-match", ""), version)


def matches(header: str, version: str) -> bool:
    said = {one.strip().removeprefix("W/") for one in header.split(",")}
    return "*" in said or version.removeprefix("W/") in said


def version_of(doc: Mapping[str, Any]) -> str:
    """Changes when what is shown changes. doc: without meta."""
    text = msgspec.json.encode(doc, order="deterministic")
    return f'W/"{hashlib.sha256(text).hexdigest()[:24]}"'


def refused(refusal: Refusal) -> NoReturn:
    status, scim_type = _STATUS.get(refusal.code, (400, "invalidValue"))
    raise FaultError(status, refusal.message, scim_type)


def error_body(status: int, detail: str, scim_type: str | None = None) -> dict[str, Any]:
    return Error(status=status, detail=detail, scim_type=scim_type).model_dump()
