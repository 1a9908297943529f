"""A prover of any network that goes on from changed values, and knows which of its attempts are honest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import IntArray
from deepprove_dist.errors import VerificationError
from deepprove_dist.field import MODULUS
from deepprove_dist.lowering.builder import Source
from deepprove_dist.model.inference import InferenceTrace
from deepprove_dist.model.lower import lower
from deepprove_dist.operators.integer_operator import Inference
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.registry import OPERATORS
from deepprove_dist.operators.requantise import read, rounding
from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.protocol.system.evaluate import evaluate_affine
from deepprove_dist.prover import Prover
from tests.attacks.models import check, commit_tensors, honest_attempt, prove_fast, state
from tests.attacks.reference_prover import Attempt
from tests.records import replace

Inputs = Mapping[str, IntArray]


class LyingProver:
    """Attempts for the inputs of one inference, by name [samples, *shape]."""

    def __init__(self, key: Prover, inputs: Inputs) -> None:
        self.key, self.model, self.inputs = key, key.model, inputs
        self.honest = honest_attempt(key, inputs)
        self.instance = key.verifying.instance(self.honest.statement.batch)
        self.multiplicities = {table.multiplicity for table in self.instance.system.tables}
        self._sources = lower(key.model).sources

    @property
    def nodes(self) -> list[Node]:
        """Those that a proof's inference computes."""
        return [node for node in self.model.nodes if node.output in self.honest.trace.values]

    def inference(self, node: Node) -> Inference:
        """What a node computes honestly."""
        trace = self.honest.trace
        columns = {
            column: array for (output, column), array in trace.columns.items() if output == node.output
        }
        return Inference(trace.values[node.output], columns)

    def run(self, changed: Node | None, change: Callable[[Inference], Inference]) -> InferenceTrace:
        """The inference with what one node computes changed, and all nodes after it honest."""
        values: dict[str, npt.NDArray[Any]] = dict(self.inputs)
        columns: dict[tuple[str, str], IntArray] = {}
        for node in self.model.nodes:
            operator = OPERATORS[node.operator]
            arguments = [
                self.model.constants[name].astype(operator.constant_type)
                if name in self.model.constants
                else values[name]
                for name in node.inputs
            ]
            inference = operator.infer(node, nearest(node, arguments))
            if node is changed:
                inference = change(inference)
            values[node.output] = inference.output
            columns |= {(node.output, column): array for column, array in inference.columns.items()}
        return InferenceTrace(
            values, columns, {tensor.name: values[tensor.name] for tensor in self.model.outputs}
        )

    def attempt(self, trace: InferenceTrace) -> Attempt:
        """The attempt to prove an inference, with tables that count what is looked up in them."""
        tensors = {tensor: _read(source, trace).reshape(-1) for tensor, source in self._sources.items()}
        return self.commit(trace, tensors | self.counts(tensors))

    def commit(self, trace: InferenceTrace, tensors: Mapping[int, IntArray]) -> Attempt:
        """The attempt to prove an inference with any tensors."""
        stated = _statable(self.key, trace)
        witness = commit_tensors(self.key, self.honest.statement.batch, tensors)
        return Attempt(state(self.key, stated), stated, witness)

    def state(self, trace: InferenceTrace) -> Attempt:
        """The attempt to prove another statement with the honest witness."""
        return Attempt(state(self.key, trace), trace, self.honest.witness)

    def is_honest(self, attempt: Attempt) -> bool:
        """Whether it states and commits what the model computes from the stated inputs."""
        inputs = {tensor.name: attempt.trace.values[tensor.name] for tensor in self.model.inputs}
        same = all(np.array_equal(values, self.inputs[name]) for name, values in inputs.items())
        honest = self.honest if same else honest_attempt(self.key, inputs)
        # What hides a proof is no part of what it states.
        committed, expected = (
            {tensor: bytes(witness.vectors[tensor]) for tensor in witness.tensors}
            for witness in (attempt.witness, honest.witness)
        )
        return attempt.statement == honest.statement and committed == expected

    def counts(self, tensors: Mapping[int, IntArray]) -> dict[int, IntArray]:
        """Multiplicities; values that a table lacks are counted nowhere."""
        system = self.instance.system
        counts = {table.multiplicity: np.zeros(table.size, dtype=np.int64) for table in system.tables}
        for lookup in system.lookups:
            table = system.tables[lookup.table]
            rows = (evaluate_affine(system, lookup.columns[0], tensors).reshape(-1) - table.first) % MODULUS
            counts[table.multiplicity] += np.bincount(rows[rows < table.size], minlength=table.size)
        return counts


def _read(source: Source, trace: InferenceTrace) -> IntArray:
    """A witness tensor; a function has the nearest argument of its domain."""
    argument = replace(source, function=None).read(trace.values, trace.columns)
    if source.function is None:
        return argument
    last = source.function.first + source.function.size - 1
    return source.function.apply(np.clip(argument, source.function.first, last))


def nearest(node: Node, arguments: list[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    """The arguments of a node; of a requantisation the nearest whose quotients its table has."""
    if node.operator != "requantise":
        return arguments
    shift, table, _ = read(node.attributes)
    low = (table.first << shift) - rounding(shift)
    return [np.clip(arguments[0], low, low + (table.size << shift) - 1)]


def refused(key: Prover, proof: ProofContent) -> bool:
    """Whether the verifier refuses a proof."""
    try:
        check(key, proof)
    except VerificationError:
        return True
    return False


def accepted(key: Prover, attempt: Attempt, *, by: Prover | None = None) -> bool:
    """Whether the verifier takes the real prover's proof of an attempt, made with the key or `by` another."""
    return not refused(key, prove_fast(by or key, attempt))


def _statable(key: Prover, trace: InferenceTrace) -> InferenceTrace:
    """With outputs that are in their stated ranges: no others can be encoded."""
    ranges = {tensor.name: (tensor.lo, tensor.hi) for tensor in key.verifying.outputs}
    outputs = {name: np.clip(values, *ranges[name]) for name, values in trace.outputs.items()}
    return replace(trace, outputs=outputs)
