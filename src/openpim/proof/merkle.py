"""Hash trees as RFC 6962 section 2.1 makes them, with SHA-256: roots, proofs, and the checks of proofs.

A tree over leaves 0 … n-1 has one root. That a leaf is in it (inclusion), and that a larger tree only added to a smaller
one (consistency), is proved with about log2(n) hashes. The hashes of a big tree lie in tiles: runs of 256 hashes side by
side, of the leaves (level 0), of every 256 leaves (level 1), and so on; a full tile never changes.
https://www.rfc-editor.org/rfc/rfc6962#section-2.1, https://www.rfc-editor.org/rfc/rfc9162#section-2.1,
https://github.com/C2SP/C2SP/blob/main/tlog-tiles.md
"""

from __future__ import annotations

import hashlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

HASH = 32
TILE = 256
_HEIGHT = 8  # 2 ** 8 == TILE

_sha256 = hashlib.sha256
EMPTY = _sha256(b"").digest()


class TreeError(ValueError):
    """There is no such leaf, or no tree of that size."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf. data: its bytes."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return _sha256(b"\x01" + left + right).digest()


def _pairs(hashes: Sequence[bytes]) -> list[bytes]:
    return [
        _sha256(b"\x01" + left + right).digest()
        for left, right in zip(hashes[::2], hashes[1::2], strict=False)
    ]


class Growing:
    """A tree that leaves are added to, of which only the edge is kept: as many hashes as its size has ones in binary."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes | None] = []

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add the hashes of leaves, in order."""
        hashes = list(leaves)
        self.size += len(hashes)
        level = 0
        while hashes:
            if level == len(self._edge):
                self._edge.append(None)
            waiting = self._edge[level]
            if waiting is not None:
                hashes.insert(0, waiting)
            self._edge[level] = hashes.pop() if len(hashes) % 2 else None
            hashes = _pairs(hashes)
            level += 1

    def root(self) -> bytes:
        found: bytes | None = None
        for one in self._edge:
            if one is not None:
                found = one if found is None else node_hash(one, found)
        return EMPTY if found is None else found


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over these hashes of leaves."""
    tree = Growing()
    tree.extend(leaves)
    return tree.root()


# ---------------------------------------------------------------- tiles


def edge_of(size: int) -> list[tuple[int, int]]:
    """(level, number) of the tiles at the right edge of a tree of this size that are not full yet."""
    found = []
    level = 0
    while size:
        if size % TILE:
            found.append((level, size // TILE))
        size //= TILE
        level += 1
    return found


def add_to_tiles(
    size: int, edge: Mapping[tuple[int, int], bytes], leaves: Sequence[bytes]
) -> dict[tuple[int, int], bytes]:
    """The tiles, by (level, number), that are new or longer once these hashes of leaves stand behind `size` others.

    edge: the tiles of `edge_of(size)`. Raises TreeError when one of them does not fit the size.
    """
    changed: dict[tuple[int, int], bytearray] = {}
    counts: list[int] = []

    def push(level: int, hashed: bytes) -> None:
        if level == len(counts):
            counts.append(size // TILE**level)
        number, filled = divmod(counts[level], TILE)
        tile = changed.get((level, number))
        if tile is None:
            tile = changed[level, number] = bytearray(edge.get((level, number), b"") if filled else b"")
            if len(tile) != filled * HASH:
                msg = f"tile {number} of level {level} holds {len(tile)} bytes, not {filled * HASH}"
                raise TreeError(msg)
        tile += hashed
        counts[level] += 1
        if filled + 1 == TILE:
            push(level + 1, root_of(_split(bytes(tile))))

    for one in leaves:
        push(0, one)
    return {key: bytes(tile) for key, tile in changed.items()}


def _split(tile: bytes) -> list[bytes]:
    return [tile[at : at + HASH] for at in range(0, len(tile), HASH)]


class Tree:
    """A tree whose hashes lie in tiles. tile: (level, number) -> its bytes, b"" when there is none."""

    def __init__(self, size: int, tile: Callable[[int, int], bytes]) -> None:
        self.size = size
        self._tile = tile
        self._read: dict[tuple[int, int], bytes] = {}

    def leaf(self, index: int) -> bytes:
        """The hash of a leaf."""
        self._within(index + 1)
        return self._node(0, index)

    def root(self, size: int | None = None) -> bytes:
        """The root, of the whole or of the first `size` leaves."""
        size = self.size if size is None else self._within(size)
        return self._range(0, size) if size else EMPTY

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """That leaf `index` is in the tree of the first `size`: RFC 6962 section 2.1.1."""
        if not 0 <= index < self._within(size):
            raise TreeError("there is no such leaf in a tree of that size")
        proof: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split_point(end - start)
            if index < middle:
                proof.append(self._range(middle, end))
                end = middle
            else:
                proof.append(self._range(start, middle))
                start = middle
        return proof[::-1]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """That the first `new` leaves begin with the first `old`: RFC 6962 section 2.1.2. Empty for 0 or the same."""
        if not 0 <= old <= self._within(new):
            raise TreeError("the older tree is the smaller one")
        if old in {0, new}:
            return []
        proof: list[bytes] = []
        start, end, whole = 0, new, True
        while old != end:
            middle = start + _split_point(end - start)
            if old <= middle:
                proof.append(self._range(middle, end))
                end = middle
            else:
                proof.append(self._range(start, middle))
                start, whole = middle, False
        if not whole:
            proof.append(self._range(start, end))
        return proof[::-1]

    def _within(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise TreeError(f"the tree has {self.size} leaves")
        return size

    def _range(self, start: int, end: int) -> bytes:
        """The root over leaves [start, end), whose length fits the place of its start."""
        length = end - start
        height = length.bit_length() - 1
        if length == 1 << height:
            return self._node(height, start >> height)
        middle = start + _split_point(length)
        return node_hash(self._range(start, middle), self._range(middle, end))

    def _node(self, height: int, index: int) -> bytes:
        level, within = divmod(height, _HEIGHT)
        first = index << within  # among the hashes of that level
        number, offset = divmod(first, TILE)
        key = (level, number)
        tile = self._read.get(key)
        if tile is None:
            tile = self._read[key] = self._tile(level, number)
        hashes = tile[offset * HASH : (offset + (1 << within)) * HASH]
        if len(hashes) != HASH << within:
            raise TreeError(f"tile {number} of level {level} is not whole")
        return hashes if within == 0 else root_of(_split(hashes))


def _split_point(length: int) -> int:
    """The largest power of two below it."""
    return 1 << ((length - 1).bit_length() - 1)


# ---------------------------------------------------------------- checking proofs


def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof shows that this hash of a leaf is at `index` of the tree: RFC 9162 section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    node, last, found = index, size - 1, leaf
    for one in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(one, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, one)
        node, last = node >> 1, last >> 1
    return last == 0 and found == root


def consistent(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the newer tree begins with the older one: RFC 9162 section 2.1.4.2."""
    if old == new:
        return not proof and old_root == new_root
    if not 0 < old < new:
        return old == 0 and not proof and old_root == EMPTY
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = path[0]
    for one in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = node_hash(one, first), node_hash(one, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, one)
        node, last = node >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root
