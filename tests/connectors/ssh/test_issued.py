"""A certificate from the activation to the history: it can be found again there by its serial number."""

from __future__ import annotations

import secrets
from dataclasses import replace

from openpim.connectors import KINDS
from openpim.core.grants import Provider
from openpim.services.connecting import manage
from openpim.services.connecting.checking import Desired
from openpim.services.connecting.issue import ISSUED, Credential, issue
from tests.connectors.ssh.test_authority import ED25519
from tests.world import TEAMS, World, ok


def test_each_certificate_is_on_record_with_its_serial_number(database_url: str) -> None:
    world = World(database_url)
    world.deps = replace(world.deps, connectors=KINDS, secret=secrets.token_urlsafe)
    admin = world.caller(world.ga)
    target = ok(manage.create(world.deps, admin, "ssh", Desired(name="fleet", managed=("role:x",)))).target.id
    ok(manage.add_rule(world.deps, admin, target, Provider.DIRECTORY, TEAMS, "/", "role:x"))
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    given = []
    for _ in range(2):
        made = ok(issue(world.deps, world.caller(world.ann), "fleet", {"publicKey": ED25519}))
        assert isinstance(made, Credential)
        given.append(made.values)
    events = [event for event in world.events() if event.activity == ISSUED]
    said = [dict(event.details) for event in events]
    assert [one["SerialNumber"] for one in said] == [one["serial"] for one in given]
    assert [one["KeyId"] for one in said] == [one["keyId"] for one in given]
    assert len({one["serial"] for one in given}) == 2
    assert given[0]["certificate"] not in str(events)
    world.close()
