"""The Merkle hash tree of RFC 6962, section 2.1: roots, inclusion proofs and consistency proofs. Pure.

A perfect subtree of 2^k leaves stands in the tree like a leaf that is 2^k wide, so that a tree can be grown by blocks.
"""

import hashlib
from collections.abc import Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Range = tuple[int, int]
"""Leaves from the first number up to, not including, the second."""

_sha256 = hashlib.sha256


def leaf_hash(entry: bytes) -> bytes:
    """Give the hash of a leaf; the prefix keeps leaves and nodes apart (second preimages)."""
    return _sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give the hash of the node above two others."""
    return _sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that only grows, held as the roots of its perfect subtrees, the largest first: what its root needs."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes, width_bits: int = 0) -> None:
        """Put a leaf hash at the end, or the root of a perfect subtree of `2 ** width_bits` leaves.

        Raises:
            ValueError: a subtree does not begin at a multiple of its width.
        """
        if self.size & ((1 << width_bits) - 1):
            raise ValueError("a subtree begins at a multiple of its width")
        place = self.size >> width_bits
        while place & 1:
            leaf = node_hash(self._peaks.pop(), leaf)
            place >>= 1
        self._peaks.append(leaf)
        self.size += 1 << width_bits

    def copy(self) -> "Frontier":
        """Give another tree that is the same so far."""
        other = Frontier()
        other.size, other._peaks = self.size, list(self._peaks)
        return other

    def root(self) -> bytes:
        """Give the tree's root (MTH), that of no leaves included."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Give the root over leaf hashes."""
    if leaves and not len(leaves) & (len(leaves) - 1):
        return _perfect_root(leaves)
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def _perfect_root(level: Sequence[bytes]) -> bytes:
    """Give the root over 2^k leaves, level by level: several times as fast as one leaf after another."""
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [_sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return level[0]


def inclusion_path(index: int, size: int) -> list[Range]:
    """Give the audit path of leaf `index` among `size` (section 2.1.1), nearest sibling first, as the ranges of leaves
    whose roots it is made of.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    path: list[Range] = []
    first, last = 0, size
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            path.append((middle, last))
            last = middle
        else:
            path.append((first, middle))
            first = middle
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether `leaf` is number `index` of the `size` leaves under `root` (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, reached = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            reached = node_hash(sibling, reached)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and reached == root


def consistency_path(old_size: int, size: int) -> list[Range]:
    """Give the proof that a tree of `size` begins with that of `old_size` (section 2.1.2), as `inclusion_path` does.

    Raises:
        ValueError: `old_size` is not between 1 and `size`.
    """
    if not 1 <= old_size <= size:
        raise ValueError("no such size")
    path: list[Range] = []
    first, last, is_whole = 0, size, True  # whole: the old root itself, which the verifier has
    while old_size != last:
        middle = first + _split(last - first)
        if old_size <= middle:
            path.append((middle, last))
            last = middle
        else:
            path.append((first, middle))
            first, is_whole = middle, False
    return ([] if is_whole else [(first, last)]) + path[::-1]


def verify_consistency(old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Tell whether the tree of `size` under `root` begins with that of `old_size` (RFC 9162, section 2.1.4.2)."""
    if not 1 <= old_size <= size:
        return False
    if old_size == size:
        return not path and old_root == root
    steps = list(path)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_reached = reached = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old_reached, reached = node_hash(sibling, old_reached), node_hash(sibling, reached)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and old_reached == old_root and reached == root


def _split(count: int) -> int:
    """Give the largest power of two that is smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1
