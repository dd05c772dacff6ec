"""For hosts that take certificates (docs/how-to/ssh-certificates.md): the keys that sshd trusts and the list of what it does not
any more, kept as the server last said. sshd reads both files at each login.

A list that sshd cannot read would let nobody in, and an older one somebody who was put out: neither is ever put in place.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import struct
import subprocess
from dataclasses import dataclass, field
from typing import Any, Final

from openpim.agent import files
from openpim.agent.clock import Clock
from openpim.agent.configuration import Fleet

KRL, KEYS, FETCHED = "krl", "ca.pub", ".fetched"  # as data/ssh/refresh.sh names them
_HEAD: Final = struct.Struct(">8sIQ")  # what it is, of which form, its number
_MOST: Final = 1_400_000  # letters
_KEY: Final = re.compile(
    r"(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/]+=*( [\x21-\x7e]*)?"
)
_KEYGEN: Final = ("/usr/bin/ssh-keygen", "/usr/local/bin/ssh-keygen", "/bin/ssh-keygen")
_SECONDS: Final = 10
_FAULTS: Final = (OSError, ValueError, files.UnsafePlaceError, subprocess.SubprocessError)


@dataclass(slots=True)
class Lists:
    """fault: why the last could not be put in place, "" when it was."""

    fleet: Fleet
    clock: Clock
    fault: str = ""
    _mark: str = ""
    _heard: float = field(default=0.0)  # of `elapsed`

    def __post_init__(self) -> None:
        self._heard = self.clock.elapsed() - self._age()

    def question(self) -> dict[str, str]:
        return {"target": self.fleet.target, "mark": self._mark}

    def take(self, said: Any) -> None:
        """What an answer has of them: the mark alone, when they are as they were. What is wrong with it is kept as `fault`, and
        then the server counts as not heard,
        and is asked for all of it again."""
        try:
            if said is None:
                raise ValueError("the server tells nothing of them: is the target in [certificates] right?")
            if said != self._unchanged:
                self._put(said)
                self._mark = said["mark"]
            with files.directory(self.fleet.folder) as place:
                files.replace(place, FETCHED, b"", 0o644)
        except _FAULTS as error:
            self.fault, self._mark = f"certificates: {error}", ""
            return
        self._heard = self.clock.elapsed()
        self.fault = ""

    def look(self) -> None:
        """Where nothing was heard for too long, what the server signed is trusted no longer, so that no revocation is missed."""
        if not self.fleet.longest or self.clock.elapsed() - self._heard <= self.fleet.longest:
            return
        try:
            with files.directory(self.fleet.folder) as place:
                if files.read(place, KEYS):
                    files.replace(place, KEYS, b"", 0o644)
        except _FAULTS as error:
            self.fault = f"certificates: {error}"
        self._mark = ""

    @property
    def _unchanged(self) -> dict[str, str]:
        return {"mark": self._mark}

    def _put(self, said: Any) -> None:
        if not isinstance(said, dict) or not all(
            isinstance(said.get(one), str) for one in ("mark", "keys", "krl")
        ):
            raise ValueError("the server's list is of another form")
        krl, keys = _krl(said["krl"]), _keys(said["keys"])
        os.makedirs(self.fleet.folder, mode=0o755, exist_ok=True)  # noqa: PTH103
        with files.directory(self.fleet.folder) as place:
            present = files.read(place, KRL, _MOST)
            if present is not None and _older(krl, present):
                raise ValueError("the server's list is older than the one that is here: is it a copy?")
            # What is revoked first: a key that is new signs nothing yet.
            if present != krl:
                files.replace(place, KRL, krl, 0o644, check=self._readable)
            if files.read(place, KEYS) != keys:
                files.replace(place, KEYS, keys, 0o644)

    def _readable(self, unfinished: str) -> None:
        keygen = next((one for one in _KEYGEN if os.access(one, os.X_OK)), None)
        if keygen is None:
            raise ValueError("there is no ssh-keygen on this host")
        ran = subprocess.run(  # noqa: S603 - our own path and file
            [keygen, "-Q", "-l", "-f", os.path.join(self.fleet.folder, unfinished)],  # noqa: PTH118
            capture_output=True,
            timeout=_SECONDS,
            env={},
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if ran.returncode:
            raise ValueError("ssh-keygen does not take the server's list")

    def _age(self) -> float:
        """Seconds since the server was last heard, by what an agent before this one has left; 0.0 for the first."""
        try:
            with files.directory(self.fleet.folder) as place:
                left = self.clock.wall().timestamp() - os.stat(FETCHED, dir_fd=place).st_mtime
        except _FAULTS:
            return 0.0
        return max(0.0, left)


def _krl(text: str) -> bytes:
    if len(text) > _MOST:
        raise ValueError("the server's list is too long")
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("the server's list is not in base 64") from error
    _number(content)
    return content


def _number(content: bytes) -> int:
    """Which list it is: a later one has a higher number. Raises ValueError."""
    if len(content) < _HEAD.size:
        raise ValueError("this is no revocation list")
    what, form, number = _HEAD.unpack_from(content)
    if what != b"SSHKRL\n\0" or form != 1:
        raise ValueError("this is no revocation list")
    return int(number)


def _older(krl: bytes, present: bytes) -> bool:
    """Than what is there, which is the same target's. What is no list of ours, an empty file say, is no reason to have none."""
    try:
        return _number(present) > _number(krl) and _comment(present) == _comment(krl)
    except ValueError:
        return False


def _comment(content: bytes) -> bytes:
    """Of which target it is. Raises ValueError."""
    at = _HEAD.size + 16  # when it was made, and marks
    for _ in range(2):  # a part without meaning, and the comment
        size = int.from_bytes(content[at : at + 4], "big")
        part, at = content[at + 4 : at + 4 + size], at + 4 + size
    if at > len(content):
        raise ValueError("this is no revocation list")
    return part


def _keys(text: str) -> bytes:
    lines = text.splitlines()
    if len(lines) > 20 or not all(_KEY.fullmatch(line) and len(line) < 2000 for line in lines):
        raise ValueError("the server's keys are of another form")
    return text.encode()
