"""The cost model: bytes of a proof and milliseconds of proving, from the schedule and the shape alone.

Bytes are expectations over the query indices. q indices with replacement hit N (1 - (1 - 1/N)^q) of N nodes
on average; a multi-proof sends, on each level of a tree, the siblings of hit nodes that are not hit
themselves: twice the hit nodes of the level above less the hit nodes of this level.

Times are a sum of elementary work with rough constants for two cores with AVX-512, good to choose by and not
to promise: their ratios matter more than their values.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from math import ceil, expm1, log1p

from .schedule import InitialCode, Schedule
from .shape import ProtocolShape

DIGEST_BYTES = 32
BASE_BYTES = 4
EXTENSION_BYTES = 20

ENCODE_BASE_NS = 3.0
"""Encoding and hashing one base-field codeword value."""

ENCODE_EXTENSION_NS = 20.0
"""Encoding and hashing one extension-field codeword value."""

LEAF_NS = 15.0
"""What a Merkle leaf and the nodes above it cost beyond hashing the row."""

COLUMN_ROUND_NS = 8.0
"""Claim weights and all column rounds, for each committed value."""

ROW_ROUND_NS = 60.0
"""All row rounds together, for each value of f'."""

FRACTION_LEAF_NS = 60.0
"""The whole fraction tree, for each leaf."""

FIXED_NS = 1e6
"""Work of a proof that depends on no size: transcript, calls, assembling the bytes."""


def proof_bytes(schedule: Schedule, shape: ProtocolShape) -> int:
    """Expected bytes of a proof, without the statement (input, output, key digest)."""
    return ceil(_outer_bytes(shape) + initial_bytes(schedule.initial) + _folded_bytes(schedule))


def initial_bytes(code: InitialCode) -> float:
    """Expected bytes of the witness root and answer, the column rounds and the rows of both initial trees."""
    trees = sum(_tree_bytes(code, columns, log_group) for columns, log_group in code.trees)
    return DIGEST_BYTES + EXTENSION_BYTES + sumcheck_bytes(code.column_rounds, 2) + trees


def best_log_group(log_length: int, columns: int, queries: int) -> int:
    """How many codeword rows, as a log2, to put in a leaf so that a tree's openings are shortest."""
    return min(range(log_length + 1), key=lambda t: _grouped_bytes(log_length, columns, t, queries))


def sumcheck_bytes(rounds: int, degree: int) -> int:
    """Bytes of `rounds` round polynomials of a degree, one coefficient of each left out."""
    return rounds * degree * EXTENSION_BYTES


def proving_milliseconds(schedule: Schedule, shape: ProtocolShape) -> float:
    """Estimated time of a proof on two cores, weights already encoded."""
    initial = schedule.initial
    folded = sum(
        (ENCODE_EXTENSION_NS * (1 << code.log_columns) + LEAF_NS) * (1 << code.log_length)
        for code in schedule.rounds
    )
    return initial_milliseconds(initial, shape) + folded / 1e6


def initial_milliseconds(code: InitialCode, shape: ProtocolShape) -> float:
    """The part of `proving_milliseconds` that no WHIR round changes."""
    length = 1 << code.log_length
    witness = ENCODE_BASE_NS * code.witness_columns * length + LEAF_NS * (length >> code.witness_log_group)
    rounds = (COLUMN_ROUND_NS * code.columns + ROW_ROUND_NS) * (1 << code.log_rows)
    return (FIXED_NS + witness + rounds + FRACTION_LEAF_NS * (1 << shape.lookups.log_leaves)) / 1e6


def loading_milliseconds(code: InitialCode) -> float:
    """Estimated time to encode the committed weights, once for as many proofs as a loaded key makes."""
    length = 1 << code.log_length
    leaves = length >> code.weight_log_group if code.weight_columns else 0
    return (ENCODE_BASE_NS * code.weight_columns * length + LEAF_NS * leaves) / 1e6


def _outer_bytes(shape: ProtocolShape) -> int:
    layers = shape.lookups.log_leaves
    tree = sum(sumcheck_bytes(layer, 2) + 4 * EXTENSION_BYTES for layer in range(layers))
    # An instance sends its claimed sum and, at the end, the evaluation of each of its factors.
    evaluations = shape.sumcheck.count * (1 + shape.sumcheck.degree) * EXTENSION_BYTES
    return tree + evaluations + sumcheck_bytes(shape.sumcheck.variables, shape.sumcheck.degree)


def _folded_bytes(schedule: Schedule) -> float:
    rows = (
        opening_bytes(code.log_length, EXTENSION_BYTES << code.log_columns, code.queries)
        for code in schedule.rounds
    )
    sent = sum(
        DIGEST_BYTES + EXTENSION_BYTES + sumcheck_bytes(code.column_rounds, 2) for code in schedule.rounds
    )
    return sum(rows) + sent + (EXTENSION_BYTES << schedule.final_log) + sumcheck_bytes(schedule.final_log, 2)


def _tree_bytes(code: InitialCode, columns: int, log_group: int) -> float:
    return _grouped_bytes(code.log_length, columns, log_group, code.queries)


def _grouped_bytes(log_length: int, columns: int, log_group: int, queries: int) -> float:
    return opening_bytes(log_length - log_group, BASE_BYTES * columns << log_group, queries)


@lru_cache(maxsize=1 << 14)
def opening_bytes(log_leaves: int, leaf_bytes: int, queries: int) -> float:
    """Expected bytes of a multi-proof of `queries` random leaves: the distinct leaves and the siblings."""
    hits = [_distinct(level, queries) for level in range(log_leaves + 1)]
    siblings = sum(2 * above - here for above, here in pairwise(hits))
    return hits[-1] * leaf_bytes + siblings * DIGEST_BYTES


def _distinct(log_nodes: int, queries: int) -> float:
    if log_nodes == 0:
        return 1.0
    return -(2.0**log_nodes) * expm1(queries * log1p(-(2.0**-log_nodes)))
