"""The organisation's settings: the defaults until something is saved, each tenant's own, and bearable across releases."""

from __future__ import annotations

from typing import Any

from openpim.core.organisation_settings import OrganisationSettings
from openpim.store.organisation_settings import organisation_settings
from tests.world import World


def test_the_defaults_until_something_is_saved(world: World) -> None:
    assert world.read(lambda tx: tx.organisation_settings.get()) == OrganisationSettings()


def test_what_was_saved_last_is_kept(world: World) -> None:
    first = OrganisationSettings(audit_retention_days=400, weekly_digest=False, break_glass=(world.ga,))
    second = OrganisationSettings(break_glass=(world.ga, world.ga2))
    for values in (first, second):
        world.write(lambda tx, values=values: tx.organisation_settings.save(values))
        assert world.read(lambda tx: tx.organisation_settings.get()) == values


def test_each_tenant_has_its_own(world: World) -> None:
    other = World(world.database)
    other.write(lambda tx: tx.organisation_settings.save(OrganisationSettings(weekly_digest=False)))
    assert world.read(lambda tx: tx.organisation_settings.get()).weekly_digest


def test_a_setting_of_another_release_is_passed_over(world: World) -> None:
    def write(tx: Any) -> None:
        tx.connection.execute(
            organisation_settings.insert().values(
                tenant_id=world.tenant_id, settings='{"weekly_digest": false, "later": 1}'
            )
        )

    world.write(write)
    assert world.read(lambda tx: tx.organisation_settings.get()) == OrganisationSettings(weekly_digest=False)
