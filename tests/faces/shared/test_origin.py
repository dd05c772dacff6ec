"""Which answers tell clients to come back by HTTPS alone."""

from __future__ import annotations

import pytest

from openpim.faces.shared.origin import https_for_good

HEADER = "Strict-Transport-Security"


@pytest.mark.parametrize(
    "origin", ["https://localhost:8443", "http://127.0.0.1:8443", "https://[::1]", "https://localhost"]
)
def test_this_machine_is_left_alone(origin: str) -> None:
    assert https_for_good(origin) == {}


@pytest.mark.parametrize(
    "origin", ["https://pim.example.com", "https://localhost.example.com", "https://10.0.0.1:8443"]
)
def test_others_come_back_by_https(origin: str) -> None:
    assert https_for_good(origin) == {HEADER: "max-age=31536000"}
    assert https_for_good(origin, "; includeSubDomains") == {HEADER: "max-age=31536000; includeSubDomains"}
