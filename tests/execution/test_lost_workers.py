"""Workers lost at every call of a proof: the same bytes, from journals; without an end, no proof."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deepprove_dist import proving
from deepprove_dist.errors import ExecutionError, PlacementError
from deepprove_dist.execution.group.failure_policy import Budget, FailurePolicy
from deepprove_dist.execution.phases.policy import SHARE_ALL, Policy
from deepprove_dist.execution.phases.worker_api import METHODS
from tests.execution.shared_keys import TWO_ROUNDS, Example, Unreliable, example, large_network

FEW_ROUNDS = replace(SHARE_ALL, gather_log=7)
GATHERED = replace(FEW_ROUNDS, folded_log=62)
"""f' is gathered at once, and its commitment shared again."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return example(large_network(), tmp_path_factory.mktemp("large"), objective="small", rounds=TWO_ROUNDS)


def patient() -> FailurePolicy:
    """Bears any number of losses."""
    return FailurePolicy(Budget(per_rank=1 << 30, in_all=1 << 30))


@pytest.mark.parametrize(("policy", "lost", "ran"), [(FEW_ROUNDS, (1,), False), (GATHERED, (0, 2), True)])
def test_workers_lost_at_every_call_of_a_proof(
    large: Example, policy: Policy, lost: tuple[int, ...], ran: bool
) -> None:
    executor = Unreliable(3, ran=ran)
    key = large.shared(executor, policy, patient())
    loading = len(executor.methods)
    assert large.prove(key) == large.proof
    calls = executor.methods[loading:]
    for call, method in enumerate(calls):
        before, executor.replaced = len(executor.methods), []
        executor.losses = {before + call: lost}
        assert large.prove(key) == large.proof, method
        again = executor.methods[before + call + 1 :]
        # Some calls are for some ranks only.
        assert set(executor.replaced) <= set(lost)
        assert executor.replaced or method in ("accumulate", "open_leaves"), method
        if executor.replaced:
            # What ranks share is given and taken by two calls then.
            replayed = " ".join(executor.methods[:loading] + calls[:call])
            assert " ".join(again).startswith(replayed)


def test_together_these_proofs_call_every_method(large: Example) -> None:
    called = set()
    for policy in (FEW_ROUNDS, GATHERED):
        executor = Unreliable(3)
        large.prove(large.shared(executor, policy))
        called |= {*" ".join(executor.methods).split(), *executor.deferred}
    assert called == set(METHODS) - {"peak_memory", "weigh_mask", "add_mask"}


@pytest.mark.parametrize("ran", [False, True])
@pytest.mark.parametrize("call", [0, 1])
@pytest.mark.parametrize("lost", [(1,), (0, 1, 2)])
def test_workers_lost_while_a_key_is_loaded(
    large: Example, call: int, lost: tuple[int, ...], ran: bool
) -> None:
    executor = Unreliable(3, {call: lost}, ran=ran)
    assert large.prove(large.shared(executor)) == large.proof
    assert executor.replaced == list(lost)


def test_a_worker_lost_while_its_calls_are_made_again(large: Example) -> None:
    # Calls 20, 21 and 25 are the proof's, the first of the journal, and a later one of it.
    executor = Unreliable(3, {20: [1], 21: [1], 25: [1, 2]})
    assert large.prove(large.shared(executor, failures=patient())) == large.proof
    assert executor.replaced[:2] == [1, 1]
    assert set(executor.replaced) == {1, 2}


@pytest.mark.parametrize("after", [0, 1, 2, 30])
def test_a_worker_that_is_always_lost_gives_no_proof(large: Example, after: int) -> None:
    executor = Unreliable(3, dict.fromkeys(range(after, 1000), (1,)))
    with pytest.raises(ExecutionError, match=r"worker 1 was lost too often.*the test says so"):
        large.prove(large.shared(executor, FEW_ROUNDS))
    assert executor.replaced == [1] * Budget().per_rank


def test_too_many_losses_of_all_workers_give_no_proof(large: Example) -> None:
    executor = Unreliable(3, {call: (call % 3,) for call in range(0, 1000, 2)})
    with pytest.raises(ExecutionError, match="was lost too often"):
        large.prove(large.shared(executor, failures=FailurePolicy(Budget(per_rank=1000, in_all=5))))
    assert len(executor.replaced) == 5


def test_without_any_place_there_is_no_proof(large: Example) -> None:
    class Full(Unreliable):
        def replace(self, rank: int) -> None:
            raise PlacementError("no place")

        def move(self, rank: int) -> None:
            raise PlacementError("no worker lives")

    executor = Full(2)
    key = large.shared(executor)
    executor.losses = {len(executor.methods) + 9: (0, 1)}
    with pytest.raises(PlacementError, match="no worker lives"):
        proving.prove(key, large.inputs)


def test_a_key_proves_again_after_a_proof_that_failed(large: Example) -> None:
    now = [0.0]
    budget = Budget(per_rank=2, window=10.0)
    executor = Unreliable(3)
    key = large.shared(executor, failures=FailurePolicy(budget, lambda: now[0]))
    for call in (0, 5, 40):
        first = len(executor.methods) + call
        executor.losses = dict.fromkeys(range(first, first + 3), (1,))
        with pytest.raises(ExecutionError, match="worker 1 was lost too often"):
            large.prove(key)
        now[0] += 11.0
        assert large.prove(key) == large.proof


def test_a_worker_that_forgot_everything_is_replaced(
    large: Example, caplog: pytest.LogCaptureFixture
) -> None:
    executor = Unreliable(3)
    key = large.shared(executor)
    executor.replace(1)
    assert large.prove(key) == large.proof
    assert "worker 1 on this process" in caplog.text
    assert "has loaded no key" in caplog.text
