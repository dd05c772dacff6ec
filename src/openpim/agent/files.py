"""Writing below directories of the system so that nobody else can come between: each is opened once and everything happens
relative to it, links are never followed, and a file is complete before it has its name."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator


class UnsafePlaceError(Exception):
    """Somebody other than root could change what is written there."""


@contextlib.contextmanager
def directory(path: str) -> Iterator[int]:
    """A descriptor. Raises UnsafePlaceError, OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if status.st_uid not in {0, os.geteuid()} or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise UnsafePlaceError(f"{path} must belong to root, and nobody else may write it")
        yield descriptor
    finally:
        os.close(descriptor)


def read(place: int, name: str, most: int = 1_000_000) -> bytes | None:
    """None when it is not there. Raises UnsafePlaceError when it is no plain file."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise UnsafePlaceError(f"{name} is not a plain file")
        return file.read(most)


def replace(
    place: int,
    name: str,
    content: bytes,
    mode: int,
    check: Callable[[str], None] | None = None,
    owner: tuple[int, int] | None = None,
) -> None:
    """check: given the unfinished file's name; what it raises stops the rest. owner: (uid, gid)."""
    unfinished = f".{name}.tmp~"  # sudo does not read names with a dot or ending in ~
    with contextlib.suppress(FileNotFoundError):
        os.unlink(unfinished, dir_fd=place)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(unfinished, flags, 0o600, dir_fd=place)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if owner is not None and owner != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        if check is not None:
            check(unfinished)
        os.rename(unfinished, name, src_dir_fd=place, dst_dir_fd=place)
        os.fsync(place)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(unfinished, dir_fd=place)
        raise


def remove(place: int, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=place)
        os.fsync(place)
