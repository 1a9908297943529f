"""Which tensors are indices or labels: right or wrong, and nothing between.

Indices are those of the largest or smallest values along an axis. Labels are numbers that stand at
indices, or that decisions choose: truth values, signs, and what a constant makes of either.
"""

from collections.abc import Set

import onnx

# What moves elements, or changes their type, and keeps indices.
_KEEPING = ("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
_DECIDING = ("And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "Or", "Sign", "Xor")
# With constants beside them they make labels of labels.
_NAMING = ("Add", "Gather", "Mul", "Sub", "Where")


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


def computed_labels(graph: onnx.GraphProto, indices: Set[str]) -> frozenset[str]:
    """Names of tensors that are labels; ``indices`` are among them."""
    labels = set(indices)
    constants = {tensor.name for tensor in graph.initializer}
    for node in graph.node:
        if (
            node.op_type in _DECIDING
            or (node.op_type in _KEEPING and node.input[0] in labels)
            or (node.op_type in _NAMING and _has_one(node, labels, constants))
        ):
            labels.update(node.output)
    return frozenset(labels)


def _has_one(node: onnx.NodeProto, labels: Set[str], constants: Set[str]) -> bool:
    """Whether one input is a label, and the others are constants."""
    return sum(name in labels for name in node.input) == 1 and labels | constants >= set(node.input)
