r"""Where the client keeps its files, and how it writes them: private, whole or not at all.

`PIM_CONFIG_HOME`, else `$XDG_CONFIG_HOME/openpim`, else `~/.config/openpim` (on Windows
`%APPDATA%\openpim`).  Files are 0600 in a 0700 folder, written beside and moved into place; a secret
that others could read is refused, as ssh does.
"""

from __future__ import annotations

import os

from openpim.client.errors import PimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

__all__ = ["Lock", "config_home", "ensure_home", "read_private", "write_private"]

_MAX = 4 * 1024 * 1024


def config_home(environment: Mapping[str, str] | None = None) -> str:
    """The folder of the client's files (it need not exist)."""
    env = os.environ if environment is None else environment
    if env.get("PIM_CONFIG_HOME"):
        return os.path.expanduser(env["PIM_CONFIG_HOME"])
    if env.get("XDG_CONFIG_HOME"):
        return os.path.join(env["XDG_CONFIG_HOME"], "openpim")
    if os.name == "nt" and env.get("APPDATA"):
        return os.path.join(env["APPDATA"], "openpim")
    return os.path.join(os.path.expanduser("~"), ".config", "openpim")


def ensure_home(home: str) -> None:
    """Make the folder, closed to others."""
    try:
        os.makedirs(home, mode=0o700, exist_ok=True)
    except OSError as error:
        text = f"the folder {home} cannot be made: {error.strerror}"
        raise PimError("unexpected", text, "choose another one: PIM_CONFIG_HOME=DIR") from None


def read_private(path: str, *, secret: bool = False) -> bytes | None:
    """The bytes of the file, or None if there is none; a `secret` that others may read is refused."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(path, flags if secret else os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PimError("unexpected", f"{path} cannot be read: {error.strerror}", "see: pim doctor") from None
    with open(descriptor, "rb") as stream:
        if secret and os.name == "posix":
            facts = os.fstat(stream.fileno())
            if facts.st_mode & 0o077 or facts.st_uid != os.getuid():
                text = f"{path} holds tokens and others may read it"
                raise PimError(
                    "signin", text, f"close it (chmod 600 {path}), or sign in anew: pim logout; pim login"
                )
        return stream.read(_MAX)


def write_private(path: str, data: bytes) -> None:
    """Replace the file by `data` in one step: readers see the old or the new, never half."""
    home = os.path.dirname(path)
    ensure_home(home)
    temporary = f"{path}.{os.getpid()}.new"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
        with open(os.open(temporary, flags, 0o600), "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise PimError(
            "unexpected", f"{path} cannot be written: {error.strerror}", "see: pim doctor"
        ) from None


class Lock:
    """`with Lock(path):` one process at a time, so that two `pim` never redeem the same refresh token."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._stream: Any = None

    def __enter__(self) -> Self:
        ensure_home(os.path.dirname(self.path))
        self._stream = open(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "rb+")
        try:
            import fcntl
        except ImportError:  # Windows
            import msvcrt

            msvcrt.locking(self._stream.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            fcntl.flock(self._stream.fileno(), fcntl.LOCK_EX)
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
