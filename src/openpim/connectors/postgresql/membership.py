"""People who have login roles of their own are made members of the privileged role, and unmade."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from openpim.connectors.postgresql.looking import look
from openpim.connectors.postgresql.names import role_name
from openpim.connectors.postgresql.server import MEMBERS, Person, Server
from openpim.connectors.postgresql.session import BoundedConnection
from openpim.connectors.servers import by_kind
from openpim.core.connecting import Edge, Op, OpKind, Snapshot
from openpim.ports.connector import BadNameError, Fence, Opening, Probe, Receipt, Severed


class MembershipConnector(Server):
    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        self._clock = opening.clock

    def probe(self) -> Probe:
        return self.session.run(lambda connection: look(connection, self.managed, self._clock, jit=False))

    def read(self) -> Snapshot:
        def work(connection: BoundedConnection) -> Snapshot:
            rows = self.session.rows(connection, MEMBERS, list(self.managed))
            return Snapshot(frozenset(Edge(person, role) for person, role in rows))

        return self.session.run(work)

    def apply(self, ops: Sequence[Op], fence: Fence) -> list[Receipt]:
        if not ops:
            return []
        return self.session.run(
            lambda connection: self._apply(connection, ops, fence), self.fencing.seconds(fence) + 1
        )

    def sever(self, ended: Sequence[Edge], kept: Collection[Edge], fence: Fence) -> list[Severed]:
        """All sessions of the person from before: PostgreSQL does not tell which of them did SET ROLE, or to which role."""
        stay = {edge.name for edge in kept}
        errors = self.end_sessions((edge.subject for edge in ended if edge.name not in stay), fence)
        return [
            Severed(edge, errors.get(edge.subject, "") if edge.name not in stay else "") for edge in ended
        ]

    def _apply(self, connection: BoundedConnection, ops: Sequence[Op], fence: Fence) -> list[Receipt]:
        errors: dict[Op, str] = {}
        with self.fencing.writing(connection, fence):
            people = self.people(connection, (op.edge.subject for op in ops if op.kind is OpKind.GRANT))
            for kind, run in by_kind(ops):
                by_role: dict[str, dict[str, Op]] = {}
                for op in run:
                    if why := self._fault(op, people.get(op.edge.subject)):
                        errors[op] = why
                    elif kind is not OpKind.BOUND:
                        by_role.setdefault(op.edge.entitlement, {})[op.edge.subject] = op
                for role, members in by_role.items():
                    do = self.give if kind is OpKind.GRANT else self.take
                    failed = do(connection, role, list(members))
                    if failed and kind is OpKind.REVOKE:  # who is not there has nothing
                        there = self.people(connection, failed)
                        failed = {name: why for name, why in failed.items() if name in there}
                    errors |= {members[name]: why for name, why in failed.items()}
        return [Receipt(op, errors.get(op, "") if errors else "") for op in ops]

    def _fault(self, op: Op, person: Person | None) -> str:
        if why := self.unmanaged(op.edge):
            return why
        if op.kind is not OpKind.GRANT:
            return ""
        name = op.edge.subject
        try:
            role_name(name, "a person's role")
        except BadNameError as error:
            return str(error)
        if why := self.unfit(name):
            return why
        return f"There is no role {name!r} in this server." if person is None else person.fault(name)
