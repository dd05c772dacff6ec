"""The key file in the data directory: seals signing keys and TOTP seeds, and is never in the database.

Whoever has the database without this file can neither sign tokens nor read a second factor. Lose it, and all keys
and second factors must be made anew: back it up apart from the database.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

_BYTES = 32


def read_or_make_key(path: Path, random_bytes: Callable[[int], bytes]) -> bytes:
    """The 32 bytes of the file, readable by its owner only; made if it is not there. Raises ValueError if it is not
    a key file or others may read it."""
    try:
        return _read(path)
    except FileNotFoundError:
        _make(path, random_bytes(_BYTES))
    return _read(path)


def _make(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        # Fails if another process was first; then its key is the one.
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def read_or_make_token(path: Path, random_text: Callable[[int], str]) -> str:
    """The token of the file, which its owner alone may read; made if it is not there. Raises ValueError as above."""
    try:
        token = path.read_text("ascii").strip()
    except UnicodeDecodeError:
        token = ""
    except FileNotFoundError:
        _make(path, random_text(_BYTES).encode("ascii") + b"\n")
        token = path.read_text("ascii").strip()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    _check_owner(path)
    if len(token) < _BYTES:
        raise ValueError(f"{path} is no token file: it must hold at least {_BYTES} characters")
    return token


def _check_owner(path: Path) -> None:
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ValueError(f"{path} must be readable by its owner only: chmod 600 {path}")


def _read(path: Path) -> bytes:
    _check_owner(path)
    key = path.read_bytes()
    if len(key) != _BYTES:
        raise ValueError(f"{path} is not a key file: it must hold {_BYTES} bytes")
    return key
