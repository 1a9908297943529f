"""Float runs by ONNX's own reference evaluator, for models that onnxruntime has no implementation for.

That is slow, but it is a second implementation all the same. What onnxruntime lacks is arithmetic of narrow
integers, and the newest operators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator


@dataclass(frozen=True)
class RunTensor:
    """An input or an output, named as onnxruntime names them; ``type`` is "tensor(int8)" or the like."""

    name: str
    type: str


class ReferenceSession:
    """What a run needs of onnxruntime's session."""

    def __init__(self, model: onnx.ModelProto) -> None:
        """Raises an error of any type where the evaluator lacks an operator."""
        self._evaluator = ReferenceEvaluator(model)
        self._model = model

    def get_inputs(self) -> list[RunTensor]:
        """The model's inputs that are no initializers."""
        constants = {tensor.name for tensor in self._model.graph.initializer}
        return [
            RunTensor(value.name, f"tensor({_type_name(value)})")
            for value in self._model.graph.input
            if value.name not in constants
        ]

    def get_outputs(self) -> list[RunTensor]:
        """The model's outputs, whose types nobody asks for."""
        return [RunTensor(value.name, "") for value in self._model.graph.output]

    def run(
        self, output_names: Sequence[str], input_feed: Mapping[str, npt.NDArray[Any]]
    ) -> list[npt.NDArray[Any]]:
        """The outputs by name, as onnxruntime gives them."""
        with np.errstate(all="ignore"):
            results = self._evaluator.run(list(output_names), dict(input_feed))
        return [np.asarray(result) for result in results]


def _type_name(value: onnx.ValueInfoProto) -> str:
    return np.dtype(helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)).name
