"""Nodes that several expansions write: other names for tensors, and tensors side by side along a new axis."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper

from deepprove_dist.importing.expanding.scope import Scope

# The first opset in which the axes of Squeeze and Unsqueeze are an input.
AXES_AS_INPUT = 13


def identities(sources: Sequence[str], targets: Sequence[str]) -> list[onnx.NodeProto]:
    """Nodes that give tensors other names, where these have any."""
    return [
        helper.make_node("Identity", [source], [target], f"Identity of {target}")
        for source, target in zip(sources, targets, strict=False)
        if target
    ]


def stacked(scope: Scope, tensors: list[str], axis: int, target: str) -> list[onnx.NodeProto]:
    """Nodes that put tensors of one shape side by side along a new axis."""
    nodes, parts = [], []
    axes: dict[str, Any] = {}
    inputs: list[str] = []
    if scope.opset < AXES_AS_INPUT:
        axes = {"axes": [axis]}
    else:
        inputs = [scope.constant(f"{target}/axis", np.array([axis], np.int64))]
    for index, tensor in enumerate(tensors):
        parts.append(scope.fresh(f"{target}/{index}"))
        name = f"Unsqueeze of {parts[-1]}"
        nodes.append(helper.make_node("Unsqueeze", [tensor, *inputs], [parts[-1]], name, **axes))
    return [*nodes, helper.make_node("Concat", parts, [target], f"Concat of {target}", axis=axis)]
