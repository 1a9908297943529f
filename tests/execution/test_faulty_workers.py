"""Workers that lie: named and replaced, and the proof has the right bytes; or no proof at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pytest

from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.calls.methods import Method
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.phases.policy import SHARE_ALL
from deepprove_dist.execution.phases.worker_api import METHODS, create_worker
from deepprove_dist.execution.workers.worker import Worker
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector
from deepprove_dist.verifier import verify
from tests.execution.shared_keys import (
    TWO_ROUNDS,
    DeceivedWorker,
    Example,
    called,
    example,
    faulty,
    in_turn,
    large_network,
    worker_of,
)

FEW_ROUNDS = replace(SHARE_ALL, gather_log=7)
GATHERED = replace(FEW_ROUNDS, folded_log=62)
DEFERRED = {"begin_proof", "hold_leaves", "open_columns", "bind_blocks", "add_powers", "add_base_powers"}
"""Without an answer."""
ASIDE = {"peak_memory", "weigh_mask", "add_mask"}
"""No part of a transparent proof."""
LOADING = {"load", "column_values"}
ANSWERING = sorted(set(METHODS) - DEFERRED - LOADING - ASIDE)

Alteration: TypeAlias = Callable[[Any], Any]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return example(large_network(), tmp_path_factory.mktemp("large"), objective="small", rounds=TWO_ROUNDS)


def one_more(value: Any) -> Any:
    """The value with its first number, or root, one more."""
    match value:
        case dict():
            first = next(iter(value))
            return {**value, first: one_more(value[first])}
        case list() | tuple():
            return [one_more(value[0]), *value[1:]]
        case np.ndarray():
            altered = value.astype(np.int64)
            altered.flat[0] += 1
            return altered
        case Extension():
            return value + 1
        case BaseVector():
            array = value.to_array().astype(np.int64)
            array[0] = (array[0] + 1) % MODULUS
            return BaseVector.from_array(array)
        case ExtensionVector():
            return value.plus(ExtensionVector([1] + [0] * (len(value) - 1)))
        case bytes():
            return bytes([value[0] ^ 1]) + value[1:]
    raise AssertionError(f"no number in {type(value).__name__}")


def last_more(value: Any) -> Any:
    """The value with its last number, or root, altered."""
    match value:
        case dict():
            last = list(value)[-1]
            return {**value, last: last_more(value[last])}
        case list() | tuple():
            return [*value[:-1], last_more(value[-1])]
        case np.ndarray():
            altered = value.astype(np.int64)
            altered.flat[-1] -= 1
            return altered
        case ExtensionVector():
            return value.plus(ExtensionVector([0] * (len(value) - 1) + [1]))
    return one_more(value)


def shorter(value: Any) -> Any:
    """The value with less of everything."""
    match value:
        case dict():
            first = next(iter(value))
            return {**value, first: shorter(value[first])}
        case list() | tuple():
            return value[1:]
        case ExtensionVector() | np.ndarray() | bytes():
            return value[: len(value) // 2]
        case BaseVector():
            return BaseVector.from_bytes(bytes(value)[: len(bytes(value)) // 8 * 4])
    return None


def empty(value: Any) -> Any:
    """Nothing, of the same kind where there is one."""
    return type(value)() if isinstance(value, (dict, list, tuple)) else None


def raises(value: Any) -> Any:
    """An error in place of an answer."""
    raise ValueError("a pretext")


ALTERATIONS = (one_more, last_more, shorter, empty)


@pytest.mark.parametrize("alter", ALTERATIONS)
@pytest.mark.parametrize("method", ANSWERING)
def test_a_faulty_worker_is_named_and_the_proof_is_right(
    large: Example, caplog: pytest.LogCaptureFixture, method: str, alter: Alteration
) -> None:
    worker = in_turn(create_worker, faulty(method, alter))
    policy = GATHERED if method in ("commit_folded", "commit_last_values") else FEW_ROUNDS
    key = large.shared(InProcessExecutor(2, worker), policy)
    assert large.prove(key) == large.proof
    replacement, retry = (record.getMessage() for record in caplog.records)
    # Some alterations end in an error of the worker itself.
    why = f"(wrong answer to|it failed in) '{method}'"
    assert re.match(f"worker 1 on this process is replaced by a new one on this process: {why}", replacement)
    assert re.search(r"are replaced: worker 1 on this process (answered wrongly|failed: .*) \(call ", retry)
    assert retry.endswith(f", '{method}'); retries left: 2")
    assert large.prove(key) == large.proof


@pytest.mark.parametrize("alter", ALTERATIONS)
@pytest.mark.parametrize("method", sorted(LOADING))
def test_a_faulty_worker_at_load_is_named_too(
    large: Example, caplog: pytest.LogCaptureFixture, method: str, alter: Alteration
) -> None:
    worker = in_turn(create_worker, faulty(method, alter))
    key = large.shared(InProcessExecutor(2, worker), FEW_ROUNDS)
    retry = caplog.records[-1].getMessage()
    assert re.search(r"worker 1 on this process (answered wrongly|failed: .*) \(call", retry)
    assert retry.endswith(f", '{method}'); retries left: 2")
    assert large.prove(key) == large.proof


@pytest.mark.parametrize("method", ["load", "accumulate", "bind", "gram", "fold_layer", "open_leaves"])
def test_without_honest_workers_there_is_no_proof(large: Example, method: str) -> None:
    executor = InProcessExecutor(2, faulty(method, one_more))
    with pytest.raises(ExecutionError, match=f"was lost too often.*another answer to '{method}'"):
        large.prove(large.shared(executor, FEW_ROUNDS))


def test_new_faulty_workers_for_old_give_no_proof(large: Example) -> None:
    # Each lies where the one before was honest, so that no replacement is found out when it is created.
    methods = ("gram", "bind", "evaluate", "accumulate")
    worker = in_turn(*(faulty(method, one_more) for method in methods))
    with pytest.raises(ExecutionError, match=r"failed again and again|lost too often"):
        large.prove(large.shared(InProcessExecutor(1, worker), FEW_ROUNDS))


def test_two_faulty_workers_are_found_at_once(large: Example, caplog: pytest.LogCaptureFixture) -> None:
    wrong = faulty("gram", one_more)
    worker = in_turn(wrong, create_worker, wrong)
    assert large.prove(large.shared(InProcessExecutor(3, worker), FEW_ROUNDS)) == large.proof
    *replacements, retry = (record.getMessage() for record in caplog.records)
    assert len(replacements) == 2
    assert "worker 0" in retry
    assert "worker 2" in retry


@pytest.mark.parametrize("method", sorted(DEFERRED))
def test_one_that_works_on_other_arguments_is_found(
    large: Example, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    worker = in_turn(faulty(method, one_more, DeceivedWorker))
    key = large.shared(InProcessExecutor(3, worker), FEW_ROUNDS)
    assert large.prove(key) == large.proof
    assert "worker 0 on this process" in caplog.text


def test_one_that_forgets_its_weights_for_others_is_found(
    large: Example, caplog: pytest.LogCaptureFixture
) -> None:
    class Forger(Worker):
        """Loads honestly, and then changes its rows of the weights."""

        def call(self, method: Method, arguments: dict[str, Any]) -> Any:
            value = super().call(method, arguments)
            if method.name == "column_values":
                self.state.key.rows = one_more(self.state.key.rows)
            return value

    key = large.shared(InProcessExecutor(2, in_turn(worker_of(Forger))), FEW_ROUNDS)
    assert large.prove(key) == large.proof
    assert "worker 0 on this process" in caplog.text
    assert "'gram'" in caplog.text


@pytest.mark.parametrize("garbage", [b"", b"\xc1" * 20, bytes(9)])
def test_one_that_sends_no_answers_is_replaced(
    large: Example, caplog: pytest.LogCaptureFixture, garbage: bytes
) -> None:
    class Garbler(Worker):
        def begin(self, request: bytes | memoryview) -> Callable[[], bytes]:
            finish = super().begin(request)
            return (lambda: garbage) if "gram" in called(bytes(request)) else finish

    assert large.prove(large.shared(InProcessExecutor(2, in_turn(worker_of(Garbler))))) == large.proof
    assert "sent bytes that are no answer" in caplog.text
    assert re.search(r"worker 0 on this process failed: .*\(call \d+, 'gram'\)", caplog.text)


def test_a_root_above_leaves_that_nobody_asked_for(large: Example) -> None:
    """Of sixteen parts one may have no query: its root stands in the proof as it was given.

    The proof is valid, what it says is true, and nobody but who commits again can see the difference.
    """
    worker = in_turn(create_worker, faulty("commit_values", last_more))
    proof = large.prove(large.shared(InProcessExecutor(3, worker), FEW_ROUNDS))
    expected, actual = (verify(large.key.verifying, candidate) for candidate in (large.proof, proof))
    assert actual.output_integers.keys() == expected.output_integers.keys()
    for name, integers in expected.output_integers.items():
        assert (actual.output_integers[name] == integers).all()


def test_a_worker_without_the_file_says_so(large: Example) -> None:
    class Elsewhere(Worker):
        """Runs where there is no model file."""

        def call(self, method: Method, arguments: dict[str, Any]) -> Any:
            absent = {"model": b"absent"} if method.name == "load" else {}
            return super().call(method, {**arguments, **absent})

    executor = InProcessExecutor(2, worker_of(Elsewhere))
    with pytest.raises(
        ExecutionError,
        match="worker 0 on this process, method 'load': ExecutionError: the worker has no file",
    ):
        large.shared(executor)


def test_the_error_of_a_replacement_is_told(large: Example) -> None:
    worker = faulty("gram", raises)
    with pytest.raises(ExecutionError, match=r"lost too often.*ValueError: a pretext\) to 'gram'"):
        large.prove(large.shared(InProcessExecutor(2, worker)))
