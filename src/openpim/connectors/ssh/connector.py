"""A fleet of hosts that trust one certificate authority of ours. Nothing is ever sent to the hosts: they believe certificates,
fetch the list of revoked ones, and may ask about one.

What "is there" is the authority's own register. A privilege is there when a certificate can be had for it; it is gone when
none can and those that were given are revoked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

from openpim.connectors.remembering import RememberedFence
from openpim.connectors.ssh.authority import SECRET, Authority
from openpim.connectors.ssh.certificates import sign
from openpim.connectors.ssh.keys import line_of, read_public_key
from openpim.connectors.ssh.krl import write_krl
from openpim.connectors.ssh.register import Certificate, Register, by_name, stands
from openpim.connectors.ssh.settings import rules_of
from openpim.core.connecting import Edge, Op, OpKind, Snapshot
from openpim.ports.connector import (
    BadNameError,
    Capabilities,
    Fault,
    Fence,
    Opening,
    Probe,
    Published,
    Receipt,
    Severed,
    TargetError,
)

GUARD_LOOKS: Final = timedelta(seconds=5)  # how often data/ssh/guard.sh looks at the host's list
MOST_STANDING: Final = (
    1000  # certificates of one activation: each is looked at whenever a host fetches the list
)
_NOT_YET: Final = "this privilege is not in force here yet; try again in a second"


def capabilities(settings: Mapping[str, str]) -> Capabilities:
    rules = rules_of(settings)
    # The guard ends what it can see; a process that leaves its session on purpose needs the host agent.
    return Capabilities(
        native_end="new_logins",
        grant_live="next_login",
        revoke_live="session_keeps",
        worst_case_after_revoke=rules.refresh + GUARD_LOOKS if rules.guard else rules.longest,
        per_activation=True,
        issues=True,
    )


class SshFleet:
    """See Connector, Issuing and Publishing."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._rules = rules_of(opening.settings)
        self._register = Register(opening.memory)
        self._fence = RememberedFence(opening.memory, opening.clock)
        self._authority = Authority(opening.secrets.get(SECRET, ""))

    def probe(self) -> Probe:
        now = self._opening.clock()
        self._authority.signer(now)
        open_ended = (
            ()
            if self._rules.guard
            else ("the hosts run no session guard: a session that is open lives on after its end",)
        )
        count = len(self._register.certificates(now))
        return Probe(
            reachable=True,
            version=f"{len(self._authority.trusted(now))} keys, {count} certificates",
            excess=open_ended,
        )

    def read(self) -> Snapshot:
        managed = frozenset(self._opening.managed)
        return Snapshot(frozenset(edge for edge in self._register.edges() if edge.entitlement in managed))

    def apply(self, ops: Sequence[Op], fence: Fence) -> list[Receipt]:
        receipts = []
        if ops:
            self._fence.enter(fence)
            self._register.changed(self._opening.clock())
        for op in ops:
            self._fence.in_time(fence)
            if op.edge.entitlement not in self._opening.managed:
                receipts.append(Receipt(op, f"{op.edge.entitlement} is not among the managed entitlements"))
                continue
            if op.kind is OpKind.REVOKE:
                self._register.drop(op.edge)
            else:
                self._register.put(op.edge)
            receipts.append(Receipt(op))
        if ops:
            self._register.changed(self._opening.clock())  # whoever read in between reads again
        self._register.forget_old(self._opening.clock())
        return receipts

    def sever(self, ended: Sequence[Edge], kept: Collection[Edge], fence: Fence) -> list[Severed]:
        """Hosts learn of a revocation when they next fetch the list; the guard looks at that list."""
        now = self._opening.clock()
        given = self._register.certificates(now)
        severed = []
        for edge in ended:
            ends = [
                one.until
                for one in given
                if (one.subject, one.key) == (edge.subject, edge.key) and edge.entitlement in one.principals
            ]
            last = max(ends, default=now)
            if self._rules.guard:
                last = min(last, now + self._rules.refresh + GUARD_LOOKS)
            severed.append(Severed(edge, residue_until=last if last > now else None))
        return severed

    def issue(self, edge: Edge, given: Mapping[str, str], fence: Fence) -> Mapping[str, str]:
        """given: publicKey. Back: certificate (a line), serial, keyId, principals, validBefore (ISO 8601)."""
        if "publicKey" not in given:
            raise BadNameError("publicKey is missing: send the line of a .pub file")
        key = read_public_key(given["publicKey"])
        now = self._opening.clock()
        held = [
            one
            for one in self.read().edges
            if (one.subject, one.key) == (edge.subject, edge.key) and (one.until is None or one.until > now)
        ]
        mine = by_name(held).get(edge.name)
        if mine is None:
            raise TargetError(Fault.UNREACHABLE, _NOT_YET)
        ends = [one.until for one in (edge, *held) if one.until is not None]
        until = min([*ends, now + self._rules.longest]).replace(microsecond=0)
        if until <= now:
            raise TargetError(Fault.REFUSED, "this privilege ends within a second")
        given_out = [one for one in self._register.certificates(now) if one.until > now]
        if sum((one.subject, one.key) == (edge.subject, edge.key) for one in given_out) >= MOST_STANDING:
            raise TargetError(
                Fault.REFUSED,
                f"there are {MOST_STANDING} certificates of this activation already: use one of them, or activate again",
            )
        signer, line = self._authority.signer(now)
        public = line_of(key)
        random = f"{self._opening.secret(16)} {public} {now.isoformat()}"
        serial = int.from_bytes(hashlib.sha256(random.encode()).digest()[:8], "big") >> 1
        principals = tuple(sorted(one.entitlement for one in held))
        key_id = f"{edge.subject}/act-{edge.key}"
        # Recorded first: whatever happens then, it can be revoked.
        self._register.add(Certificate(serial, edge.subject, edge.key, principals, until, line))
        certificate = sign(
            signer,
            key,
            serial=serial,
            key_id=key_id,
            principals=principals,
            now=now,
            until=until,
            rules=self._rules,
        )
        return {
            "certificate": certificate,
            "serial": str(serial),
            "keyId": key_id,
            "principals": ",".join(principals),
            "validBefore": until.isoformat(),
        }

    def publish(self, name: str, given: Mapping[str, str]) -> Published | None:
        """ca.pub: what hosts trust. krl: what they do not any more. live (serial): the principals of a certificate that
        still counts, a line each; nothing otherwise. mark: another one when the first two may have changed, and each
        minute."""
        if name == "ca.pub":
            lines = self._authority.trusted(self._opening.clock())
            return Published(
                "".join(f"{line} openpim:{self._opening.target_id}\n" for line in lines).encode()
            )
        if name == "krl":
            return Published(self._revoked(), "application/octet-stream")
        if name == "mark":
            return Published(self._mark().encode())
        if name == "live":
            return Published("".join(f"{one}\n" for one in self._live(given.get("serial", ""))).encode())
        return None

    def _mark(self) -> str:
        now = self._opening.clock()
        said = (
            self._register.changed_at(),
            self._authority.trusted(now),
            now.replace(second=0, microsecond=0),
        )
        return hashlib.sha256(repr(said).encode()).hexdigest()[:32]

    def _revoked(self) -> bytes:
        now = self._opening.clock()
        # The time first: what changes while the rest is read makes the next list, not this one with a later number.
        changed = self._register.changed_at() or now.replace(hour=0, minute=0, second=0, microsecond=0)
        edges = by_name(self._register.edges())
        serials: dict[str, set[int]] = {}
        for one in self._register.certificates(now):
            if not stands(one, edges):
                serials.setdefault(one.authority, set()).add(one.serial)
        return write_krl(serials, changed, f"openpim:{self._opening.target_id}")

    def _live(self, serial: str) -> tuple[str, ...]:
        if not (serial.isascii() and serial.isdigit() and len(serial) < 20):
            return ()
        one = self._register.certificate(int(serial))
        if one is None or one.until <= self._opening.clock():
            return ()
        return one.principals if stands(one, by_name(self._register.edges())) else ()

    def close(self) -> None:
        return
