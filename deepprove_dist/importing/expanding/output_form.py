"""What is proven of scores: all of them, those of the last position, or the indices of the largest ones.

A language model's scores are [1, positions, vocabulary]. Its ArgMax along the last axis is one token for each
position. Of equal scores the first one counts, as in ONNX.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import onnx
from onnx import helper, numpy_helper

from deepprove_dist.errors import ChoiceError, ModelError
from deepprove_dist.importing.rewriting.onnx_graph import tensor_names
from deepprove_dist.importing.rewriting.standard import INTEGER_TYPES, TRUTH_TYPES

_INDICES = INTEGER_TYPES + TRUTH_TYPES
"""Types of outputs that stay as they are: they are no scores."""

# Batch, positions and scores.
LEAST_AXES = 3


@dataclass(frozen=True)
class OutputForm:
    """`name` is "all", "last", "argmax" or "top-K"; `count` is K."""

    NAMES: ClassVar[str] = "'all', 'last', 'argmax' or 'top-K' with a number K"

    name: str = "all"
    count: int = 0

    @classmethod
    def of(cls, text: object) -> OutputForm:
        """The form that a text names. Raises ChoiceError for any other text."""
        if isinstance(text, str):
            if text in ("all", "last", "argmax"):
                return cls(text)
            if (top := re.fullmatch(r"top-([1-9][0-9]{0,5})", text)) is not None:
                return cls(text, int(top[1]))
        raise ChoiceError(f"output_form is one of {cls.NAMES}, not {text!r}")

    def apply(self, model: onnx.ModelProto) -> None:
        """Makes each output that has scores one of this form, with the form's name after its name.

        Raises ModelError for "last" of an output without an axis of positions.
        """
        if self.name == "all":
            return
        values = list(model.graph.output)
        del model.graph.output[:]
        taken = tensor_names(model)
        for value in values:
            tensor = value.type.tensor_type
            if tensor.elem_type in _INDICES:
                model.graph.output.append(value)
                continue
            if self.name == "last" and tensor.HasField("shape") and len(tensor.shape.dim) < LEAST_AXES:
                raise ModelError(f"output '{value.name}' has no axis of positions: there is no last one")
            name = f"{value.name}.{self.name}"
            if name in taken:
                raise ModelError(f"the model has a tensor '{name}', which is to be a new output's name")
            self._append(model.graph, value.name, name)
            kind = tensor.elem_type if self.name == "last" else onnx.TensorProto.INT64
            result = onnx.ValueInfoProto(name=name)
            result.type.tensor_type.elem_type = kind
            model.graph.output.append(result)

    def _append(self, graph: onnx.GraphProto, scores: str, name: str) -> None:
        """The nodes from scores to the tensor of this name."""
        title = f"{self.name} of {scores}"
        if self.name == "argmax":
            graph.node.append(helper.make_node("ArgMax", [scores], [name], title, axis=-1, keepdims=0))
            return
        number = f"{name}.number"
        value = np.array([-1 if self.name == "last" else self.count], dtype=np.int64)
        graph.initializer.append(numpy_helper.from_array(value, number))
        if self.name == "last":
            graph.node.append(helper.make_node("Gather", [scores, number], [name], title, axis=-2))
        else:
            outputs = [f"{name}.scores", name]
            graph.node.append(helper.make_node("TopK", [scores, number], outputs, title, axis=-1))


ALL_SCORES = OutputForm()
"""Outputs as the file states them."""
