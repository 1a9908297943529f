"""Normalisations that onnxruntime's optimiser writes, also into the standard's domain before the standard
had them.
"""

import onnx

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.standard import RUNTIME

EPSILON = 1e-5
SKIP_EPSILON = 1e-12


def _simplified(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    attributes = {"axis": new.attributes.get("axis", -1), "epsilon": new.attributes.get("epsilon", EPSILON)}
    return new.finished(new.add_like(new.input(0), "RMSNormalization", *node.input[:2], **attributes))


def _with_skip(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """input + skip + bias, normalised; the sum is the fourth output."""
    new = NodeReplacement(node, scope)
    first, simplified = new.input(0), node.op_type.startswith("SkipSimplified")
    total = new.add("Add", first, new.input(1))
    if bias := new.input(3 if simplified else 4):
        total = new.add("Add", total, bias)
    epsilon = new.attributes.get("epsilon", SKIP_EPSILON)
    operator = "RMSNormalization" if simplified else "LayerNormalization"
    parameters = [new.input(2)] if simplified else [name for name in node.input[2:4] if name]
    result = new.add_like(first, operator, total, *parameters, axis=-1, epsilon=epsilon)
    return new.finished(result, {3: total})


def _of_groups(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """Instances whose channels are groups; then a scale and a bias, for each channel or each group."""
    new = NodeReplacement(node, scope)
    x, groups = new.input(0), new.attributes.get("num_groups", 0)
    shape = new.shape(x)
    parameters = [new.shape(name) for name in node.input[1:3]]
    if groups < 1 or len(shape) < 2 or shape[1] % groups or len(parameters) != 2:
        return None
    by_channel = parameters[0] == (shape[1],)
    rows = new.add("Reshape", x, new.integers([shape[0], groups, -1]))
    ones, zeros = (new.constant([value] * groups, x) for value in (1, 0))
    epsilon = new.attributes.get("epsilon", EPSILON)
    result = new.add("InstanceNormalization", rows, ones, zeros, epsilon=epsilon)
    if by_channel:
        result = new.add("Reshape", result, new.integers(shape))
    along = new.integers([-1, *(1 for _ in (shape[2:] if by_channel else (1,)))])
    for operator, name in (("Mul", new.input(1)), ("Add", new.input(2))):
        result = new.add(operator, result, new.add("Reshape", name, along))
    if not by_channel:
        result = new.add("Reshape", result, new.integers(shape))
    return new.finished(result)


EXPANSIONS = (
    Expansion("GroupNormalization", "with a constant scale and bias", _of_groups),
    Expansion("SimplifiedLayerNormalization", "over the last axes", _simplified),
    Expansion("SimplifiedLayerNormalization", "over the last axes", _simplified, RUNTIME),
    Expansion("SkipLayerNormalization", "without the mean and the deviation", _with_skip, RUNTIME),
    Expansion("SkipSimplifiedLayerNormalization", "without the deviation", _with_skip, RUNTIME),
)
