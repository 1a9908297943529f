"""Fixing the batch axis: a proof's sample is one row, so a symbolic first axis becomes 1.

Shapes that the file states for anything but inputs are dropped and inferred again: they may name the symbolic
axis, and nothing here should depend on what they claim.
"""

import onnx

from deepprove_dist.errors import ModelError


def fix_batch_axis(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the model whose inputs have static shapes, and no input that merely declares an initializer.

    Raises ModelError, naming input and axis, for a symbolic axis other than the first.
    """
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    graph = fixed.graph
    initializers = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in initializers]
    del graph.input[:]
    graph.input.extend(inputs)
    for value in graph.input:
        if not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
            raise ModelError(f"input '{value.name}' has no tensor shape")
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if dimension.HasField("dim_value"):
                if dimension.dim_value < 1:
                    raise ModelError(f"input '{value.name}': axis {axis} has size {dimension.dim_value}")
            elif axis == 0:
                dimension.dim_value = 1
            else:
                symbol = dimension.dim_param or "unknown"
                raise ModelError(
                    f"input '{value.name}': axis {axis} is symbolic ('{symbol}'); only the first, the "
                    f"batch, may be. Export the model with a fixed size there"
                )
    del graph.value_info[:]
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    return fixed
