"""Scan over axes of known sizes: one copy of the body a step, which reads a slice of its scanned inputs."""

from typing import Any

import numpy as np
import onnx
from onnx import helper

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.scope import Scope, attribute_graph
from deepprove_dist.importing.expanding.stacking import identities, require_room, stacked


def _expand(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """The steps one after the other; None where their number is not known, or too large."""
    body, attributes = attribute_graph(node, "body"), _attributes(node)
    scanned_count = attributes.get("num_scan_inputs", 0)
    split = len(node.input) - scanned_count
    if body is None or scanned_count < 1 or split < 0 or len(body.input) != len(node.input):
        return None
    carried, scanned = list(node.input[:split]), node.input[split:]
    axes = attributes.get("scan_input_axes", [0] * scanned_count)
    backwards = attributes.get("scan_input_directions", [0] * scanned_count)
    shapes = [scope.known[name].shape if name in scope.known else scope.shapes.get(name) for name in scanned]
    if any(shape is None for shape in shapes):
        return None
    sizes = {shape[axis] for shape, axis in zip(shapes, axes, strict=True) if shape is not None}
    if len(sizes) != 1:
        return None
    (steps,) = sizes
    require_room(scope, steps, body)
    kept: list[onnx.NodeProto] = []
    stacks: list[list[str]] = [[] for _ in body.output[split:]]
    for step in range(steps):
        prefix = f"{node.name}/{step}"
        slices = []
        for tensor, axis, reverse in zip(scanned, axes, backwards, strict=True):
            position = np.array(steps - 1 - step if reverse else step, np.int64)
            index = scope.constant(f"{prefix}/index", position)
            slices.append(scope.fresh(f"{prefix}/{tensor}"))
            label = f"Gather of {slices[-1]}"
            gather = helper.make_node("Gather", [tensor, index], [slices[-1]], label, axis=axis)
            kept += scope.simplified([gather])
        nodes, outputs = scope.instantiate(body, (*carried, *slices), prefix)
        kept += scope.simplified(nodes)
        carried = outputs[:split]
        for stack, tensor in zip(stacks, outputs[split:], strict=True):
            stack.append(tensor)
    kept += identities(carried, node.output[:split])
    axes = attributes.get("scan_output_axes", [0] * len(stacks))
    backwards = attributes.get("scan_output_directions", [0] * len(stacks))
    for stack, target, axis, reverse in zip(stacks, node.output[split:], axes, backwards, strict=False):
        if target:
            kept += stacked(scope, stack[::-1] if reverse else stack, axis, target)
    return kept


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {
        attribute.name: helper.get_attribute_value(attribute)
        for attribute in node.attribute
        if attribute.name != "body"
    }


EXPANSIONS = (Expansion("Scan", "over inputs of shapes known before the model runs", _expand),)
