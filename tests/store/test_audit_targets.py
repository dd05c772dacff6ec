"""The history of one thing is found by its id, however long that is."""

from __future__ import annotations

from openpim.core.audit import AuditEvent, Target
from openpim.core.query import Compare, Query
from tests.world import World


def test_long_ids_with_the_same_beginning_are_told_apart(database_url: str) -> None:
    world = World(database_url)
    try:
        path = "/subscriptions/00000000-0000-4000-8000-000000000001/resourcegroups/" + "long" * 30
        wanted, other = f"{path}/a", f"{path}/b"
        short = path[:80]
        for target in (wanted, other, short):
            event = AuditEvent(
                id=world.new_id(), at=world.now, activity="Look", category="ResourceManagement",
                result="success", targets=(Target("Resource", target),),
            )  # fmt: skip
            world.write(lambda tx, event=event: tx.audit.add(event))

        def about(target: str) -> list[str]:
            asked = Query(Compare("target_id", "eq", target))
            return [one.targets[0].id for one in world.read(lambda tx: tx.audit.page(asked)).items]

        assert [about(one) for one in (wanted, other, short)] == [[wanted], [other], [short]]
    finally:
        world.close()
