"""Bytes of a proof, from the schedule and the shape alone: expectations over the query indices.

q indices with replacement hit N (1 - (1 - 1/N)^q) of N nodes on average. On each level of a tree a
multi-proof sends the siblings of hit nodes that are not hit themselves. Their number is twice the hit nodes
of the level above, less the hit nodes of this level.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from math import ceil, expm1, log1p

from .initial_code import InitialCode
from .products import FINALS
from .schedule import Schedule
from .shape import ProtocolShape

DIGEST_BYTES = 32
BASE_BYTES = 4
EXTENSION_BYTES = 20


def proof_bytes(schedule: Schedule, shape: ProtocolShape) -> int:
    """Expected bytes of a proof, without the statement (input, output, key digest)."""
    return ceil(_outer_bytes(schedule, shape) + initial_bytes(schedule.initial) + _folded_bytes(schedule))


def most_bytes(schedule: Schedule, shape: ProtocolShape) -> int:
    """Bytes that no proof exceeds, without the statement: queries share as little as they can."""
    initial = schedule.initial
    length = initial.log_length
    opened = sum(
        most_opening_bytes(length - log_group, BASE_BYTES * columns << log_group, initial.queries)
        for columns, log_group in initial.trees
    )
    opened += sum(
        most_opening_bytes(code.log_length, EXTENSION_BYTES << code.log_columns, code.queries)
        for code in schedule.rounds
    )
    rounds = sum(sumcheck_bytes(code.column_rounds, 2) for code in schedule.codes)
    roots = len(schedule.codes) * (DIGEST_BYTES + EXTENSION_BYTES)
    final = (EXTENSION_BYTES << schedule.final_log) + sumcheck_bytes(schedule.final_log, 2)
    hidden = hiding_bytes(initial)
    return _outer_bytes(schedule, shape) + opened + rounds + roots + final + hidden


def initial_bytes(code: InitialCode) -> float:
    """Expected bytes of the witness root and answer, the column rounds, and the rows of all initial trees.

    A hiding code has mu, sigma and the folded random rows too.
    """
    trees = sum(_tree_bytes(code, columns, log_group) for columns, log_group in code.trees)
    sent = DIGEST_BYTES + EXTENSION_BYTES + sumcheck_bytes(code.column_rounds, 2)
    return sent + hiding_bytes(code) + trees


def hiding_bytes(code: InitialCode) -> int:
    """Bytes of mu, sigma and the folded random rows; 0 for a transparent code."""
    return (2 + code.random_rows) * EXTENSION_BYTES if code.hiding else 0


def best_log_group(log_length: int, columns: int, queries: int) -> int:
    """How many codeword rows, as a log2, to put in a leaf so that a tree's openings are shortest."""
    return min(range(log_length + 1), key=lambda t: _grouped_bytes(log_length, columns, t, queries))


def sumcheck_bytes(rounds: int, degree: int) -> int:
    """Bytes of `rounds` round polynomials of a degree, one coefficient of each left out."""
    return rounds * degree * EXTENSION_BYTES


def _outer_bytes(schedule: Schedule, shape: ProtocolShape) -> int:
    checks = shape.products
    if not schedule.initial.hiding:
        return checks.sent * EXTENSION_BYTES
    return (checks.padded + (FINALS if checks.rows else 0)) * EXTENSION_BYTES


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


def most_opening_bytes(log_leaves: int, leaf_bytes: int, queries: int) -> int:
    """Bytes that no multi-proof of so many leaves exceeds."""
    # A node above level k + 1 has a sibling to send for at most one of its two children.
    siblings = sum(min(queries, 1 << level) for level in range(log_leaves))
    return min(queries, 1 << log_leaves) * leaf_bytes + siblings * DIGEST_BYTES


def _distinct(log_nodes: int, queries: int) -> float:
    if log_nodes == 0:
        return 1.0
    return -(2.0**log_nodes) * expm1(queries * log1p(-(2.0**-log_nodes)))
