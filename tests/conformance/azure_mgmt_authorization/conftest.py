"""The tree that one file of these tests works in; nobody else's grants lie in it."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.conformance.arm_client import Field
from tests.live.robot import Robot


@pytest.fixture(scope="module")
def field(server, regulars):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", server.ca_file)
        made = Field(server, regulars)
        yield made
        made.close()


@pytest.fixture
def postgres_field(postgres_live, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", postgres_live.ca_file)
    with ExitStack() as stack:

        def robot(key):
            return stack.enter_context(Robot(postgres_live, postgres_live.people[key]))

        made = Field(postgres_live, robot)
        stack.callback(made.close)
        yield made
