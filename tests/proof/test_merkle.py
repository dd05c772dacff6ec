"""Hash trees against the plain definition of RFC 6962, against values published by others, and against every wrong proof
that is near a right one."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.proof.merkle import (
    EMPTY,
    HASH,
    TILE,
    Growing,
    Tree,
    TreeError,
    add_to_tiles,
    consistent,
    edge_of,
    included,
    leaf_hash,
    node_hash,
    root_of,
)

# The leaves and roots that certificate-transparency's own tests publish for RFC 6962 trees.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]  # fmt: skip


def naive(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return hashlib.sha256(b"\x01" + naive(hashes[:split]) + naive(hashes[split:])).digest()


def numbered(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def in_tiles(hashes: list[bytes], *cuts: int) -> tuple[Tree, dict[tuple[int, int], bytes]]:
    """The tree as the log keeps it, grown in as many steps as there are cuts."""
    tiles: dict[tuple[int, int], bytes] = {}
    for start, end in pairwise([0, *sorted(cuts), len(hashes)]):
        edge = {key: tiles[key] for key in edge_of(start)}
        tiles |= add_to_tiles(start, edge, hashes[start:end])
    return Tree(len(hashes), lambda level, number: tiles.get((level, number), b"")), tiles


def test_values_that_others_published() -> None:
    assert EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert [root_of([leaf_hash(leaf) for leaf in LEAVES[: n + 1]]).hex() for n in range(8)] == ROOTS
    tree, _ = in_tiles([leaf_hash(leaf) for leaf in LEAVES])
    assert [one.hex() for one in tree.inclusion(0, 8)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [one.hex() for one in tree.consistency(6, 8)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(st.integers(0, 1100), st.lists(st.integers(0, 1100), max_size=4))
def test_however_it_grew_it_is_the_same_tree(count: int, cuts: list[int]) -> None:
    hashes = numbered(count)
    cuts = [cut for cut in cuts if cut <= count]
    growing = Growing()
    for start, end in pairwise([0, *sorted(cuts), count]):
        growing.extend(hashes[start:end])
    tree, tiles = in_tiles(hashes, *cuts)
    assert growing.root() == tree.root() == naive(hashes)
    assert tiles == in_tiles(hashes)[1]
    for cut in cuts:
        assert tree.root(cut) == naive(hashes[:cut])


def test_three_levels_of_tiles() -> None:
    count = TILE * TILE + TILE + 3
    hashes = numbered(count)
    tree, tiles = in_tiles(hashes, TILE * TILE - 1, TILE * TILE)
    assert tree.root() == root_of(hashes)
    assert {level for level, _ in tiles} == {0, 1, 2}
    assert max(len(tile) for tile in tiles.values()) == TILE * HASH
    root = tree.root()
    for index in (0, 1, 255, 256, 65535, 65536, count - 1):
        proof = tree.inclusion(index, count)
        assert len(proof) <= 17
        assert included(hashes[index], index, count, proof, root)
    for old in (1, 255, 256, 257, 65536, 65537, count - 1):
        assert consistent(old, tree.root(old), count, root, tree.consistency(old, count))


@given(st.integers(1, 300), st.data())
def test_a_leaf_is_proved_and_nothing_else_is(count: int, data: st.DataObject) -> None:
    hashes = numbered(count)
    tree, _ = in_tiles(hashes)
    size = data.draw(st.integers(1, count))
    index = data.draw(st.integers(0, size - 1))
    root, proof = tree.root(size), tree.inclusion(index, size)
    assert included(hashes[index], index, size, proof, root)
    assert not included(leaf_hash(b"other"), index, size, proof, root)
    assert not included(hashes[index], index, size, [*proof, EMPTY], root)
    assert not included(hashes[index], size, size, proof, root)
    assert not included(hashes[index], index, size, proof, EMPTY)
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        assert not included(hashes[index], other, size, proof, root)
    if proof:
        spoilt = data.draw(st.integers(0, len(proof) - 1))
        assert not included(hashes[index], index, size, proof[:spoilt] + proof[spoilt + 1 :], root)
        assert not included(hashes[index], index, size, [*proof[:spoilt], EMPTY, *proof[spoilt + 1 :]], root)


@given(st.integers(1, 300), st.data())
def test_growth_is_proved_and_nothing_else_is(count: int, data: st.DataObject) -> None:
    hashes = numbered(count)
    tree, _ = in_tiles(hashes)
    new = data.draw(st.integers(0, count))
    old = data.draw(st.integers(0, new))
    proof = tree.consistency(old, new)
    assert consistent(old, tree.root(old), new, tree.root(new), proof)
    assert not consistent(old, leaf_hash(b"other"), new, tree.root(new), proof)
    assert not consistent(old, tree.root(old), new, tree.root(new), [*proof, EMPTY])
    assert not consistent(new + 1, tree.root(new), new, tree.root(new), proof)
    if 0 < old < new:
        assert not consistent(old, tree.root(old), new, leaf_hash(b"other"), proof)
        assert not consistent(old, tree.root(old), new, tree.root(new), proof[:-1])
        forked = [*hashes[: old - 1], leaf_hash(b"other"), *hashes[old:new]]
        fork, _ = in_tiles(forked)
        assert not consistent(old, tree.root(old), new, fork.root(), fork.consistency(old, new))


def test_what_is_not_there_cannot_be_asked() -> None:
    tree, tiles = in_tiles(numbered(5))
    for wrong in (
        lambda: tree.leaf(5), lambda: tree.inclusion(3, 6), lambda: tree.inclusion(-1, 5), lambda: tree.root(6),
        lambda: tree.consistency(4, 3), lambda: tree.consistency(1, 6), lambda: tree.inclusion(3, 3),
    ):  # fmt: skip
        with pytest.raises(TreeError):
            wrong()
    with pytest.raises(TreeError):
        add_to_tiles(5, {(0, 0): tiles[0, 0][:-1]}, numbered(1))
    with pytest.raises(TreeError):
        Tree(5, lambda level, number: tiles[level, number][:-1]).root()


def test_leaves_are_no_nodes() -> None:
    left, right = numbered(2)
    assert leaf_hash(left + right) != node_hash(left, right)
