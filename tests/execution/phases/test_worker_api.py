"""Messages that no coordinator sends: a worker answers that they are wrong, and lives on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.errors import WorkerError
from deepprove_dist.execution.calls.messages import encode
from deepprove_dist.execution.calls.requests import MethodCall, Run, read_answer, read_request
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.phases.worker_api import METHODS, create_worker
from deepprove_dist.execution.workers.worker import ProcessContext, Worker
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector
from tests.execution.shared_keys import Example, example, large_network

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
    np.zeros((2, 3, 4), dtype=np.int64),
    np.zeros(0, dtype=np.int64),
)


Call = tuple[str, dict[str, Any]]


class Recorder(InProcessExecutor):
    """Keeps the requests of rank 0."""

    def __init__(self, ranks: int) -> None:
        super().__init__(ranks, create_worker, peers=False)
        self.requests: list[bytes] = []

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        self.requests += [request for rank, request in requests.items() if rank == 0]
        return super().call(requests)


def worker() -> Worker:
    return create_worker(ProcessContext(), 0)


def request(method: str, arguments: dict[str, Any]) -> bytes:
    """A request that runs one method."""
    return encode(Run((MethodCall(method, msgspec.Raw(encode(arguments))),)))


def outcome(worker: Worker, message: bytes) -> bytes:
    """What a worker answers, without the time that it took."""
    return encode(read_answer(worker.handle(message)).outcome)


def outcomes(worker: Worker, messages: list[bytes]) -> list[bytes]:
    return [outcome(worker, message) for message in messages]


def require_refused(message: bytes) -> None:
    with pytest.raises(WorkerError):
        read_answer(worker().handle(message)).outcome.require()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """The calls of one rank of two, one by one: a key, and a proof; without all-gathers."""
    large: Example = example(large_network(), tmp_path_factory.mktemp("large"), objective="small")
    executor = Recorder(2)
    large.prove(large.shared(executor))
    runs = [content for content in map(read_request, executor.requests) if isinstance(content, Run)]
    return [
        (call.method, METHODS[call.method].read_arguments(call.arguments))
        for run in runs
        for call in run.calls
    ]


@given(st.binary(max_size=40))
def test_bytes_that_are_no_request(data: bytes) -> None:
    require_refused(data)


@pytest.mark.parametrize(
    "content",
    [
        None,
        5,
        [],
        ["Run"],
        ["Run", 5],
        ["Run", [["gram"]]],
        ["Run", [["gram", {}, 1]]],
        ["Run", [[None, {}]]],
        ["Run", [["gram", {5: 6}]]],
        ["Run", [["gram", {"log_blocks": "1"}]]],
        ["Run", [["unknown", {}]]],
        ["Run", [["__init__", {}]]],
        ["Other", []],
        ["Publish", [], "unknown", 1, 1],
        ["Publish", [], 5, 1, 1],
        ["GetPublished", b"unknown"],
        ["UseShares", ["gram", {}], [b""]],
        ["UseShares", ["commit_witness", {}], [b"\xc0"]],
        ["AllGather", ["Publish", [], "remaining", 1, 1], ["gram", {}], []],
        ["AllGather", 5],
    ],
)
def test_requests_that_no_coordinator_sends(content: object) -> None:
    message = encode(content)
    answer = read_answer(worker().handle(message)).outcome
    if answer.failure is None:
        # An all-gather says for each half what became of it.
        assert b"ExecutionError" in bytes(answer.value)
    else:
        assert answer.failure.text


@pytest.mark.parametrize("value", [b"\xff", b"\xff" * 20, b"\xff" * 37, 5, [], None])
def test_values_that_are_no_values(value: object) -> None:
    require_refused(request("bind_blocks", {"point": value}))


@pytest.mark.parametrize("method", sorted({*METHODS} - {"load", "peak_memory"}))
def test_calls_before_a_key_is_loaded(recorded: list[Call], method: str) -> None:
    arguments = next((values for name, values in recorded if name == method), {})
    require_refused(request(method, arguments))


def test_wrong_arguments_at_every_step_of_a_proof(recorded: list[Call]) -> None:
    tested = worker()
    messages = [request(*call) for call in recorded]
    expected = outcomes(tested, messages)
    tried = set()
    for step, (method, arguments) in enumerate(recorded):
        if method in tried:
            continue
        tried.add(method)
        for name in [*arguments, "unknown"]:
            for value in WRONG:
                tested.handle(request(method, {**arguments, name: value}))
            missing = {key: value for key, value in arguments.items() if key != name}
            tested.handle(request(method, missing))
        # Whatever that did to its state, sending everything again puts it right.
        assert outcomes(tested, messages[: step + 1]) == expected[: step + 1], method
    assert outcomes(tested, messages) == expected


def test_calls_in_a_wrong_order(recorded: list[Call]) -> None:
    tested = worker()
    messages = [request(*call) for call in recorded]
    expected = outcomes(tested, messages)
    random = np.random.default_rng(1)
    outcomes(tested, [messages[index] for index in random.permutation(len(messages))])
    outcomes(tested, messages[::-1])
    assert outcomes(tested, messages) == expected
