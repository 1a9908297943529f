"""Exact integer inference of a whole model, with every value that a proof commits to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.ahead import in_order
from deepprove_dist.arrays import IntArray
from deepprove_dist.errors import InputRangeError, SamplesError
from deepprove_dist.lowering.public_rows import PublicRows
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.operator_threads import OperatorThreads
from deepprove_dist.narrow_integers import LARGE as LARGE_TENSOR
from deepprove_dist.narrow_integers import Integers, narrow_if_large
from deepprove_dist.operators.integer_operator import Inference
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.registry import OPERATORS
from deepprove_dist.operators.selected_rows import public_rows
from deepprove_dist.timing import timed

# Samples that are run at once where some tensors only are asked for.
AT_ONCE = 16
# And how many values these may have.
VALUES_AT_ONCE = 2**22

# Constants of a model that are kept in the type in which they are fastest: 256 MB. Of larger models those of
# more values than LARGE stay as they are, and are converted at each run.
MOST_CONVERTED, LARGE = 2**25, 2**20


@dataclass(frozen=True)
class InferenceTrace:
    """The values of one inference, arrays [samples, *shape]: large ones in the narrowest type, outputs int64.

    ``values`` by tensor name (inputs included), ``columns`` by (output of the node, column), ``outputs`` by
    name.
    """

    values: Mapping[str, Integers]
    columns: Mapping[tuple[str, str], Integers]
    outputs: Mapping[str, IntArray]


class IntegerRunner:
    """Runs one validated model any number of times; constants are converted once, if they are not too many.

    `threads` is how many compute the large layers of a ``run``. `elsewhere` computes the outputs of some
    nodes, by the output's name, from the node's first input. What `rows` leave unread is not computed. Of
    large tensors between inputs and outputs a ``run`` returns those in `kept`; without `kept` all of them.
    """

    def __init__(
        self,
        model: IntegerModel,
        elsewhere: Mapping[str, Callable[[Integers], IntArray]] | None = None,
        rows: PublicRows | None = None,
        threads: int = 1,
        kept: Collection[str] | None = None,
    ) -> None:
        self._model = model
        self._kept = (
            None if kept is None else {*kept, *(tensor.name for tensor in (*model.inputs, *model.outputs))}
        )
        self._threads = OperatorThreads(threads)
        self._elsewhere = elsewhere or {}
        self._rows = rows or PublicRows()
        self._nodes = [node for node in model.nodes if node.output not in self._rows.unread]
        most = MOST_CONVERTED
        if sum(values.size for values in model.constants.values()) > MOST_CONVERTED:
            most = LARGE
        apart = {*self._elsewhere, *self._rows.indices}
        self._constants: list[dict[str, npt.NDArray[Any]]] = [
            {
                name: _converted(model.constants[name], node, index, most)
                for index, name in enumerate(node.inputs)
                if name in model.constants and node.output not in apart
            }
            for node in self._nodes
        ]

    def run(self, inputs: Mapping[str, IntArray]) -> InferenceTrace:
        """Runs integer inputs [samples, *shape], one array for each input of the model, on this thread.

        Raises SamplesError where names, types or shapes do not fit, InputRangeError for a value out of range.
        """
        with self._threads.single_blas():
            return self._run(inputs)

    def _run(self, inputs: Mapping[str, IntArray]) -> InferenceTrace:
        values: dict[str, Integers] = {**self._checked(inputs)}
        columns: dict[tuple[str, str], Integers] = {}
        for node, constants, read in zip(self._nodes, self._constants, self._last_read, strict=True):
            with timed(node.operator, "inference", layer=node.name):
                inference = self._infer(node, values, constants)
            values[node.output] = inference.output
            columns |= {(node.output, column): array for column, array in inference.columns.items()}
            if self._kept is not None:
                for name in set(read) - self._kept:
                    if values[name].size >= LARGE_TENSOR:
                        del values[name]
        outputs = {tensor.name: _wide(values[tensor.name]) for tensor in self._model.outputs}
        return InferenceTrace(values, columns, outputs)

    def _infer(
        self, node: Node, values: Mapping[str, Integers], constants: Mapping[str, npt.NDArray[Any]]
    ) -> Inference:
        """A node's output and columns, of which large ones are narrow."""
        output = self._beside_operators(node, values)
        if output is not None:
            return Inference(narrow_if_large(output), {})
        return self._threads.infer(node, _arguments(node, values, constants))

    def tensors(
        self, inputs: Mapping[str, IntArray], kept: Collection[str], at_once: int = AT_ONCE, threads: int = 0
    ) -> Iterator[dict[str, Integers]]:
        """The tensors called ``kept`` by name, [n, *shape], of ``at_once`` samples after the other.

        They are in the types in which they were computed. Others are held no longer than they are read.
        Parts of the samples are run ahead by so many threads. Raises as ``run`` does.
        """
        parts = parts_of(self._checked(inputs), at_once)
        with self._threads.single_blas():
            yield from in_order(partial(self._tensors, kept=kept), parts, threads)

    def part(self, inputs: Mapping[str, IntArray], kept: Collection[str]) -> dict[str, Integers]:
        """The same of all samples at once, by the caller's thread, in a block of ``single_blas``."""
        return self._tensors(self._checked(inputs), kept)

    def _tensors(self, inputs: Mapping[str, IntArray], kept: Collection[str]) -> dict[str, Integers]:
        values: dict[str, Integers] = {**inputs}
        result = {name: values[name] for name in kept if name in values}
        for node, constants, read in zip(self._nodes, self._constants, self._last_read, strict=True):
            output = self._beside_operators(node, values)
            if output is None:
                output = OPERATORS[node.operator].output(node, _arguments(node, values, constants))
            values[node.output] = output
            if node.output in kept:
                result[node.output] = values[node.output]
            for name in read:
                del values[name]
        return result

    def _beside_operators(self, node: Node, values: Mapping[str, Integers]) -> IntArray | None:
        """The output of a node that is computed elsewhere, or selects rows by an input; None of others."""
        if node.output in self._elsewhere:
            return self._elsewhere[node.output](values[node.inputs[0]])
        indices = self._rows.indices.get(node.output)
        if indices is None:
            return None
        selected = values[indices.input]
        weight, *bias = (self._model.constants[name] for name in node.inputs[1:])
        return public_rows(weight, bias, selected.reshape(len(selected), *indices.shape))

    @cached_property
    def _last_read(self) -> Sequence[Sequence[str]]:
        """For each node the computed tensors that no later one reads: its inputs, or its output."""
        last: dict[str, int] = {}
        absent = {*self._model.constants, *self._rows.unread}
        for index, node in enumerate(self._nodes):
            selected = self._rows.indices.get(node.output)
            read_too = () if selected is None else (selected.input,)
            last |= {name: index for name in (*node.inputs, *read_too, node.output) if name not in absent}
        read: list[list[str]] = [[] for _ in self._nodes]
        for name, index in last.items():
            read[index].append(name)
        return read

    def outputs(self, inputs: Mapping[str, IntArray]) -> dict[str, IntArray]:
        """Outputs only, of any number of samples: memory is that of a few. Raises as ``run`` does."""
        names = [tensor.name for tensor in self._model.outputs]
        parts = list(self.tensors(inputs, names))
        return {name: _wide(np.concatenate([part[name] for part in parts])) for name in names}

    def _checked(self, inputs: Mapping[str, IntArray]) -> dict[str, IntArray]:
        values = {tensor.name: _checked(tensor, inputs) for tensor in self._model.inputs}
        if len(inputs) != len(values) or len({len(array) for array in values.values()}) != 1:
            raise SamplesError(f"inputs are {sorted(values)}, each with the same number of samples")
        return values


