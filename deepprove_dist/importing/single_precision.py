"""A model in float32, for which onnxruntime has every operator; it lacks some in float16 and float64."""

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import numpy_helper

# Attributes that state the type of what a node computes.
TYPE_ATTRIBUTES = ("to", "dtype")
OTHER_TYPES = (onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)


def in_single_precision(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the model in which every float16 and float64 tensor is of float32."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    for graph in _graphs(result.graph):
        for value in (*graph.input, *graph.output, *graph.value_info):
            if value.type.tensor_type.elem_type in OTHER_TYPES:
                value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
        for tensor in graph.initializer:
            _convert(tensor)
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    _convert(attribute.t)
                if attribute.name in TYPE_ATTRIBUTES and attribute.i in OTHER_TYPES:
                    attribute.i = onnx.TensorProto.FLOAT
    return result


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """The graph and all graphs inside its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            inner = (attribute.g, *attribute.graphs) if attribute.HasField("g") else attribute.graphs
            for other in inner:
                yield from _graphs(other)


def _convert(tensor: onnx.TensorProto) -> None:
    if tensor.data_type in OTHER_TYPES:
        # What is too large becomes infinite, and is refused by name where it is read.
        with np.errstate(over="ignore"):
            values = numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
