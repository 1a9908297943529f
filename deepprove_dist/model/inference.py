"""Exact integer inference of a whole model, with every value that a proof commits to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from deepprove_dist.arrays import IntArray
from deepprove_dist.errors import InputRangeError, SamplesError
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.operators.registry import OPERATORS
from deepprove_dist.timing import timed

# Samples that are run at once where only outputs are asked for.
AT_ONCE = 16


@dataclass(frozen=True)
class InferenceTrace:
    """All values of one inference, arrays [samples, *shape].

    ``values`` by tensor name (inputs included), ``columns`` by (output of the node, column), ``outputs`` by
    name.
    """

    values: Mapping[str, IntArray]
    columns: Mapping[tuple[str, str], IntArray]
    outputs: Mapping[str, IntArray]


class IntegerRunner:
    """Runs one validated model any number of times; constants are converted once.

    `elsewhere` computes the outputs of some nodes, by the output's name, from the node's first input.
    """

    def __init__(
        self, model: IntegerModel, elsewhere: Mapping[str, Callable[[IntArray], IntArray]] | None = None
    ) -> None:
        self._model = model
        self._elsewhere = elsewhere or {}
        self._constants: list[dict[str, npt.NDArray[Any]]] = [
            {
                name: model.constants[name].astype(OPERATORS[node.operator].constant_type)
                for name in node.inputs
                if name in model.constants and node.output not in self._elsewhere
            }
            for node in model.nodes
        ]
        self._blas = ThreadpoolController().select(user_api="blas")

    def run(self, inputs: Mapping[str, IntArray]) -> InferenceTrace:
        """Runs integer inputs [samples, *shape], one array for each input of the model, on this thread.

        Raises SamplesError where names, types or shapes do not fit, InputRangeError for a value out of range.
        """
        # Threads of BLAS would spin for tens of milliseconds on the cores that are to prove what comes out.
        with self._blas.limit(limits=1):
            return self._run(inputs)

    def _run(self, inputs: Mapping[str, IntArray]) -> InferenceTrace:
        values = {tensor.name: _checked(tensor, inputs) for tensor in self._model.inputs}
        if len(inputs) != len(values) or len({len(array) for array in values.values()}) != 1:
            raise SamplesError(f"inputs are {sorted(values)}, each with the same number of samples")
        columns: dict[tuple[str, str], IntArray] = {}
        for node, constants in zip(self._model.nodes, self._constants, strict=True):
            if node.output in self._elsewhere:
                values[node.output] = self._elsewhere[node.output](values[node.inputs[0]])
                continue
            arguments = [constants[name] if name in constants else values[name] for name in node.inputs]
            with timed(node.operator, "inference", layer=node.name):
                inference = OPERATORS[node.operator].infer(node, arguments)
            values[node.output] = inference.output
            columns |= {(node.output, column): array for column, array in inference.columns.items()}
        return InferenceTrace(
            values, columns, {tensor.name: values[tensor.name] for tensor in self._model.outputs}
        )

    def outputs(self, inputs: Mapping[str, IntArray]) -> dict[str, IntArray]:
        """Outputs only, of any number of samples: memory is that of a few. Raises as ``run`` does."""
        count = max((len(array) for array in inputs.values()), default=0)
        parts = [
            self._run({name: array[start : start + AT_ONCE] for name, array in inputs.items()}).outputs
            for start in range(0, max(count, 1), AT_ONCE)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


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
