"""LayerNormalization in opsets that do not have it, and where its mean or inverse deviation is read.

These two are written out beside it.
"""

import numpy as np
import onnx

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.scope import Scope

EPSILON = 1e-5
MEAN, INVERSE_DEVIATION = 1, 2
"""Numbers of the outputs."""
AXES_ARE_AN_INPUT = 18


def _with_statistics(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    if not any(name and scope.is_used(name) for name in node.output[1:]):
        return None
    tensor = new.input(0)
    rank = len(new.shape(tensor))
    first = int(new.attributes.get("axis", -1)) % rank
    axes = list(range(first, rank))
    mean = _mean(new, scope, tensor, axes)
    difference = new.add("Sub", tensor, mean)
    variance = _mean(new, scope, new.add("Mul", difference, difference), axes)
    epsilon = new.constant(np.array(new.attributes.get("epsilon", EPSILON)), tensor)
    deviation = new.add("Sqrt", new.add("Add", variance, epsilon))
    result = new.add("LayerNormalization", *node.input, **new.attributes)
    return new.finished(result, {MEAN: mean, INVERSE_DEVIATION: new.add("Reciprocal", deviation)})


def _mean(new: NodeReplacement, scope: Scope, tensor: str, axes: list[int]) -> str:
    if scope.opset < AXES_ARE_AN_INPUT:
        return new.add("ReduceMean", tensor, axes=axes)
    return new.add("ReduceMean", tensor, new.integers(axes))


def _restated(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """The same, with a shape that inference does not know in old opsets."""
    if not node.output or scope.information(node.output[0]) is not None:
        return None
    new = NodeReplacement(node, scope)
    return new.finished(new.add_like(new.input(0), node.op_type, *node.input, **new.attributes))


def _expanded(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    return _with_statistics(node, scope) or _restated(node, scope)


EXPANSIONS = (Expansion("LayerNormalization", "with its mean and inverse deviation", _expanded),)
