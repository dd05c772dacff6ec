"""A Linux host, as every connector is tested: the server's side, the real face, the real agent, a host in a folder."""

from __future__ import annotations

import pytest

from tests.connectors.contract import ConnectorContract
from tests.connectors.linux.rig import LinuxRig
from tests.world import World


@pytest.fixture
def database_kind():
    """SQLite: what is tested here is between the host and the connector."""
    return "sqlite"


class TestContract(ConnectorContract):
    @pytest.fixture
    def rig(self, database_url, tmp_path):
        world = World(database_url)
        made = LinuxRig(world, tmp_path / "host")
        yield made
        made.close()
        world.close()
