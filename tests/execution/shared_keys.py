"""Keys of models and the same keys with workers in this process, which may get lost or lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from deepprove_dist import prover, proving, setup_options
from deepprove_dist.errors import WorkerLost
from deepprove_dist.execution.calls.methods import Method
from deepprove_dist.execution.calls.requests import (
    AllGather,
    GetPublished,
    MethodCall,
    Publish,
    Run,
    UseShares,
    read_request,
)
from deepprove_dist.execution.cluster_backend import load_cluster_prover
from deepprove_dist.execution.group.executor import Executor, WorkerDescription
from deepprove_dist.execution.group.failure_policy import FailurePolicy
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.policy import SHARE_ALL, Policy
from deepprove_dist.execution.phases.state import WorkerState
from deepprove_dist.execution.phases.worker_api import METHODS, create_worker
from deepprove_dist.execution.workers.worker import ProcessContext, Worker, WorkerFactory
from deepprove_dist.kernels import Pool
from deepprove_dist.keys import INTEGER_MODEL
from deepprove_dist.model import file as model_file
from deepprove_dist.model.hidden_names import HiddenNames
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.parameters import Code, ProofObjective, Schedule, Weights, choose
from deepprove_dist.protocol.parameters.queries import with_best_queries
from deepprove_dist.protocol.parameters.shape import ProtocolShape
from deepprove_dist.prover import Prover
from deepprove_dist.retry import without_faulty_workers
from deepprove_dist.samples.rounding import quantise_inputs
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify
from tests.lowering.networks import Network
from tests.protocol.example import ATTEMPT, SECRET

FloatArray = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Example:
    """A key of this process with its model's file, inputs, and their proof."""

    key: Prover
    path: Path
    inputs: FloatArray
    proof: bytes

    @staticmethod
    def of(key: Prover, folder: Path, inputs: FloatArray) -> Example:
        """Writes the key and proves the inputs."""
        path = folder / INTEGER_MODEL
        path.write_bytes(model_file.dump(key.model))
        return Example(key, path, inputs, prove_inputs(key, inputs))

    def shared(
        self, executor: Executor, policy: Policy = SHARE_ALL, failures: FailurePolicy | None = None
    ) -> Prover:
        """The key, loaded by the workers of an executor."""
        group = WorkerGroup(executor, failures)
        verifying, secret = self.key.verifying, self.key.secret
        return load_cluster_prover(self.key.model, self.path, verifying, group, Pool(1), policy, secret)

    def prove(self, shared: Prover) -> bytes:
        """The same proof by another key."""
        return prove_inputs(shared, self.inputs)


def prove_inputs(key: Prover, inputs: FloatArray) -> bytes:
    """A proof of real inputs; a hiding one is always the same attempt."""
    if key.secret is None:
        return proving.prove(key, inputs).content
    (tensor,) = key.model.inputs
    integers = quantise_inputs(key.model, {tensor.name: inputs})

    def attempt(number: int) -> bytes:
        chosen = replace(ATTEMPT, number=number)
        proof = prover.prove(key, key.runner.run(integers), len(inputs), attempt=chosen)
        verify(key.verifying, proof, weights=key.public_weights)
        return proof

    return without_faulty_workers(attempt, key.backend.audit, key.backend.attempt)


def example(
    model: IntegerModel,
    folder: Path,
    *,
    samples: int = 1,
    max_batch: int = 1,
    weights: Weights = "committed",
    objective: ProofObjective = "default",
    rounds: tuple[Code, ...] | None = None,
    hiding: bool = False,
    hide_public: bool = False,
) -> Example:
    """Keys of an integer model, with these rounds of the opening perhaps, and random inputs.

    Hiding ones hide all inputs and outputs where they `hide_public` values.
    """

    def chosen(weight_values: int, witness_values: int, shape: ProtocolShape, **options: Any) -> Schedule:
        schedule = choose(weight_values, witness_values, shape, **options)
        return schedule if rounds is None else with_best_queries(Schedule(schedule.initial, rounds), shape)

    with patch.object(setup_options, "choose", chosen):
        inputs, outputs = (
            tuple(tensor.name for tensor in tensors) if hide_public else ()
            for tensors in (model.inputs, model.outputs)
        )
        hidden = HiddenNames(inputs, outputs)
        options = Options(weights, objective, max_batch, hiding=hiding, hidden=hidden)
        key = Prover.generate(model, options, Pool(1), SECRET if hiding else None)
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
"""Of the opening of `large_network` with the objective "small"."""

