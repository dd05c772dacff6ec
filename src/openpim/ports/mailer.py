"""Mail as the acts see it: a letter goes out, or it does not and there is a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from openpim.core.notices import Notice
from openpim.ports.channels import Outcome


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one person, about one thing or several of a kind.

    id: the same at every try of the same things. name: what the person is called, "" for an address alone. link: the
    one that leads to what is to be done. settings: where he chooses what he is sent.
    """

    id: str
    to: str
    name: str
    subject: str
    organisation: str
    notices: tuple[Notice, ...]
    link: str
    link_label: str
    settings: str
    at: datetime


class Mailer(Protocol):
    def send(self, letter: Letter) -> Outcome:
        """Called outside any unit of work; never raises for what the mail server does."""
        ...

    @property
    def reachable(self) -> bool:
        """Whether the server answered when something was last sent: if not, the next letter need not be tried now."""
        ...

    def close(self) -> None:
        """Hang up; the next letter connects anew."""
        ...
