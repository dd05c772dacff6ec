"""What every connector must pass, on scim2-server and on OpenPIM's own SCIM server."""

from __future__ import annotations

import pytest

from tests.connectors.contract import ConnectorContract
from tests.connectors.scim.rigs import OtherRig, OwnRig


class TestOther(ConnectorContract):
    @pytest.fixture
    def rig(self):
        rig = OtherRig()
        yield rig
        rig.close()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
class TestOwn(ConnectorContract):
    @pytest.fixture
    def rig(self, own: OwnRig) -> OwnRig:
        return own
