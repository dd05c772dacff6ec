"""The tree of resources, with the commands that people have for it."""

from __future__ import annotations


def test_tree(admin, tree):
    groups = admin("group", "list")
    assert {"rg-robots", "rg-paint"} <= {one["name"] for one in groups}
