"""A form as somebody has filled it in, which stays as it is when it is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from openpim.faces.portal.words import t
from openpim.services.signin.portal import SECRET


@dataclass(slots=True)
class Typed:
    """A form as it stands: its texts, and what is wrong by the field's name ("" for all of it)."""

    fields: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, most: int = 200) -> str:
        return self.fields.get(name, "").strip()[:most]

    def secret(self, name: str, most: int) -> str:
        """Of the field `secret-<name>`, as it was typed. One that is not there at all was left behind while somebody signed
        in again: he is asked for it."""
        text = self.fields.get(SECRET + name)
        if text is None:
            self.wrong(
                SECRET + name, t("It was not kept while you signed in: type it again, or leave it empty.")
            )
        return (text or "")[:most]

    def on(self, name: str) -> bool:
        return bool(self.fields.get(name))

    def wrong(self, name: str, message: str) -> None:
        self.errors.setdefault(name, message)

    def number(self, name: str, low: int, high: int, usual: int) -> int:
        """A whole number within bounds; nothing typed is the usual one."""
        text = self.text(name, 10)
        if not text:
            return usual
        if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
            self.wrong(name, t("Write a number from {low} to {high}.", low=low, high=high))
            return usual
        return int(text)
