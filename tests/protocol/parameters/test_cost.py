"""The cost model's formulas against simulated openings."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from deepprove_dist.protocol.parameters import Schedule, choose, most_bytes, proof_bytes
from deepprove_dist.protocol.parameters.cost import best_log_group, most_opening_bytes, opening_bytes
from deepprove_dist.protocol.parameters.products import ProductChecks
from tests.records import replace

from .shapes import DENSE_4M, SMALL_MLP, changed_matrix, hiding_code


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


HIDING = hiding_code(10, 3, 70, weights=20, witness=9, tail=512)
OPEN = replace(HIDING, hiding=False, matrices=tuple(replace(m, tail=0) for m in HIDING.matrices))


def test_a_hiding_proof_sends_more_and_nothing_else() -> None:
    """A small sumcheck, its finals, mu, sigma, the folded random rows, and five columns in opened leaves."""
    checks = SMALL_MLP.products
    assert checks == ProductChecks(products=4, coefficients=24, levels=13)
    sent = 3 * checks.variables + 4 + 2 + HIDING.random_rows
    hiding, plain = (Schedule(code, ()) for code in (HIDING, OPEN))
    most = most_bytes(hiding, SMALL_MLP) - most_bytes(plain, SMALL_MLP)
    assert most == 20 * sent + 70 * 4 * 5
    expected = proof_bytes(hiding, SMALL_MLP) - proof_bytes(plain, SMALL_MLP)
    leaves = 8192 * (1 - (1 - 1 / 8192) ** 70)
    assert expected == pytest.approx(20 * sent + leaves * 4 * 5, abs=2)


def test_a_hiding_proof_without_products_has_no_small_sumcheck() -> None:
    shape = replace(
        SMALL_MLP,
        sumcheck=replace(SMALL_MLP.sumcheck, count=0, coefficients=0),
        lookups=replace(SMALL_MLP.lookups, log_leaves=0, fractions=0),
    )
    hiding, plain = (most_bytes(Schedule(code, ()), shape) for code in (HIDING, OPEN))
    assert hiding - plain == 20 * (2 + HIDING.random_rows) + 70 * 4 * 5


def test_no_third_factors_are_sent() -> None:
    """A product sends its sum and two finals; its rounds send what `coefficients` says."""
    schedule, sumcheck = Schedule(OPEN, ()), SMALL_MLP.sumcheck
    shared = replace(SMALL_MLP, sumcheck=replace(sumcheck, degree=3))
    more = replace(SMALL_MLP, sumcheck=replace(sumcheck, coefficients=sumcheck.coefficients + 7))
    product = replace(SMALL_MLP, sumcheck=replace(sumcheck, count=sumcheck.count + 1))
    least = most_bytes(schedule, SMALL_MLP)
    assert most_bytes(schedule, shared) == least
    assert most_bytes(schedule, more) == least + 7 * 20
    assert most_bytes(schedule, product) == least + 3 * 20


@pytest.mark.parametrize("hiding", [False, True])
def test_no_proof_is_expected_to_be_longer_than_the_most(hiding: bool) -> None:
    schedule = choose(26_000, 6_000, SMALL_MLP, hiding=hiding)
    assert proof_bytes(schedule, SMALL_MLP) < most_bytes(schedule, SMALL_MLP)
