"""Signed notes and checkpoints: short texts that say how large a log is, what its root is, and who says so.

The form is the one that transparency logs share, so that other tools check ours:
https://github.com/C2SP/C2SP/blob/main/signed-note.md and https://github.com/C2SP/C2SP/blob/main/tlog-checkpoint.md.
A key is written as its verifier key: the name of the log, the number of the key, and the public key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from openpim.proof.ed25519 import verified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ED25519 = b"\x01"
_DASH = "— "
_TIME = "time "


class NoteError(ValueError):
    """It is not a note, a key or a checkpoint."""


class Key:
    """A public key of a log. name: of the log (its origin). number: four bytes that name the key in signatures."""

    __slots__ = ("name", "number", "public")

    def __init__(self, name: str, public: bytes) -> None:
        self.name = name
        self.public = public
        self.number = hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]

    @property
    def text(self) -> str:
        return f"{self.name}+{self.number.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> Key:
        """Raises NoteError."""
        name, _, rest = text.strip().partition("+")
        number, _, encoded = rest.partition("+")
        data = decoded(encoded)
        if not name or len(data) != 33 or data[:1] != _ED25519 or any(one.isspace() for one in name):
            raise NoteError("this is not a verifier key of an Ed25519 log")
        key = cls(name, data[1:])
        if key.number.hex() != number:
            raise NoteError("the number in the verifier key is not the one of this key")
        return key


def decoded(text: str) -> bytes:
    """The bytes of standard base64. Raises NoteError."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("this is not base64") from None


def signed(text: str, key: Key, sign: Callable[[bytes], bytes]) -> str:
    """The note of a text that ends in a line break. sign: makes the signature of bytes."""
    line = base64.b64encode(key.number + sign(text.encode())).decode()
    return f"{text}\n{_DASH}{key.name} {line}\n"


def opened(note: str, keys: Iterable[Key]) -> tuple[str, Key]:
    """The text of a note and the first of the keys that signed it. Raises NoteError when none of them did."""
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise NoteError("this is not a signed note")
    text += "\n"
    lines = signatures[:-1].split("\n")
    for key in keys:
        for line in lines:
            if not line.startswith(_DASH):
                raise NoteError("this is not a signed note")
            name, _, encoded = line[len(_DASH) :].partition(" ")
            data = decoded(encoded)
            if name == key.name and data[:4] == key.number and verified(key.public, text.encode(), data[4:]):
                return text, key
    raise NoteError("no known key signed it")


class Checkpoint:
    """origin: the name of the log. at: when it was made, as in the bytes of an event."""

    __slots__ = ("at", "origin", "root", "size")

    def __init__(self, origin: str, size: int, root: bytes, at: str) -> None:
        self.origin = origin
        self.size = size
        self.root = root
        self.at = at

    @property
    def text(self) -> str:
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\n{_TIME}{self.at}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Raises NoteError."""
        lines = text.split("\n")
        if len(lines) < 5 or lines[-1] or not lines[1].isascii() or not lines[1].isdigit():
            raise NoteError("this is not a checkpoint")
        root = decoded(lines[2])
        times = [line[len(_TIME) :] for line in lines[3:] if line.startswith(_TIME)]
        if not lines[0] or len(root) != 32 or len(times) != 1 or len(lines[1]) > 18:
            raise NoteError("this is not a checkpoint")
        return cls(lines[0], int(lines[1]), root, times[0])


def endorsement(key: Key) -> str:
    """What the key before signs about the next one."""
    return f"{key.name}\nnext key\n{key.text}\n"


def chain(trusted: Key, offered: Iterable[tuple[str, str]]) -> list[Key]:
    """The trusted key, and those that follow it because the one before vouched for it.

    offered: (verifier key, the note in which the key before endorses it) in order. Raises NoteError when one that
    follows the trusted key is not endorsed.
    """
    keys: list[Key] = []
    for text, note in offered:
        key = Key.parse(text)
        if keys:
            said, _ = opened(note, keys[-1:])
            if said != endorsement(key):
                raise NoteError("the endorsement is about another key")
            keys.append(key)
        elif key.text == trusted.text:
            keys.append(key)
    if not keys:
        raise NoteError("the trusted key is not among the keys of this log")
    return keys
