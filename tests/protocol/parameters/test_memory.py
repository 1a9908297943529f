"""Schedules fit the memory that a prover may take; where none does, the error says what is needed."""

from __future__ import annotations

import pytest

from deepprove_dist.errors import MemoryLimitError
from deepprove_dist.protocol.parameters import (
    PROCESS_BYTES,
    Schedule,
    choose,
    proof_bytes,
    proving_bytes,
    require_memory,
    require_security,
)

from .shapes import DENSE_4M, mlp_shape

LARGE = mlp_shape(50, 26)
SIZES = (124_000_000, 60_000_000)


def taken(schedule: Schedule) -> int:
    return PROCESS_BYTES + proving_bytes(schedule.initial, LARGE.lookups.log_leaves)


@pytest.mark.parametrize("hiding", [False, True])
def test_less_memory_makes_longer_proofs(hiding: bool) -> None:
    proofs = 16 if hiding else None
    free = choose(*SIZES, LARGE, hiding=hiding, proofs=proofs)
    limit = int(0.7 * taken(free))
    lean = choose(*SIZES, LARGE, hiding=hiding, proofs=proofs, memory=limit)
    assert taken(lean) <= limit < taken(free)
    assert proof_bytes(lean, LARGE) > proof_bytes(free, LARGE)
    assert require_security(lean, LARGE) >= 100


def test_a_limit_that_is_not_reached_changes_nothing() -> None:
    free = choose(4_012_003, 60_000, DENSE_4M)
    assert choose(4_012_003, 60_000, DENSE_4M, memory=1 << 40) == free


@pytest.mark.parametrize("hiding", [False, True])
def test_what_does_not_fit_is_refused_with_both_figures(hiding: bool) -> None:
    with pytest.raises(
        MemoryLimitError, match=r"needs \d+\.\d\d GB of memory, and may take 1\.00 GB"
    ) as caught:
        choose(*SIZES, LARGE, hiding=hiding, memory=10**9)
    assert caught.value.limit == 10**9
    fitting = choose(*SIZES, LARGE, hiding=hiding, memory=int(1.05 * caught.value.needed))
    assert taken(fitting) <= 1.05 * caught.value.needed


def test_public_weights_count() -> None:
    schedule = choose(*SIZES, LARGE, weights="public")
    code, leaves = schedule.initial, LARGE.lookups.log_leaves
    assert proving_bytes(code, leaves, SIZES[0]) >= proving_bytes(code, leaves) + SIZES[0]


def test_the_interpreter_counts() -> None:
    require_memory(100, PROCESS_BYTES + 100)
    with pytest.raises(MemoryLimitError):
        require_memory(101, PROCESS_BYTES + 100)
