"""What every connector must pass, on a small service that really lets people in: one that keeps no end, and one that does and ends
sessions."""

from __future__ import annotations

import pytest

from tests.connectors.contract import ConnectorContract
from tests.connectors.webhook.rigs import WebhookRig


class TestPlain(ConnectorContract):
    @pytest.fixture
    def rig(self):
        rig = WebhookRig()
        yield rig
        rig.close()


class TestWithAnEndAndSessions(ConnectorContract):
    @pytest.fixture
    def rig(self):
        rig = WebhookRig(native_end="full", sever="yes")
        yield rig
        rig.close()
