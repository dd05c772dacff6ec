"""PostgreSQL passes what every connector must, in both modes, on every release that is here."""

from __future__ import annotations

import pytest

from tests.connectors.contract import ConnectorContract
from tests.connectors.postgresql.conftest import Rig


class TestMembership(ConnectorContract):
    @pytest.fixture
    def rig(self, membership: Rig) -> Rig:
        return membership


class TestJit(ConnectorContract):
    @pytest.fixture
    def rig(self, jit: Rig) -> Rig:
        return jit
