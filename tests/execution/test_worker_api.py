"""Messages that no coordinator sends: a worker answers that they are wrong, and lives on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.errors import WorkerError
from deepprove_dist.execution.in_process import InProcessExecutor
from deepprove_dist.execution.messages import decode_answer, decode_call, encode_call
from deepprove_dist.execution.worker_api import METHODS, KeyWorker
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector
from tests.execution.shared_keys import Example, calls_of, example, large_network

WRONG: tuple[Any, ...] = (
    None,
    -1,
    3,
    1000,
    b"",
    "",
    [],
    [None],
    {},
    {0: None},
    {70: ExtensionVector([1])},
    Extension(1),
    ExtensionVector([]),
    ExtensionVector([1, 2, 3]),
    BaseVector.from_bytes(b""),
    BaseVector.from_array(np.arange(5)),
    np.zeros((2, 3, 4)),
    np.zeros(0, dtype=np.int64),
)


class Recorder(InProcessExecutor):
    """Keeps what rank 0 was told."""

    def __init__(self, ranks: int) -> None:
        super().__init__(ranks, peers=False)
        self.requests: list[bytes] = []

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        self.requests += [request for rank, request in requests.items() if rank == 0]
        return super().call(requests)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The calls of one rank of two, one by one: a key, and a proof."""
    large: Example = example(large_network(), tmp_path_factory.mktemp("large"), profile="small")
    executor = Recorder(2)
    large.prove(large.shared(executor))
    return [encode_call(*call) for request in executor.requests for call in calls_of(request)]


def answers(worker: KeyWorker, requests: list[bytes]) -> list[bytes]:
    """Answers without the times that they took."""
    return [worker.handle(request)[8:] for request in requests]


@given(st.binary(max_size=40))
def test_bytes_that_are_no_call(data: bytes) -> None:
    with pytest.raises(WorkerError):
        decode_answer(KeyWorker(1).handle(data))


@pytest.mark.parametrize(
    "call",
    [
        None,
        5,
        [],
        ["gram"],
        ["gram", 5],
        [5, {}],
        [["gram"], {}],
        [None, {}],
        ["gram", {5: 6}],
        ["on_load", {}],
        ["series", {}],
        ["share", {}],
        ["share", {"keep": 5}],
        ["series", {"calls": 5}],
        ["series", {"calls": [["gram"]]}],
    ],
)
def test_messages_that_are_no_call(call: object) -> None:
    with pytest.raises(WorkerError):
        decode_answer(KeyWorker(1).handle(msgpack.packb(call)))


@pytest.mark.parametrize("code", range(7))
@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff" * 20, b"\xff" * 37, bytes([1, 0xC0])])
def test_values_that_are_no_values(code: int, data: bytes) -> None:
    message = msgpack.packb(["bind_blocks", {"point": msgpack.ExtType(code, data)}])
    with pytest.raises(WorkerError):
        decode_answer(KeyWorker(1).handle(message))


@pytest.mark.parametrize(
    "method", sorted({*METHODS, "unknown", "__init__", "handle"} - {"load", "peak_memory"})
)
def test_calls_before_a_key_is_loaded(recorded: list[bytes], method: str) -> None:
    arguments = next((a for m, a in map(decode_call, recorded) if m == method), {})
    with pytest.raises(WorkerError):
        decode_answer(KeyWorker(1).handle(encode_call(method, arguments)))


def test_wrong_arguments_at_every_step_of_a_proof(recorded: list[bytes]) -> None:
    worker = KeyWorker(1)
    expected = answers(worker, recorded)
    tried = set()
    for step, (method, arguments) in enumerate(map(decode_call, recorded)):
        if method in tried:
            continue
        tried.add(method)
        for name in [*arguments, "unknown"]:
            for value in WRONG:
                worker.handle(encode_call(method, {**arguments, name: value}))
            missing = {key: own for key, own in arguments.items() if key != name}
            worker.handle(encode_call(method, missing))
        # Whatever that did to its state, telling it everything again puts it right.
        assert answers(worker, recorded[: step + 1]) == expected[: step + 1], method
    assert answers(worker, recorded) == expected


def test_calls_in_a_wrong_order(recorded: list[bytes]) -> None:
    worker = KeyWorker(1)
    expected = answers(worker, recorded)
    random = np.random.default_rng(1)
    answers(worker, [recorded[index] for index in random.permutation(len(recorded))])
    answers(worker, recorded[::-1])
    assert answers(worker, recorded) == expected
