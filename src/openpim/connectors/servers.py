"""What targets share that are one server at one address: how it is reached and known, what is done in which order, waiting for
something to be gone, and what goes wrong, in the words of a connector."""

from __future__ import annotations

import ipaddress
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from openpim.connectors.checks import is_number
from openpim.core.connecting import Op, OpKind
from openpim.ports.connector import Fault, Setting, TargetError

CA: Final = Setting(
    "ca",
    "Certificates (PEM) of the authorities to trust instead of the machine's.",
    place=True,
    lines=True,
)
# Of databases, in libpq's words.
SSLMODE: Final = Setting(
    "sslmode",
    "How the server is known. Without verify- only where the operator allows its address.",
    default="verify-full",
    choices=("verify-full", "verify-ca", "require", "disable"),
    place=True,
)
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\.?")
_MOST_PEM: Final = 256 * 1024
_LONGEST_PAUSE: Final = 0.1  # s


def place_faults(settings: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with host, port and ca."""
    faults: dict[str, str] = {}
    if not _is_host(settings.get("host", "")):
        faults["host"] = "Give the name or the address of one server."
    if not is_number(settings.get("port", ""), 1, 65535):
        faults["port"] = "Give a number from 1 to 65535."
    ca = settings.get("ca", "")
    if ca and ("-----BEGIN CERTIFICATE-----" not in ca or len(ca) > _MOST_PEM or "\x00" in ca):
        faults["ca"] = "Give certificates as PEM, or nothing."
    return faults


def name_faults(settings: Mapping[str, str], names: Iterable[str], most_bytes: int) -> dict[str, str]:
    """What is wrong with settings that are names in the server, none of which may be left out."""
    return {
        name: f"Give a name of at most {most_bytes} bytes."
        for name in names
        if not (value := settings.get(name, ""))
        or len(value.encode(errors="replace")) > most_bytes
        or not value.isprintable()
    }


def _is_host(text: str) -> bool:
    """No list, no folder of sockets, no option: libpq would take each for something else."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _HOST.fullmatch(text) is not None
    return True


def by_kind(ops: Sequence[Op]) -> Iterator[tuple[OpKind, list[Op]]]:
    """Runs of the same kind, in their order."""
    for kind, run in groupby(ops, lambda op: op.kind):
        yield kind, list(run)


def looks(seconds: float) -> Iterator[bool]:
    """For looking whether something has gone: at once, then after pauses that grow. True with the last look."""
    waited, pause, waiting = 0.0, 0.002, threading.Event()
    while waited <= seconds:
        yield False
        waiting.wait(pause)
        waited += pause
        pause = min(pause * 2, _LONGEST_PAUSE)
    yield True


def said_by_server(text: str, secrets: Mapping[str, str]) -> str:
    """Its own words, in one line, for administrators; without what was sent as a secret."""
    for secret in secrets.values():
        text = text.replace(secret, "…") if secret else text
    return "".join(letter if letter.isprintable() else " " for letter in text)[:300]


def refused(where: str, said: str) -> TargetError:
    return TargetError(Fault.REFUSED, f"{where} refuses it: {said}. See what `pim connector probe` says.")


def busy(where: str, said: str) -> TargetError:
    return TargetError(Fault.UNREACHABLE, f"{where} is busy: {said}. It is tried again.")


def away(where: str, said: str) -> TargetError:
    return TargetError(Fault.UNREACHABLE, f"{where} cannot be reached: {said}")


def not_done(where: str, said: str) -> TargetError:
    return TargetError(Fault.BROKEN, f"{where} did not do it: {said}")


def late() -> TargetError:
    return TargetError(
        Fault.FENCED, "The lease ended before this was written. It is done again under a new one."
    )


def overtaken(what: str) -> TargetError:
    """what: a database, a server."""
    return TargetError(
        Fault.FENCED,
        f"A later lease has written to this {what}. Where OpenPIM's own database was restored from a backup, empty the table "
        "openpim.fence there.",
    )
