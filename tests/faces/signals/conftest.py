"""A stage for each test, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faces.signals.stage import Receiver, Stage


@pytest.fixture
def stage(database_url: str) -> Iterator[Stage]:
    made = Stage(database_url)
    yield made
    made.close()


@pytest.fixture
def crm(stage: Stage) -> Receiver:
    return stage.receiver("CRM")
