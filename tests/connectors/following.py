"""The whole way from an activation to a real system and back, for tests that have a real server: `Follower` makes a target and a
mapping in a world, and looks as the worker does. The world's clock starts at the real time, which servers compare with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from openpim.connectors import KINDS
from openpim.core.connecting import Effect, EffectState
from openpim.core.grants import Provider
from openpim.services.connecting import manage
from openpim.services.connecting.checking import Desired
from openpim.services.connecting.issue import Credential, issue
from openpim.services.connecting.reconcile import Held, look
from tests.signin_helper import OUTBOUND
from tests.world import TEAMS, World, ok


class Follower:
    def __init__(
        self,
        world: World,
        kind: str,
        settings: Mapping[str, str],
        secrets: Mapping[str, str],
        managed: tuple[str, ...],
    ) -> None:
        world.deps = replace(world.deps, connectors=KINDS, outbound=OUTBOUND)
        self.world, self.held = world, Held()
        desired = Desired(
            name=kind, subject="{localPart}", managed=managed, settings=dict(settings), secrets=dict(secrets)
        )
        self.target_id = ok(manage.create(world.deps, world.caller(world.ga), kind, desired)).target.id
        self.map(TEAMS, managed[0])

    def map(self, role: str, entitlement: str) -> None:
        caller = self.world.caller(self.world.ga)
        ok(
            manage.add_rule(
                self.world.deps, caller, self.target_id, Provider.DIRECTORY, role, "/", entitlement
            )
        )

    def look(self) -> str:
        """What was wrong with it, "" when nothing was."""
        found = look(self.world.deps, self.held, self.world.tenant_id, self.target_id)
        assert found is not None
        return found.fault

    def effects(self, person: str) -> list[Effect]:
        found = self.world.read(lambda tx: tx.effects.of_target(self.target_id, over=True))
        return [one for one in found if one.principal_id == person]

    def states(self, person: str) -> set[EffectState]:
        return {one.state for one in self.effects(person)}

    def issue(self, person: str) -> Mapping[str, str]:
        found = ok(issue(self.world.deps, self.world.caller(person), self.target_id, {}))
        assert isinstance(found, Credential)
        return found.values