def parts_of(inputs: Mapping[str, IntArray], at_once: int) -> Iterator[dict[str, IntArray]]:
    """Inputs [N, *shape] by name, so many samples after the other."""
    for start in range(0, max(map(len, inputs.values())), at_once):
        yield {name: array[start : start + at_once] for name, array in inputs.items()}


def samples_at_once(elements: int) -> int:
    """How many samples to run at once, of which one has so many values in all tensors together."""
    return max(1, min(AT_ONCE, VALUES_AT_ONCE // max(1, elements)))


def _converted(values: Integers, node: Node, index: int, most: int) -> npt.NDArray[Any]:
    """A constant of at most so many values as a node reads it fastest; a larger one as it is."""
    return OPERATORS[node.operator].prepared(node, index, values) if values.size <= most else values


def _arguments(
    node: Node, values: Mapping[str, Integers], constants: Mapping[str, npt.NDArray[Any]]
) -> list[npt.NDArray[Any]]:
    """What a node reads, in types in which no sum and no product wraps."""
    operator = OPERATORS[node.operator]
    if not operator.reads_narrow_constants:
        kind = operator.constant_type
        constants = {name: array.astype(kind, copy=False) for name, array in constants.items()}
    wide = (lambda array: array) if operator.reads_narrow_values else _wide
    return [constants[name] if name in constants else wide(values[name]) for name in node.inputs]


def _wide(values: Integers) -> IntArray:
    return values.astype(np.int64, copy=False)


def infer(model: IntegerModel, inputs: Mapping[str, IntArray]) -> InferenceTrace:
    """One inference of a validated model; see ``IntegerRunner.run``."""
    return IntegerRunner(model).run(inputs)


def _checked(tensor: ModelTensor, inputs: Mapping[str, IntArray]) -> IntArray:
    if tensor.name not in inputs:
        raise SamplesError(f"input '{tensor.name}' is missing")
    array = inputs[tensor.name]
    if array.dtype.kind not in "iu" or array.ndim == 0 or len(array) == 0 or array.shape[1:] != tensor.shape:
        raise SamplesError(
            f"'{tensor.name}' takes integers [samples, *{tensor.shape}], not {array.dtype} {array.shape}"
        )
    if int(array.min()) < tensor.lo or int(array.max()) > tensor.hi:
        raise InputRangeError(f"input '{tensor.name}' has values outside [{tensor.lo}, {tensor.hi}]")
    return array.astype(np.int64)
