"""Keys of models and the same keys with workers in this process, which may get lost or lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from deepprove_dist import api, prover
from deepprove_dist.errors import WorkerLost
from deepprove_dist.execution.all_gather import ALL_GATHER, CONSUME, PUBLISH, PUBLISHED
from deepprove_dist.execution.cluster_backend import load_cluster_key
from deepprove_dist.execution.executor import Executor, WorkerDescription
from deepprove_dist.execution.failure_policy import FailurePolicy
from deepprove_dist.execution.in_process import InProcessExecutor
from deepprove_dist.execution.messages import SERIES, decode_call
from deepprove_dist.execution.policy import SHARE_ALL, Policy
from deepprove_dist.execution.worker import Worker, WorkerFactory
from deepprove_dist.execution.worker_api import KeyWorker
from deepprove_dist.execution.worker_group import WorkerGroup
from deepprove_dist.kernels import Pool
from deepprove_dist.keys import INTEGER_MODEL, save_keys
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.parameters import Code, Profile, Schedule, Weights, choose
from deepprove_dist.protocol.parameters.queries import with_best_queries
from deepprove_dist.protocol.parameters.shape import ProtocolShape
from deepprove_dist.prover import Options, ProvingKey
from tests.lowering.networks import Network

FloatArray = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Example:
    """A key of this process with its model's file, inputs, and their proof."""

    key: ProvingKey
    path: Path
    inputs: FloatArray
    proof: bytes

    @staticmethod
    def of(key: ProvingKey, folder: Path, inputs: FloatArray) -> Example:
        """Writes the key and proves the inputs."""
        save_keys(key, folder)
        return Example(key, folder / INTEGER_MODEL, inputs, api.prove(key, inputs).proof)

    def shared(
        self, executor: Executor, policy: Policy = SHARE_ALL, failures: FailurePolicy | None = None
    ) -> ProvingKey:
        """The key, loaded by the workers of an executor."""
        group = WorkerGroup(executor, failures)
        return load_cluster_key(self.key.model, self.path, self.key.verifying, group, Pool(1), policy)

    def prove(self, shared: ProvingKey) -> bytes:
        """The same proof by another key."""
        return api.prove(shared, self.inputs).proof


def example(
    model: IntegerModel,
    folder: Path,
    *,
    samples: int = 1,
    max_batch: int = 1,
    weights: Weights = "committed",
    profile: Profile = "default",
    rounds: tuple[Code, ...] | None = None,
) -> Example:
    """Keys of an integer model, with these rounds of the opening perhaps, and random inputs."""

    def chosen(weight_values: int, witness_values: int, shape: ProtocolShape, **options: Any) -> Schedule:
        schedule = choose(weight_values, witness_values, shape, **options)
        return schedule if rounds is None else with_best_queries(Schedule(schedule.initial, rounds), shape)

    with patch.object(prover, "choose", chosen):
        key = ProvingKey.generate(model, Options(weights, profile, max_batch), Pool(1))
    (tensor,) = model.inputs
    integers = np.random.default_rng(samples).integers(tensor.lo, tensor.hi + 1, (samples, *tensor.shape))
    return Example.of(key, folder, tensor.scale.array * integers)


def network() -> IntegerModel:
    """Plain, strided, grouped and depthwise convolutions, one of many channels, and two dense layers."""
    network = Network((1, 4, 8, 8))
    x = network.relu(network.conv("x", (8, 4, 3, 3), pads=(1, 1, 1, 1)))
    x = network.relu(network.conv(x, (8, 1, 3, 3), groups=8, pads=(1, 1, 1, 1)))
    x = network.relu(network.conv(x, (12, 4, 2, 2), groups=2, strides=(2, 2)))
    x = network.relu(network.conv(x, (12, 12, 3, 3), pads=(1, 1, 1, 1)))
    x = network.relu(network.dense(x, 20))
    return network.model(network.dense(x, 5))


TWO_ROUNDS = (Code(7, 3, 5, 1), Code(4, 3, 6, 1))
"""Of the opening of `large_network` with the profile "small"."""