HIDING_ROUNDS = (Code(8, 3, 5, 1), Code(5, 3, 6, 1))
"""The same of its hiding proofs."""


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
        super().__init__(len(capacities), create_worker)
        self._capacities = capacities

    @property
    def descriptions(self) -> tuple[WorkerDescription, ...]:
        return tuple(WorkerDescription("this process", threads) for threads in self._capacities)


def called(request: bytes) -> list[str]:
    """The methods that a request runs, in their order; nothing for one that only asks for a value."""
    content = read_request(request)
    names = [call.method for call in deferred(content)]
    match content:
        case Run(calls):
            return [call.method for call in calls]
        case Publish():
            return [*names, content.method]
        case UseShares():
            return [content.call.method]
        case AllGather():
            return [*names, content.publish.method, content.call.method]
    return []


def deferred(content: object) -> Sequence[MethodCall]:
    """What a request runs before what its answer is of."""
    match content:
        case Run(calls):
            return calls[:-1]
        case Publish():
            return content.deferred
        case AllGather():
            return content.publish.deferred
    return ()


class Unreliable(InProcessExecutor):
    """Loses given ranks at given calls, counted over the executor's life, replays included.

    `ran` says whether a rank runs the call at which it is lost. `methods` has what was asked, both names
    where ranks share something. `deferred` has the names of deferred calls.
    """

    def __init__(
        self, ranks: int, losses: Mapping[int, Sequence[int]] | None = None, *, ran: bool = False
    ) -> None:
        super().__init__(ranks, create_worker)
        self.losses, self.ran = dict(losses or {}), ran
        self._lost: set[int] = set()
        self.methods: list[str] = []
        self.deferred: set[str] = set()
        self.replaced: list[int] = []

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        lost_before = set(self._lost)
        self._lost |= set(self.losses.get(len(self.methods), ()))
        first = next(iter(requests.values()))
        names, content = called(first), read_request(first)
        before = len(deferred(content))
        self.deferred.update(names[:before])
        if not isinstance(content, GetPublished):  # sent in replays only
            self.methods.append(" ".join(names[before:]))
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


class FaultyWorker(Worker):
    """Alters its answers to one method."""

    method: str
    alter: Callable[[Any], Any]

    def call(self, method: Method, arguments: dict[str, Any]) -> Any:
        value = super().call(method, arguments)
        return type(self).alter(value) if method.name == self.method else value


class DeceivedWorker(FaultyWorker):
    """Works on altered arguments of one method, consistently."""

    def call(self, method: Method, arguments: dict[str, Any]) -> Any:
        altered = type(self).alter(arguments) if method.name == self.method else arguments
        return Worker.call(self, method, altered)


def worker_of(kind: type[Worker]) -> WorkerFactory:
    """Makes workers of a proof of that kind."""

    def create(context: ProcessContext, rank: int) -> Worker:
        return kind(context, rank, WorkerState(context), METHODS)

    return create


def faulty(
    method: str, alter: Callable[[Any], Any], kind: type[FaultyWorker] = FaultyWorker
) -> WorkerFactory:
    """Makes workers that alter the answers to a method, or its arguments."""
    return worker_of(type("Altering", (kind,), {"method": method, "alter": staticmethod(alter)}))


def in_turn(*workers: WorkerFactory) -> WorkerFactory:
    """Makes these workers, one after the other, and then honest ones."""
    remaining = iter(workers)

    def create(context: ProcessContext, rank: int) -> Worker:
        return next(remaining, create_worker)(context, rank)

    return create
