"""The server as it is started asks the short way first, with a real token, and forgets whom it knew when he may no more."""

from __future__ import annotations

import json
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient

from openpim.app import make_app
from openpim.core.directory import Application, ServicePrincipal
from openpim.faces.shared.short import ShortWay
from openpim.running import SETTLED
from openpim.services.directory.service_principals import delete_service_principal
from tests.faces.authzen.conftest import ALL, EVALUATION, question
from tests.signin_helper import app_token, fast_sign_in
from tests.world import TEAMS, World


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


def test_a_started_server_asks_the_short_way_first(world: World) -> None:
    signin = fast_sign_in(world.deps)
    app: Any = make_app(signin.deps, signin)
    settings: dict[str, Any] = {**SETTLED, "lifespan": "off"}
    config = uvicorn.Config(app, **settings)
    config.load()
    assert config.http_protocol_class is ShortWay
    assert config.loaded_app is app, "nothing stands before it"
    app_id = world.new_id()
    face = ServicePrincipal(world.new_id(), app_id, "Gate", True, world.now, (ALL,))
    world.write(lambda tx: tx.applications.add(Application(world.new_id(), app_id, "Gate", world.now, tenant_id=world.tenant_id)))  # fmt: skip
    world.write(lambda tx: tx.service_principals.add(face))
    world.assigned(world.ann)
    headers = {
        "authorization": f"Bearer {app_token(signin, world.tenant_id, app_id)}",
        "content-type": "application/json",
    }
    body = json.dumps(question(world.ann, "use", "role", TEAMS)).encode()

    def short() -> bytes | None:
        said: bytes | None = app.short[EVALUATION.encode()](
            [(name.encode(), value.encode()) for name, value in headers.items()], body
        )
        return said

    with TestClient(app, base_url=signin.deps.settings.origin) as client:
        assert short() is None, "nobody has asked yet"
        assert client.post(EVALUATION, content=body, headers=headers).json() == {"decision": True}
        assert (short() or b"").endswith(b'{"decision":true}')
        assert delete_service_principal(world.deps, world.system, face.id) is None
        assert short() is None, "at once"
        assert client.post(EVALUATION, content=body, headers=headers).status_code == 401
