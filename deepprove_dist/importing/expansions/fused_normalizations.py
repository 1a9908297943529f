"""Normalisations that onnxruntime's optimiser writes, also into the standard's domain before the standard
had them.
"""

import onnx

from deepprove_dist.importing.expansions.writing import NodeReplacement
from deepprove_dist.importing.rewriting.expansion import Expansion
from deepprove_dist.importing.rewriting.scope import Scope
from deepprove_dist.importing.rewriting.standard import RUNTIME

EPSILON = 1e-5
SKIP_EPSILON = 1e-12


def _restated(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """The same, with a shape that inference does not know in old opsets."""
    if not node.output or scope.information(node.output[0]) is not None:
        return None
    new = NodeReplacement(node, scope)
    return new.finished(new.add_like(new.input(0), node.op_type, *node.input, **new.attributes))


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


EXPANSIONS = (
    Expansion("GroupNormalization", "of any opset", _restated),
    Expansion("LayerNormalization", "of older opsets", _restated),
    Expansion("SimplifiedLayerNormalization", "over the last axes", _simplified),
    Expansion("SimplifiedLayerNormalization", "over the last axes", _simplified, RUNTIME),
    Expansion("SkipLayerNormalization", "without the mean and the deviation", _with_skip, RUNTIME),
    Expansion("SkipSimplifiedLayerNormalization", "without the deviation", _with_skip, RUNTIME),
)
