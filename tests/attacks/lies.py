"""Lies about one value: a prover changes it and is honest in all that follows.

Inference goes on from the changed value, and tables count what is looked up in them. The statement says what
comes out. So a lie breaks as few relations and lookups as it can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import MODULUS
from deepprove_dist.model.inference import InferenceTrace
from deepprove_dist.operators.integer_operator import Inference
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.requantise import read
from deepprove_dist.protocol.system.table import Table
from tests.attacks.lying_prover import LyingProver
from tests.attacks.reference_prover import Attempt
from tests.records import replace

Change = Callable[[Inference], Inference]
Lie = tuple[str, Attempt]
"""What is changed, and the attempt to prove it."""


def lies(prover: LyingProver, random: np.random.Generator) -> Iterator[Lie]:
    """Every kind of lie once for each node and tensor, at random places."""
    for node in prover.nodes:
        for kind, change in _changes(node, prover.inference(node), random):
            yield kind, prover.attempt(prover.run(node, change))
    yield from _tensors(prover, random)
    yield from _statements(prover)


def bumped(array: npt.NDArray[Any], index: int, step: int) -> IntArray:
    """With one element of the flattened array changed."""
    result = array.astype(np.int64)
    result.reshape(-1)[index] += step
    return result


def _changes(node: Node, honest: Inference, random: np.random.Generator) -> Iterator[tuple[str, Change]]:
    index = int(random.integers(honest.output.size))
    for step in (1, -1, int(random.integers(2, 300))):
        yield "an output", _output(index, step)
    yield "an output plus p", _output(index, MODULUS)
    if node.operator == "requantise":
        yield from _requantisations(node, index)
    if node.operator == "max_pool":
        yield from _gains(honest, index, random)


def _output(index: int, step: int) -> Change:
    return lambda inference: replace(inference, output=bumped(inference.output, index, step))


def _columns(index: int, steps: Mapping[str, int]) -> Change:
    """Each of these columns changed by its step."""

    def change(inference: Inference) -> Inference:
        changed = {name: bumped(inference.columns[name], index, step) for name, step in steps.items()}
        return replace(inference, columns={**inference.columns, **changed})

    return change


def _requantisations(node: Node, index: int) -> Iterator[tuple[str, Change]]:
    shift, table, limbs = read(node.attributes)
    for step in (1, -1):
        yield "a quotient", _columns(index, {"q": step})
        yield "a quotient and its output", _looked_up(table, _columns(index, {"q": step}))
        if limbs:
            last = len(limbs) - 1
            steps = {"q": step, f"r{last}": -step << limbs[last]}
            yield "a quotient, its output and a limb", _looked_up(table, _columns(index, steps))
        for limb in range(len(limbs)):
            yield "a limb", _columns(index, {f"r{limb}": step})
    if len(limbs) > 1:
        yield "a carry between limbs", _columns(index, {"r0": 1 << limbs[0], "r1": -1})
    yield "an accumulator plus p", _looked_up(table, _divided(index, shift, limbs))


def _looked_up(table: Table, change: Change) -> Change:
    """The change with the outputs that the table has for its quotients, or for the nearest it has."""

    def changed(inference: Inference) -> Inference:
        result = change(inference)
        quotients = np.clip(result.columns["q"], table.first, table.first + table.size - 1)
        return replace(result, output=table.apply(quotients))

    return changed


def _divided(index: int, shift: int, limbs: tuple[int, ...]) -> Change:
    """Quotient and limbs of the accumulator plus p."""

    def change(inference: Inference) -> Inference:
        columns = {name: array.astype(np.int64) for name, array in inference.columns.items()}
        flat = {name: array.reshape(-1) for name, array in columns.items()}
        offsets = [sum(limbs[:limb]) for limb in range(len(limbs))]
        total = int(flat["q"][index]) << shift
        total += sum(int(flat[f"r{limb}"][index]) << offset for limb, offset in enumerate(offsets)) + MODULUS
        flat["q"][index] = total >> shift
        for limb, (offset, width) in enumerate(zip(offsets, limbs, strict=True)):
            flat[f"r{limb}"][index] = total >> offset & (1 << width) - 1
        return replace(inference, columns=columns)

    return change


def _gains(honest: Inference, index: int, random: np.random.Generator) -> Iterator[tuple[str, Change]]:
    for name, gains in honest.columns.items():
        for step in (1, -1):
            yield "a gain", _columns(int(random.integers(gains.size)), {name: step})
            # A gain of the axis that is reduced last is a summand of the output.
            if gains.shape == honest.output.shape:
                yield "a gain and its output", _both(_columns(index, {name: step}), _output(index, step))


def _both(first: Change, second: Change) -> Change:
    return lambda inference: second(first(inference))


def _tensors(prover: LyingProver, random: np.random.Generator) -> Iterator[Lie]:
    """One value of a committed tensor alone; nothing follows from it."""
    honest = prover.honest
    for tensor, values in honest.witness.tensors.items():
        index, counted = int(random.integers(values.size)), tensor in prover.multiplicities
        for step in (1, -1, int(random.integers(2, MODULUS - 2))):
            changed = {**honest.witness.tensors, tensor: bumped(values, index, step)}
            yield "a multiplicity" if counted else "a committed value", prover.commit(honest.trace, changed)
        if counted and values.size > 1:
            moved = bumped(bumped(values, index, 1), (index + 1) % values.size, -1)
            changed = {**honest.witness.tensors, tensor: moved}
            yield "a multiplicity of another row", prover.commit(honest.trace, changed)


def _statements(prover: LyingProver) -> Iterator[Lie]:
    """Samples and elements that trade places, in the statement alone or in the witness too."""
    trace = prover.honest.trace
    for tensor in prover.model.outputs:
        output = trace.outputs[tensor.name]
        traded = np.roll(output, 1, axis=0)
        yield "samples trade outputs", prover.state(_put_output(trace, tensor.name, traded))
        elements = np.roll(output.reshape(len(output), -1), 1, axis=1).reshape(output.shape)
        for kind, values in (("samples trade outputs", traded), ("elements trade places", elements)):
            changed = _put_output(trace, tensor.name, values)
            committed = replace(changed, values={**trace.values, tensor.name: values})
            yield f"{kind}, committed", prover.attempt(committed)
    for tensor in prover.model.inputs:
        rolled = np.roll(trace.values[tensor.name], 1, axis=0)
        changed = replace(trace, values={**trace.values, tensor.name: rolled})
        yield "samples trade inputs", prover.state(changed)


def _put_output(trace: InferenceTrace, name: str, values: IntArray) -> InferenceTrace:
    return replace(trace, outputs={**trace.outputs, name: values})
