"""scim2-tester, which judges servers by RFC 7643 and RFC 7644, finds nothing wrong."""

from __future__ import annotations

from collections import Counter

from scim2_tester import Status, check_server

from tests.faces.scim.client import Engine, Scim


def test_the_tester_finds_no_fault(scim: Scim) -> None:
    results = check_server(Engine(scim))
    faults = [
        f"{one.title}: {one.reason}" for one in results if one.status not in {Status.SUCCESS, Status.SKIPPED}
    ]
    assert not faults, "\n".join(faults)
    counted = Counter(one.status for one in results)
    assert counted[Status.SUCCESS] > 80, counted