def large_network() -> IntegerModel:
    """Its opening has a round with a commitment of its own."""
    network = Network((1, 2, 6, 6))
    x = network.relu(network.conv("x", (4, 2, 3, 3), pads=(1, 1, 1, 1)))
    x = network.relu(network.conv(x, (4, 1, 3, 3), groups=4))
    x = network.relu(network.dense(x, 256))
    x = network.relu(network.dense(x, 128))
    return network.model(network.dense(x, 5))


class UnequalExecutor(InProcessExecutor):
    """Its ranks say that they have these threads."""

    def __init__(self, capacities: Sequence[int]) -> None:
        super().__init__(len(capacities))
        self._capacities = capacities

    @property
    def descriptions(self) -> tuple[WorkerDescription, ...]:
        return tuple(WorkerDescription("this process", threads) for threads in self._capacities)


def called(request: bytes) -> list[str]:
    """The methods that a call runs, in their order."""
    return [name for call in calls_of(request) for name in _names(*call)]


def calls_of(request: bytes) -> list[tuple[str, dict[str, Any]]]:
    """What a call tells the worker before, and what it asks."""
    method, arguments = decode_call(request)
    return arguments["calls"] if method == SERIES else [(method, arguments)]


def _names(method: str, arguments: Mapping[str, Any]) -> list[str]:
    before = called(arguments["keep"]) if method == ALL_GATHER else []
    return [*before, str(arguments["method"]) if method in (PUBLISH, CONSUME, ALL_GATHER) else method]


class Unreliable(InProcessExecutor):
    """Loses given ranks at given calls, counted over the executor's life, replays included.

    `ran` says whether a rank runs the call at which it is lost; `methods` has what was asked, both names
    where ranks share something, and `told` what it was told before.
    """

    def __init__(
        self, ranks: int, losses: Mapping[int, Sequence[int]] | None = None, *, ran: bool = False
    ) -> None:
        super().__init__(ranks)
        self.losses, self.ran = dict(losses or {}), ran
        self._lost: set[int] = set()
        self.methods: list[str] = []
        self.deferred: set[str] = set()
        self.replaced: list[int] = []

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        lost_before = set(self._lost)
        self._lost |= set(self.losses.get(len(self.methods), ()))
        first = next(iter(requests.values()))
        names = called(first)
        asked = 2 if decode_call(first)[0] == ALL_GATHER else 1
        self.deferred.update(names[:-asked])
        if names[-1] != PUBLISHED:  # asked for in replays only
            self.methods.append(" ".join(names[-asked:]))
        idle = lost_before if self.ran else self._lost
        answers = super().call({rank: request for rank, request in requests.items() if rank not in idle})
        if lost := self._lost & set(requests):
            arrived = {rank: answer for rank, answer in answers.items() if rank not in lost}
            raise WorkerLost(dict.fromkeys(lost, "the test says so"), arrived)
        return answers

    def replace(self, rank: int) -> None:
        super().replace(rank)
        self._lost.discard(rank)
        self.replaced.append(rank)


class FaultyWorker(KeyWorker):
    """Alters its answers to one method."""

    def __init__(self, threads: int, method: str, alter: Callable[[Any], Any]) -> None:
        super().__init__(threads)
        self._method, self._alter = method, alter

    def call(self, method: str, arguments: Mapping[str, Any]) -> Any:
        value = super().call(method, arguments)
        return self._alter(value) if method == self._method else value


class DeceivedWorker(KeyWorker):
    """Works on altered arguments of one method, consistently."""

    def __init__(self, threads: int, method: str, alter: Callable[[Any], Any]) -> None:
        super().__init__(threads)
        self._method, self._alter = method, alter

    def call(self, method: str, arguments: Mapping[str, Any]) -> Any:
        return super().call(method, self._alter(arguments) if method == self._method else arguments)


def create_worker(*workers: WorkerFactory) -> WorkerFactory:
    """Makes these workers, one after the other, and then honest ones."""
    left = iter(workers)

    def make(threads: int) -> Worker:
        return next(left, KeyWorker)(threads)

    return make
