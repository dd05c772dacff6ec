"""The workers that tell, run by hand, and a mailer that keeps what it is given: the twin of notify/mail.py."""

from __future__ import annotations

from dataclasses import dataclass, field

from openpim.core.deliveries import Delivery
from openpim.core.organisation_settings import OrganisationSettings
from openpim.core.query import Query
from openpim.ports.channels import Outcome
from openpim.ports.mailer import Letter
from openpim.services.audit_log import grow
from openpim.services.notices.digest import plan_digest
from openpim.services.notices.ending import plan_endings
from openpim.services.notices.planning import plan
from openpim.services.notices.sending import Ways, send_due
from openpim.store.deliveries import deliveries
from tests.world import World


@dataclass
class PostOffice:
    """outcomes: how the coming letters end, one after the other; then all are taken."""

    letters: list[Letter] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    reachable: bool = True
    tries: int = 0

    def send(self, letter: Letter) -> Outcome:
        self.tries += 1
        outcome = self.outcomes.pop(0) if self.outcomes else Outcome(sent=True)
        if outcome.sent:
            self.letters.append(letter)
        return outcome

    def close(self) -> None:
        pass


class Telling:
    """world: in which it is told. Everything that happened before this was made is told already, to nobody."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.office = PostOffice()
        self.ways = Ways(self.office)
        # A sender looks at every tenant: what tests before this one left in the database is none of its business.
        world.database.write("", lambda tx: tx.connection.execute(deliveries.delete()))
        self.settings(weekly_digest=False)
        self.plan()
        self.send()
        self.office.letters.clear()
        self.office.tries = 0
        world.forward(minutes=2)

    def plan(self) -> None:
        deps, tenant = self.world.deps, self.world.tenant_id
        while grow(deps, tenant):
            pass
        while plan(deps, tenant):
            pass
        plan_endings(deps, tenant)
        plan_digest(deps, tenant)

    def send(self) -> int:
        return send_due(self.world.deps, self.ways)

    def tell(self) -> list[Letter]:
        """Two minutes later, so that nothing is held back for the sake of a letter just sent: plan and send; the letters
        of this time."""
        self.world.forward(minutes=2)
        before = len(self.office.letters)
        self.plan()
        while self.send():
            pass
        return self.office.letters[before:]

    def told(self) -> dict[str, list[str]]:
        """What `tell` brings: the kinds of notices, by the name of who got them (or the address)."""
        found: dict[str, list[str]] = {}
        for letter in self.tell():
            kinds = [one.topic.value for one in letter.notices]
            found.setdefault(letter.name or letter.to, []).extend(kinds)
        return found

    def settings(self, **values: object) -> None:
        changed = OrganisationSettings(**values)  # type: ignore[arg-type]
        self.world.write(lambda tx: tx.organisation_settings.save(changed))

    def deliveries(self) -> list[Delivery]:
        return list(self.world.read(lambda tx: tx.deliveries.page(Query(limit=5000))).items)
