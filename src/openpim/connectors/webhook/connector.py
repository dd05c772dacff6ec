"""Calls a web service that gives and takes access: `ping`, `read`, `apply`, `sever`, each a signed POST to one address."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from openpim.connectors.answers import call, object_of, said_by, session_of
from openpim.connectors.remembering import RememberedFence, fenced
from openpim.connectors.taking import Taken
from openpim.core import webhooks
from openpim.core.connecting import Edge, Op, OpKind, Snapshot
from openpim.ports.connector import Fault, Fence, Opening, Probe, Receipt, Severed, TargetError

SECONDS: Final = 10.0
BATCH: Final = 200  # operations a call
_MOST_PAGES: Final = 1000
_FENCED: Final = 409
_VERSION: Final = 1
_SHORTEST_KEY: Final = 16


class WebhookConnector:
    """See ports/connector.py."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._fence = RememberedFence(opening.memory, opening.clock)
        given = (opening.secrets.get("secret", ""), opening.secrets.get("previous_secret", ""))
        self._secrets = [one for one in given if one]
        self._severs = opening.settings.get("sever") == "yes"
        self._bounded = (opening.settings.get("native_end") or "none") != "none"
        self._session = session_of(opening.settings)

    # -- looking
    def probe(self) -> Probe:
        found = self._say("ping", {"entitlements": list(self._opening.managed)})
        version, unknown = found.get("version"), found.get("unknown") or []
        lacks = [
            f"The service does not know the entitlement {name[:100]!r}."
            for name in (unknown if isinstance(unknown, list) else ())
            if isinstance(name, str)
        ]
        return Probe(
            reachable=True,
            version=version if isinstance(version, str) and version else "unknown",
            lacks=tuple(lacks),
        )

    def read(self) -> Snapshot:
        edges: set[Edge] = set()
        after: str | None = None
        taken = Taken("The service")
        for _ in range(_MOST_PAGES):
            body: dict[str, Any] = {"entitlements": list(self._opening.managed)}
            if after is not None:
                body["after"] = after
            found = self._say("read", body, taken)
            rows = found.get("edges")
            if not isinstance(rows, list):
                raise _broken("`edges` is not a list")
            taken.entries(len(rows))
            edges |= {edge for row in rows if (edge := self._edge(row)).entitlement in self._opening.managed}
            following = found.get("next")
            if not following:
                return Snapshot(frozenset(edges))
            if not isinstance(following, str) or following == after:
                raise _broken("`next` is no new text")
            after = following
        raise _broken(f"there are more than {_MOST_PAGES} pages")

    def _edge(self, row: Any) -> Edge:
        if not isinstance(row, dict):
            raise _broken("an edge is not an object")
        subject, entitlement, until = row.get("subject"), row.get("entitlement"), row.get("until")
        if not (isinstance(subject, str) and subject and isinstance(entitlement, str)):
            raise _broken("an edge lacks `subject` or `entitlement`")
        if until is None or not self._bounded:
            return Edge(subject, entitlement)
        return Edge(subject, entitlement, _instant(until))

    # -- changing
    def apply(self, ops: Sequence[Op], fence: Fence) -> list[Receipt]:
        if not ops:
            return []
        self._fence.enter(fence)
        receipts: list[Receipt] = []
        for start in range(0, len(ops), BATCH):
            self._fence.in_time(fence)
            receipts += self._lot(ops[start : start + BATCH], fence)
        return receipts

    def _lot(self, ops: Sequence[Op], fence: Fence) -> list[Receipt]:
        managed = [op for op in ops if op.edge.entitlement in self._opening.managed]
        said: list[str] = []
        if managed:
            body = {"epoch": fence.epoch, "operations": [self._operation(op) for op in managed]}
            said = self._errors(self._say("apply", body), len(managed))
        errors = iter(said)
        return [
            Receipt(op, next(errors))
            if op.edge.entitlement in self._opening.managed
            else Receipt(op, "This entitlement is not one that is managed.")
            for op in ops
        ]

    def sever(self, ended: Sequence[Edge], kept: Collection[Edge], fence: Fence) -> list[Severed]:
        if not ended:
            return []
        if not self._severs:
            self._say("ping", {"entitlements": []})  # that nobody is there is to be told
            until = self._opening.clock() + self._session if self._session else None
            return [Severed(edge, "", until) for edge in ended]
        self._fence.enter(fence)
        subjects = {edge.subject for edge in ended}
        body = {
            "epoch": fence.epoch,
            "ended": [self._plain(edge) for edge in ended],
            "kept": [self._plain(edge) for edge in kept if edge.subject in subjects],
        }
        errors = self._errors(self._say("sever", body), len(ended))
        return [Severed(edge, error) for edge, error in zip(ended, errors, strict=True)]

    def close(self) -> None:
        """Nothing is held open."""

    # -- talking
    def _operation(self, op: Op) -> dict[str, Any]:
        """A new end is the same as a grant: what is there gets it."""
        return {"op": "revoke" if op.kind is OpKind.REVOKE else "grant", **self._plain(op.edge)}

    def _plain(self, edge: Edge) -> dict[str, Any]:
        until = None
        if edge.until is not None:
            until = edge.until.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return {"subject": edge.subject, "entitlement": edge.entitlement, "until": until}

    def _errors(self, found: Mapping[str, Any], count: int) -> list[str]:
        results = found.get("results")
        if not isinstance(results, list) or len(results) != count:
            raise _broken(f"`results` is not a list of {count}")
        errors = []
        for one in results:
            error = one.get("error", "") if isinstance(one, dict) else None
            if error is not None and not isinstance(error, str):
                error = "The service says no, and not why."
            if error is None and not isinstance(one, dict):
                raise _broken("a result is not an object")
            errors.append(" ".join("".join(c if c.isprintable() else " " for c in error or "").split())[:300])
        return errors

    def _say(self, kind: str, data: Mapping[str, Any], taken: Taken | None = None) -> dict[str, Any]:
        if not self._secrets or not all(is_secret(one) for one in self._secrets):
            raise TargetError(
                Fault.REFUSED,
                f"Set the signing secret: {webhooks.PREFIX} and at least {_SHORTEST_KEY} bytes in base64.",
            )
        now = self._opening.clock()
        body = json.dumps(
            {
                "type": f"access.{kind}",
                "version": _VERSION,
                "timestamp": now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
                "target": self._opening.target_id,
                "data": data,
            },
            ensure_ascii=False,
        ).encode("utf-8", "replace")
        message_id = f"msg_{self._opening.secret(16)}"
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            **webhooks.headers(self._secrets, message_id, now, body),
        }
        answer = call(
            self._opening.outbound, "POST", self._opening.settings["url"], headers, body, seconds=SECONDS
        )
        if taken is not None:
            taken.bytes(len(answer.body))
        if answer.status == _FENCED:
            raise fenced()
        if not answer.ok:
            why = said_by(answer)
            raise TargetError(
                Fault.BROKEN, f"The service answered {answer.status} to `{kind}`{': ' + why if why else '.'}"
            )
        return object_of(answer)


def is_secret(text: str) -> bool:
    try:
        return (
            text.startswith(webhooks.PREFIX)
            and len(base64.b64decode(text[len(webhooks.PREFIX) :], validate=True)) >= _SHORTEST_KEY
        )
    except (binascii.Error, ValueError):
        return False


def _instant(text: Any) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        raise _broken("an `until` is no date and time") from None
    if found.tzinfo is None:
        raise _broken("an `until` lacks its time zone")
    return found.astimezone(UTC)


def _broken(what: str) -> TargetError:
    return TargetError(Fault.BROKEN, f"The service's answer is not as the contract says: {what}.")
