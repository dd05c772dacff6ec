"""Who and what: names are checked here once more, for the server may be mistaken, or not ours any more."""

from __future__ import annotations

import re
from typing import Final

# What useradd takes, without the capitals that sudoers would read as an alias (ALL), and without its special characters.
USER: Final = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
_RULE: Final = re.compile(r"(sudo|group):([a-z_][a-z0-9_.-]{0,31})")


class NameRefusedError(ValueError):
    """A name that is not used here. The text says why."""


def check_user(name: str) -> str:
    if not USER.fullmatch(name):
        raise NameRefusedError("a login name is a-z, 0-9, _ . -, at most 32, and begins with a letter or _")
    return name


def split_entitlement(name: str) -> tuple[str, str]:
    """("sudo" or "group", the rest)."""
    found = _RULE.fullmatch(name)
    if found is None:
        raise NameRefusedError("an entitlement of a host is sudo:NAME or group:NAME")
    return found[1], found[2]
