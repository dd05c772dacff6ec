"""What hosts fetch, as they fetch it."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta

import pytest

from openpim.connectors import KINDS
from openpim.core.connecting import Edge, Op, OpKind
from openpim.faces import targets
from openpim.ports.connector import Fence
from openpim.services.connecting import manage
from openpim.services.connecting.checking import Desired
from openpim.services.connecting.opening import opened
from tests.connectors.linux.rig import Face
from tests.connectors.ssh.test_authority import ED25519
from tests.world import World, ok

FAR = "00000000-0000-4000-8000-0000000000ff"


@pytest.fixture
def world(database_url: str):
    made = World(database_url)
    yield made
    made.close()


@pytest.fixture
def there(world: World):
    """deps, the target, and how to get something of it."""
    deps = replace(world.deps, connectors=KINDS, secret=secrets.token_urlsafe)
    made = ok(manage.create(deps, world.caller(world.ga), "ssh", Desired(name="fleet", managed=("role:x",))))
    face = Face(targets.routes(deps))

    def get(name, tenant=world.tenant_id, target=made.target.id, **headers):
        return face.get(f"/targets/{tenant}/{target}/{name}", headers=headers)

    yield deps, made.target, get
    face.close()


def test_the_key_and_the_list(world, there):
    deps, target, get = there
    assert get("ca.pub").text.startswith("ssh-ed25519 AAAA")
    first = get("krl")
    assert first.headers["content-type"] == "application/octet-stream"
    assert get("krl", **{"If-None-Match": first.headers["etag"]}).status_code == 304
    connector = opened(deps, world.tenant_id, target)
    edge = Edge("ann@example.com", "role:x", world.now + timedelta(hours=1), "s")
    fence = Fence(1, world.now + timedelta(minutes=1))
    connector.apply([Op(OpKind.GRANT, edge)], fence)
    made = connector.issue(edge, {"publicKey": ED25519}, fence)
    assert get(f"live?serial={made['serial']}").text == "role:x\n"
    connector.apply([Op(OpKind.REVOKE, edge)], fence)
    assert get(f"live?serial={made['serial']}").text == ""
    again = get("krl", **{"If-None-Match": first.headers["etag"]})
    assert again.status_code == 200
    assert len(again.content) > len(first.content)


def test_nothing_else(world, there):
    _, _, get = there
    for name in ("authority", "edges", "..%2fkrl", "live/1"):
        assert get(name).status_code in {404, 405}
    assert get("krl", target=FAR).status_code == 404
    assert get("krl", tenant=FAR).status_code == 404
    assert get("krl", target="x").status_code == 404


def test_the_key_is_sealed_and_never_told(world, there):
    deps, target, _ = there
    assert target.sealed
    assert "PRIVATE" not in target.sealed
    assert "ssh-ed25519" not in target.sealed
    assert "PRIVATE" not in repr(ok(manage.get(deps, world.caller(world.ga), target.id)))
    before = opened(deps, world.tenant_id, target).publish("ca.pub", {}).body
    ok(manage.rotate(deps, world.caller(world.ga), target.id))
    after = world.read(lambda tx: tx.targets.get(target.id))
    assert opened(deps, world.tenant_id, after).publish("ca.pub", {}).body.startswith(before)
