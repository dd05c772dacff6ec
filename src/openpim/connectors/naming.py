"""Names in other systems: what is refused whatever the system, because nobody can tell by looking at it what it names.

Each kind of target adds its own rules. Quoting is apart from this: what passes here is still only ever sent as data, or
quoted by the target's own rules.
"""

from __future__ import annotations

import unicodedata

from openpim.ports.connector import BadNameError

# Control, format (zero width, direction), surrogates, private, not assigned, line and paragraph separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain_name(text: str, what: str, most_bytes: int) -> str:
    """The name as it is. what: for people, "a role". most_bytes: in UTF-8. Raises BadNameError."""
    if not text:
        raise BadNameError(f"The name of {what} is empty.")
    plain = text.isascii() and text.isprintable()  # most are; there may be thousands
    if not plain and any(unicodedata.category(letter) in _UNSEEN for letter in text):
        raise BadNameError(f"The name of {what} has characters that cannot be seen: {text!a}.")
    if text != text.strip():
        raise BadNameError(f"The name of {what} begins or ends with a space: {text!a}.")
    if text.startswith("-"):
        raise BadNameError(f"The name of {what} begins with a hyphen, as options do: {text!a}.")
    if not plain and not unicodedata.is_normalized("NFC", text):
        raise BadNameError(f"The name of {what} is not in Unicode's normal form C: {text!a}.")
    if len(text.encode()) > most_bytes:
        raise BadNameError(f"The name of {what} is longer than {most_bytes} bytes.")
    return text
