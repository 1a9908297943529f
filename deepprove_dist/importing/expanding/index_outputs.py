"""Which tensors are indices of largest or smallest values: right or wrong, and nothing between."""

import onnx

# What moves elements, or changes their type, and keeps indices.
_KEEPING = ("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")


def computed_indices(graph: onnx.GraphProto) -> frozenset[str]:
    """Names of tensors that are indices of the largest or smallest values along an axis."""
    names = set[str]()
    for node in graph.node:
        if node.op_type in ("ArgMax", "ArgMin"):
            names.update(node.output)
        elif node.op_type == "TopK":
            names.update(node.output[1:])
        elif node.op_type in _KEEPING and node.input[0] in names:
            names.update(node.output)
    return frozenset(names)
