"""What a password may be: long enough, not absurdly long, not the name itself. No composition rules (NIST 800-63B)."""

from __future__ import annotations

import unicodedata

from openpim.core.refusals import Code, Refusal

LONGEST = 256


def normalised(password: str) -> str:
    """NFKC, so that the same keys give the same bytes on every system."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, *, shortest: int, names: tuple[str, ...] = ()) -> Refusal | None:
    """None if it may be set."""
    plain = normalised(password)
    if len(plain) < shortest:
        return _no(f"The password is too short: use at least {shortest} characters.")
    if len(plain) > LONGEST:
        return _no(f"The password is too long: use at most {LONGEST} characters.")
    if any(0xD800 <= ord(ch) < 0xE000 or ch == "\x00" for ch in plain):
        return _no("The password holds characters that cannot be kept: leave them out.")
    if len(set(plain)) < 5:
        return _no("The password repeats the same few characters: choose another.")
    folded = plain.casefold()
    if any(name and folded in {name.casefold(), name.casefold() * 2} for name in names):
        return _no("The password is the account's own name: choose another.")
    return None


def _no(message: str) -> Refusal:
    return Refusal(Code.INVALID, message, member="password")
