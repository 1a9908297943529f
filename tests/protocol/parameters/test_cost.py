"""The cost model's formulas against simulated openings."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from deepprove_dist.protocol.parameters import choose, proof_bytes
from deepprove_dist.protocol.parameters.cost import best_log_group, most_opening_bytes, opening_bytes
from tests.records import replace

from .shapes import DENSE_4M, SMALL_MLP, changed_matrix


def simulated_bytes(log_leaves: int, leaf_bytes: int, queries: int, rng: random.Random) -> int:
    """One multi-proof of random leaves."""
    nodes = {rng.randrange(1 << log_leaves) for _ in range(queries)}
    return multi_proof_bytes(nodes, log_leaves, leaf_bytes)


def multi_proof_bytes(nodes: set[int], log_leaves: int, leaf_bytes: int) -> int:
    """The distinct leaves, and on each level the siblings that no query gives."""
    sent = leaf_bytes * len(nodes)
    for _ in range(log_leaves):
        sent += 32 * sum(node ^ 1 not in nodes for node in nodes)
        nodes = {node >> 1 for node in nodes}
    return sent


@pytest.mark.parametrize(("log_leaves", "leaf_bytes", "queries"), [(13, 252, 51), (17, 16, 70), (4, 320, 40)])
def test_openings_have_the_expected_size(log_leaves: int, leaf_bytes: int, queries: int) -> None:
    rng = random.Random(7)
    sizes = [simulated_bytes(log_leaves, leaf_bytes, queries, rng) for _ in range(400)]
    assert opening_bytes(log_leaves, leaf_bytes, queries) == pytest.approx(sum(sizes) / len(sizes), rel=0.01)


def test_narrow_matrices_share_leaves_and_wide_ones_do_not() -> None:
    groups = [best_log_group(15, columns, 60) for columns in (1, 2, 4, 16, 60)]
    assert groups == sorted(groups, reverse=True)
    assert groups[0] >= 3
    assert groups[-1] == 0


def test_bytes_grow_with_what_they_count() -> None:
    schedule = choose(4_012_003, 60_000, DENSE_4M)
    initial = schedule.initial
    wider = replace(schedule, initial=changed_matrix(initial, "weights", columns=200))
    more = replace(schedule, initial=replace(initial, queries=initial.queries + 1))
    assert proof_bytes(more, DENSE_4M) > proof_bytes(schedule, DENSE_4M)
    assert proof_bytes(wider, DENSE_4M) > proof_bytes(schedule, DENSE_4M)
    assert proof_bytes(schedule, DENSE_4M) > proof_bytes(schedule, SMALL_MLP)


@pytest.mark.parametrize("height", range(5))
@pytest.mark.parametrize("queries", range(1, 5))
def test_no_opening_is_longer_than_the_most(height: int, queries: int) -> None:
    """Over all sets of leaves; a set of leaves that are far apart comes close."""
    leaf_bytes, count = 100, min(queries, 1 << height)
    longest = max(
        multi_proof_bytes(set(leaves), height, leaf_bytes)
        for size in range(1, count + 1)
        for leaves in combinations(range(1 << height), size)
    )
    most = most_opening_bytes(height, leaf_bytes, queries)
    assert longest <= most <= longest + queries * 32
