"""Resize by scales that give another size than the standard says: the size stands in their place.

A scale in float32, such as 19/13, times a size may be a whole number, and less than one where it is exact.
The first is what onnxruntime takes, and what exporters mean.
"""

import numpy as np
import onnx
from onnx import helper

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.scope import Scope

SCALES, SIZES = 2, 3
"""Inputs of a Resize."""


def _expand(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    scales = scope.known.get(node.input[SCALES]) if len(node.input) > SCALES else None
    shape, stated = (scope.shapes.get(name) for name in (node.input[0], node.output[0]))
    if scales is None or not scales.size or shape is None or stated is None:
        return None
    replacement = NodeReplacement(node, scope)
    attributes = replacement.attributes
    axes = attributes.get("axes", range(len(shape)))
    sizes = np.array([shape[axis] for axis in axes], np.float32)
    if sizes.shape != scales.shape:
        return None
    meant = (sizes * scales.astype(np.float32)).astype(np.int64)
    if meant.tolist() == [stated[axis] for axis in axes]:
        return None
    inputs = [*node.input[:SCALES], "", replacement.integers(meant)]
    return [helper.make_node("Resize", inputs, node.output, node.name, **attributes)]


EXPANSIONS = (Expansion("Resize", "by scales that are not as the standard rounds them", _expand),)
