"""Clip of opsets before 11, once it is converted: its bounds have the type of its input.

The converter writes bounds of float32 beside inputs of any type.
"""

import onnx
from onnx import numpy_helper


def with_typed_bounds(model: onnx.ModelProto) -> onnx.ModelProto:
    """The converted model, in which each Clip reads bounds of the type that its input has."""
    clips = [node for node in model.graph.node if node.op_type == "Clip"]
    if not clips:
        return model
    graph = onnx.shape_inference.infer_shapes(model).graph
    types = {
        value.name: value.type.tensor_type.elem_type
        for value in (*graph.output, *graph.value_info, *graph.input)
    }
    constants = {node.output[0]: node for node in model.graph.node if node.op_type == "Constant"}
    for clip in clips:
        kind = types.get(clip.input[0], 0) or types.get(clip.output[0], 0)
        for name in clip.input[1:]:
            if name in constants and kind:
                _convert(constants[name], kind)
    return model


def _convert(constant: onnx.NodeProto, kind: int) -> None:
    for attribute in constant.attribute:
        if attribute.name == "value" and attribute.t.data_type != kind:
            value = numpy_helper.to_array(attribute.t)
            dtype = onnx.helper.tensor_dtype_to_np_dtype(kind)
            attribute.t.CopyFrom(numpy_helper.from_array(value.astype(dtype), attribute.t.name))
