"""A form as somebody has filled it in, which stays as it is when it is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from openpim.faces.portal.words import t


@dataclass(slots=True)
class Typed:
    """A form as it stands: its texts, and what is wrong by the field's name ("" for all of it)."""

    fields: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, most: int = 200) -> str:
        return self.fields.get(name, "").strip()[:most]

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
