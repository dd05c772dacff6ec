"""MariaDB passes what every connector must."""

from __future__ import annotations

from tests.connectors.contract import ConnectorContract


class TestMariadb(ConnectorContract):
    pass
