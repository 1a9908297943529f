"""Dropout in inference whose mask is read: it drops nothing, so the mask is true everywhere."""

import numpy as np
import onnx

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.scope import Scope

MASK = 1
"""The output's number."""


def _with_mask(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    if len(node.output) <= MASK or not scope.is_used(node.output[MASK]):
        return None
    training = new.value(new.input(2)) if new.input(2) else np.array(False)
    if training is None or training.any():
        return None
    mask = np.ones(new.shape(new.input(0)), dtype=np.bool_)
    return new.finished(new.input(0), {MASK: scope.constant(f"{node.name}/mask", mask)})


EXPANSIONS = (Expansion("Dropout", "in inference mode, with its mask", _with_mask),)
