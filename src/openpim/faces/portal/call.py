"""What a screen's handler is given, and what it gives back. Handlers are plain functions that call acts: no HTTP here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias, TypeVar

from openpim.core.caller import Caller
from openpim.core.refusals import Refusal
from openpim.faces.shared.multipart import Upload
from openpim.ports.deps import Deps
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import Origin
from openpim.services.signin.portal import Presence

Tone = Literal["good", "bad", "note"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One request of somebody who is signed in. params: from the path. query, form: as sent, text only.

    files: those that were chosen. path: of this page, with its query, to come back to. origin: the browser's address and name, for history.
    """

    signin: SignIn
    presence: Presence
    origin: Origin
    now: datetime
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Upload] = field(default_factory=dict)

    @property
    def deps(self) -> Deps:
        return self.signin.deps

    @property
    def caller(self) -> Caller:
        return self.presence.caller

    def picked(self, prefix: str) -> tuple[str, ...]:
        """The boxes that were ticked: fields `<prefix>-<value>`, in the order in which they were sent."""
        start = f"{prefix}-"
        found = [*self.query, *self.form]
        return tuple(dict.fromkeys(name.removeprefix(start) for name in found if name.startswith(start)))


@dataclass(frozen=True, slots=True)
class Show:
    """A page: its template, and what it shows. nav: the key of the item of the menu that is lit."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    nav: str = ""


@dataclass(frozen=True, slots=True)
class Go:
    """See another page (after a form: post, redirect, get). message: said there once. tenant: to be in from now on."""

    path: str
    message: str = ""
    tone: Tone = "good"
    tenant: str | None = None
    signed_out: bool = False


@dataclass(frozen=True, slots=True)
class Verify:
    """More proof is needed: the sign-in asks for it, and then sends the form again as it was typed.

    context: the authentication context (c1 to c99); "": a second factor. back: the page where it was typed.
    """

    back: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A download. name: of the file."""

    body: bytes
    media_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Stream:
    """A download as long as it may be: each part is made when the one before it has been taken. One that ends by an error is
    broken off, which the browser tells. Its page is one that `streams`."""

    parts: Iterator[bytes]
    media_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Data:
    """What our own script asks for: JSON."""

    values: Mapping[str, Any]


Answer: TypeAlias = Show | Go | Verify | File | Stream | Data


class RefusedError(Exception):
    """A page that cannot be shown: the refusal becomes a page of its own. Forms say it where they were typed."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class BrokenOffError(Exception):
    """A download that cannot go on, in words for the operator: what was sent of it is not all."""


def settled(found: T | Refusal) -> T:
    """What an act gave. Raises RefusedError where it said no."""
    if isinstance(found, Refusal):
        raise RefusedError(found)
    return found
