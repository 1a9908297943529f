"""Which phases a policy shares: seen in the methods that are called."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from deepprove_dist.execution.phases.policy import SHARE_ALL, Policy
from tests.execution.shared_keys import Example, Unreliable, example, large_network

LARGEST = 1 << 62
SHARED_BY = {
    "layer_weights": {"accumulate", "bind"},
    "code_values": {"commit_witness", "commit_values"},
    "folded_log": {"evaluate"},
    "leaves_log": {"build_fractions", "start_layer", "fold_layer", "gather_layer"},
}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return example(large_network(), tmp_path_factory.mktemp("large"), objective="small")


def called(large: Example, policy: Policy) -> list[str]:
    """The methods that a proof calls, in their order."""
    executor = Unreliable(2)
    key = large.shared(executor, policy)
    loading = len(executor.methods)
    assert large.prove(key) == large.proof
    return " ".join(executor.methods[loading:]).split()


@pytest.mark.parametrize("name", SHARED_BY)
def test_what_is_smaller_stays_with_the_coordinator(large: Example, name: str) -> None:
    everything = set(called(large, SHARE_ALL))
    assert SHARED_BY[name] <= everything
    assert not SHARED_BY[name] & set(called(large, replace(SHARE_ALL, **{name: LARGEST})))


def test_layers_are_gathered_at_the_policys_size(large: Example) -> None:
    counts = [
        called(large, replace(SHARE_ALL, gather_log=log)).count("fold_layer") for log in (1, 4, 7, LARGEST)
    ]
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) == 4
    assert counts[-1] == 0


@pytest.mark.parametrize("gram_log", [0, 9, 14, LARGEST])
def test_gram_matrices_give_all_rounds_for_no_more_products_than_they_may_take(gram_log: int) -> None:
    policy = replace(SHARE_ALL, gram_log=gram_log)
    for size in range(12):
        for count in range(size + 1):
            remaining = size
            for blocks in (chosen := policy.gram_blocks(size, count)):
                assert blocks == 1 or remaining + blocks <= gram_log
                remaining -= blocks
            assert sum(chosen) == count
    assert policy.gram_blocks(8, 4) == {0: [1, 1, 1, 1], 9: [1, 2, 1], 14: [4], LARGEST: [4]}[gram_log]


def test_fewer_rounds_with_larger_gram_matrices(large: Example) -> None:
    counts = [called(large, replace(SHARE_ALL, gram_log=log)).count("gram") for log in (0, 11, LARGEST)]
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) == 3


def test_nothing_is_shared_of_a_small_proof(large: Example) -> None:
    nothing = Policy(**{field.name: LARGEST for field in fields(Policy)})
    assert set(called(large, nothing)) == {"gram", "remaining", "open_leaves"}
    # A model that fits one machine's caches: only its largest layers are worth a message.
    assert set(called(large, Policy())) - set(called(large, nothing)) <= {"accumulate", "bind"}


def test_inference_is_shared_where_less_time_is_computed_than_sent() -> None:
    policy = Policy(multiplications_a_second=1e9, bytes_a_second=1e6, round_seconds=0.1)
    # A second alone; half of it by two ranks, 0.1 for the round trip, and 0.4 are left to send.
    assert policy.shares_inference(1_000_000_000, 400_000, 2)
    assert not policy.shares_inference(1_000_000_000, 400_001, 2)
    assert policy.shares_inference(1_000_000_000, 650_000, 4)
    assert not policy.shares_inference(0, 0, 4)
    assert not Policy().shares_inference(1 << 40, 0, 1)
    assert SHARE_ALL.shares_inference(1, 1 << 40, 1)


def test_layers_of_few_multiplications_stay_with_the_coordinator(large: Example) -> None:
    fast = replace(SHARE_ALL, multiplications_a_second=1e30, round_seconds=1.0)
    methods = set(called(large, fast))
    assert "accumulate" not in methods
    assert "bind" in methods
