"""The Merkle trees of commitments in plain Python: leaves, nodes, and openings of many leaves."""

from __future__ import annotations

from collections.abc import Sequence

from tests.attacks.blake3 import keyed_hash

LEAF_KEY = b"deepprove-dist Merkle leaf v1 \0\0"
NODE_KEY = b"deepprove-dist Merkle node v1 \0\0"
DIGEST, BASE, BLOCK = 32, 4, 64


def leaf_digests(rows: bytes, width: int, height: int, positions: Sequence[int]) -> dict[int, bytes]:
    """The hashes of the opened leaves by their index in the tree: the reversed bits of the position."""
    reverse = [int(f"{p % (1 << height):0{height}b}"[::-1], 2) if height else 0 for p in positions]
    indices, size = sorted(set(reverse)), BASE * width
    assert len(rows) == size * len(indices)
    padded = max(BLOCK, -(-size // BLOCK) * BLOCK)
    leaves = (rows[start : start + size].ljust(padded, b"\0") for start in range(0, len(rows), size))
    return {index: keyed_hash(LEAF_KEY, leaf) for index, leaf in zip(indices, leaves, strict=True)}


def climb(known: dict[int, bytes], nodes: bytes, height: int) -> bytes:
    """The root over the known nodes and, level by level, their siblings; all of `nodes` is used."""
    siblings = iter([nodes[start : start + DIGEST] for start in range(0, len(nodes), DIGEST)])
    for _ in range(height):
        parents = dict.fromkeys(index // 2 for index in sorted(known))
        pairs = {p: [known.get(c) or next(siblings) for c in (2 * p, 2 * p + 1)] for p in parents}
        known = {parent: keyed_hash(NODE_KEY, b"".join(pair)) for parent, pair in pairs.items()}
    assert next(siblings, None) is None
    return known[0]
