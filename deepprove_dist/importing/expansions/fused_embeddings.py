"""EmbedLayerNormalization: rows of tables by tokens, positions and segments, summed and normalised."""

import onnx

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.expansions.fused_normalizations import SKIP_EPSILON
from deepprove_dist.importing.rewriting.standard import RUNTIME


def _expand(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    tokens, segments, words, positions, kinds, scale, shift = (new.input(index) for index in range(7))
    table = new.value(positions)
    if table is None:
        return None
    batch, length = new.shape(tokens)
    total = new.add("Gather", words, tokens, axis=0)
    if new.input(8):
        total = new.add("Add", total, new.add("Gather", positions, new.input(8), axis=0))
    else:
        total = new.add("Add", total, new.constant(table[:length], positions))
    if segments:
        total = new.add("Add", total, new.add("Gather", kinds, segments, axis=0))
    width = new.shape(words)[1]
    epsilon = new.attributes.get("epsilon", SKIP_EPSILON)
    result = new.add("LayerNormalization", total, scale, shift, axis=-1, epsilon=epsilon)
    scope.state(result, new.kind(words), (batch, length, width))
    further = {2: total}
    if mask := new.input(7):
        further[1] = new.add("ReduceSum", mask, new.integers([1]), keepdims=0)
    return new.finished(result, further)


EXPANSIONS = (Expansion("EmbedLayerNormalization", "with or without a mask", _expand, RUNTIME),)
