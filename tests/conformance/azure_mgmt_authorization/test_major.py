"""Which of the two current majors of azure-mgmt-authorization this run has: see tests/conformance/conftest.py."""

from __future__ import annotations

import os
from importlib.metadata import version

from azure.mgmt.authorization import _version


def test_the_major_that_was_asked_for():
    major = os.environ.get("SDK_MAJOR", "4")
    assert _version.VERSION.split(".")[0] == major
    assert version("azure-mgmt-authorization").split(".")[0] == major
