"""Shapes of what expansions wrote, before the whole graph's are inferred again.

Inference of a graph stops at nodes of other domains. So in a chain of these the shape of a node's input is
known only once those before it are written out. It is inferred here from the nodes written out alone. Thus a
chain takes one pass over the graph, and not one for each of its nodes.
"""

from collections.abc import Sequence

import onnx
from onnx import helper, numpy_helper

from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.onnx_graph import static_shapes

MOST_VALUES = 64
"""Of a constant that shapes may follow from."""


def learn_shapes(
    scope: Scope, nodes: Sequence[onnx.NodeProto], stated: Sequence[onnx.ValueInfoProto]
) -> None:
    """Adds the types and shapes of what nodes compute to those that are known, and of what is ``stated``."""
    for value in stated:
        tensor = value.type.tensor_type
        scope.types[value.name] = tensor.elem_type
        scope.shapes[value.name] = tuple(size.dim_value for size in tensor.shape.dim)
    if all(name in scope.shapes for node in nodes for name in node.output if name):
        return
    part = _alone(scope, nodes)
    if part is not None:
        inferred = onnx.shape_inference.infer_shapes(part, data_prop=True)
        for value in (*inferred.graph.value_info, *inferred.graph.output):
            scope.types.setdefault(value.name, value.type.tensor_type.elem_type)
        for name, shape in static_shapes(inferred).items():
            scope.shapes.setdefault(name, shape)


def _alone(scope: Scope, nodes: Sequence[onnx.NodeProto]) -> onnx.ModelProto | None:
    """A model of some nodes; None where the type or the shape of what they read is not known."""
    if any(attribute.HasField("g") for node in nodes for attribute in node.attribute):
        return None
    computed = {name for node in nodes for name in node.output if name}
    read = dict.fromkeys(name for node in nodes for name in node.input if name and name not in computed)
    inputs, constants = [], []
    for name in read:
        if name in scope.known and scope.known[name].size <= MOST_VALUES:
            constants.append(numpy_helper.from_array(scope.known[name], name))
        elif (value := scope.information(name)) is not None:
            inputs.append(value)
        else:
            return None
    outputs = [helper.make_empty_tensor_value_info(name) for name in computed]
    stated = [value for name in computed if (value := scope.information(name)) is not None]
    graph = helper.make_graph(nodes, "part", inputs, outputs, constants, value_info=stated)
    model = scope.model
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
