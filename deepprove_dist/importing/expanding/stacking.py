"""Nodes that several expansions write: other names for tensors, and tensors side by side along a new axis."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper

from deepprove_dist.importing.expanding.scope import MOST_NODES, Scope
from deepprove_dist.importing.rewriting.onnx_graph import all_nodes
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError

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
    """Nodes that put tensors of one shape side by side along a new axis; of no tensors it is empty."""
    if not tensors:
        return identities([_empty(scope, axis, target)], [target])
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


def _empty(scope: Scope, axis: int, target: str) -> str:
    """A constant without values, of the type and the shape that a tensor has but for this axis."""
    graph = scope.model.graph
    values = (value for value in (*graph.value_info, *graph.output) if value.name == target)
    tensor = next(values, onnx.ValueInfoProto()).type.tensor_type
    sizes = list(tensor.shape.dim)
    if not tensor.elem_type or not -len(sizes) <= axis < len(sizes):
        raise UnsupportedNodeError(f"it runs no step, and nothing says of which shape '{target}' is then")
    others = [size for number, size in enumerate(sizes) if number != axis % len(sizes)]
    if not all(size.HasField("dim_value") for size in others):
        raise UnsupportedNodeError(f"it runs no step, and nothing says of which shape '{target}' is then")
    shape = [size.dim_value for size in others]
    shape.insert(axis % len(sizes), 0)
    kind = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    return scope.constant(f"{target}/empty", np.zeros(shape, kind))


def require_room(scope: Scope, steps: int | None, body: onnx.GraphProto, done: int = 0) -> None:
    """Raises UnsupportedNodeError where so many steps are more nodes than a model may have.

    ``steps`` is None where they have no end. ``done`` were written out before, and others may follow.
    """
    count = sum(1 for _ in all_nodes(body))
    if steps is None or steps * count > scope.room:
        often = "without end" if steps is None else f"{steps + done} times" + (" or more" if done else "")
        raise UnsupportedNodeError(
            f"it runs its {count} nodes {often}",
            f"loops that are written out to {MOST_NODES} nodes at most",
            "let each sample take fewer steps, or prove the steps one by one as a model of their own",
        )
