"""The same worlds as the acts have."""

from __future__ import annotations

from tests.services.conftest import _shared, own_world, shared_database, world

__all__ = ["_shared", "own_world", "shared_database", "world"]
