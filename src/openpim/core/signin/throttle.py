"""Lock-out arithmetic: how long a key must wait after so many failures.

Nobody can lock another person out: strangers are counted by account *and* network, a browser that this person has
used before is counted by itself, and only networks have a budget over all accounts. Guessing the second factor is
counted by account alone, because only somebody who already knows the password gets that far.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from openpim.core.signin.values import Counter


@dataclass(frozen=True, slots=True)
class Limit:
    """free failures cost nothing; each further one doubles the wait up to `longest`. `window`: after so long
    without a failure all is forgotten."""

    free: int
    longest: timedelta
    window: timedelta


ACCOUNT = Limit(free=5, longest=timedelta(minutes=15), window=timedelta(hours=1))
NETWORK = Limit(free=50, longest=timedelta(minutes=15), window=timedelta(minutes=15))
SECOND_FACTOR = Limit(free=5, longest=timedelta(minutes=15), window=timedelta(hours=6))
USER_CODE = Limit(free=10, longest=timedelta(minutes=15), window=timedelta(minutes=15))


def wait(counter: Counter | None, limit: Limit, now: datetime) -> timedelta:
    """How long until the next try is looked at; zero: now."""
    if counter is None or counter.failures < limit.free or now >= counter.last + limit.window:
        return timedelta(0)
    delay = min(timedelta(seconds=2 ** min(counter.failures - limit.free, 20)), limit.longest)
    return max(timedelta(0), counter.last + delay - now)


def count(counter: Counter | None, key: str, limit: Limit, now: datetime) -> Counter:
    """The counter after one more failure now."""
    if counter is None or now >= counter.last + limit.window:
        return Counter(key, 1, now, now)
    return Counter(key, counter.failures + 1, counter.since, now)


def network(ip: str) -> str:
    """The address a limit is counted by: an IPv4 address, or the /64 of an IPv6 one (anybody owns a whole /64)."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)
