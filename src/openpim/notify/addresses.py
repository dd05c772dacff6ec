"""Which addresses OpenPIM may call: what a URL may look like, and where its name may lead.

Whoever writes a URL into a setting must not be able to make the server talk to itself, to its neighbours, or to the
metadata service of the machine it runs on: only global addresses, unless the configuration allows more
(`[outbound] allow`). Text is judged strictly, because every reader of a lax URL reads it in another way.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from openpim.ports.outbound import OutboundError, OutboundFault

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LONGEST = 2048
_PRINTABLE = re.compile(r"[!-~]+")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)\.?")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")


@dataclass(frozen=True, slots=True)
class Place:
    """A URL taken apart. host: in lower case, an address without brackets. target: path and query, as sent."""

    secure: bool
    host: str
    port: int
    target: str

    @property
    def literal(self) -> Address | None:
        return _address(self.host)

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


class Allowed:
    """What the configuration allows beyond global addresses: networks ("10.0.0.0/8"), names ("ntfy.example.internal"),
    and all names below one ("*.example.internal")."""

    def __init__(self, allow: Sequence[str] = ()) -> None:
        """Raises ValueError naming the entry that is neither a network nor a name."""
        self._networks: list[Network] = []
        self._names: set[str] = set()
        self._below: list[str] = []
        for entry in allow:
            text = entry.strip().lower().rstrip(".")
            try:
                self._networks.append(ipaddress.ip_network(text))
            except ValueError:
                name = text.removeprefix("*.")
                if not _NAME.fullmatch(name) or _NUMBER.fullmatch(name.rsplit(".", 1)[-1]):
                    raise ValueError(entry) from None
                if text.startswith("*."):
                    self._below.append(f".{name}")
                else:
                    self._names.add(name)

    def named(self, host: str) -> bool:
        name = host.rstrip(".")
        return name in self._names or any(name.endswith(end) for end in self._below)

    def inside(self, address: Address) -> bool:
        seen = _seen(address)
        return any(seen.version == network.version and seen in network for network in self._networks)

    def may_call(self, host: str, address: Address) -> bool:
        """A network allows its addresses. A name allows what it leads to, but for what is never meant by a name: the
        link's own addresses (a cloud's metadata service is one), multicast, and no address at all."""
        if self.inside(address):
            return True
        seen = _seen(address)
        if seen.is_link_local or seen.is_multicast or seen.is_unspecified:
            return False
        return self.named(host) or _everybodys(seen)


def place(url: str) -> Place:
    """Raises OutboundError(BAD_ADDRESS) for whatever is not a plain http(s) URL."""
    if len(url) > _LONGEST or not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise _bad("The address is too long, or has a space or a character that does not belong into one.")
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").lower()
    except ValueError:
        raise _bad("The address cannot be read.") from None
    if parts.scheme not in {"https", "http"}:
        raise _bad("Write an address that begins with https:// .")
    if "@" in parts.netloc:
        raise _bad("Leave the user name and the password out of the address.")
    if parts.fragment:
        raise _bad("Leave out the part behind # .")
    if port == 0:
        raise _bad("Port 0 is no port.")
    literal = _address(host)
    if literal is None and (not _NAME.fullmatch(host) or len(host) > 253):
        raise _bad("The address names no host. Write names of other alphabets in their xn-- form.")
    if literal is None and _NUMBER.fullmatch(host.rsplit(".", 1)[-1] or host.rstrip(".").rsplit(".", 1)[-1]):
        raise _bad("Write an IP address as four numbers from 0 to 255.")
    secure = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(secure, host, port or (443 if secure else 80), target)


def _bad(message: str) -> OutboundError:
    return OutboundError(OutboundFault.BAD_ADDRESS, message)


def _address(host: str) -> Address | None:
    if "%" in host:  # a zone: it means something on this machine only
        return None
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _seen(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to, where it does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _SIX_TO_FOUR and address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64 or (address in _COMPATIBLE and int(address) > 0xFFFF):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _everybodys(seen: Address) -> bool:
    if isinstance(seen, ipaddress.IPv6Address) and (seen.is_site_local or seen.teredo is not None):
        return False
    return seen.is_global and not (seen.is_multicast or seen.is_reserved or seen.is_unspecified)
