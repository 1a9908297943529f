"""Views of masks: Reshape(Where(bit, -infinity, 0)) is Where(Reshape(bit), -infinity, 0).

PyTorch's attention writes masks of padding so. Infinite numbers have no integers, but bits do.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from deepprove_dist.importing.rewriting.onnx_graph import static_shapes, tensor_names

_VIEWS = ("Expand", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")


def view_bits(model: onnx.ModelProto, known: Mapping[str, npt.NDArray[Any]]) -> bool:
    """Moves the views of infinite numbers that bits decide to these bits; whether there are any.

    ``known`` has the values of constants.
    """
    graph, shapes, taken = model.graph, static_shapes(model), tensor_names(model)
    masks = {
        node.output[0]: node
        for node in graph.node
        if node.op_type == "Where" and _is_mask(node, known) and _keeps_shape(node, shapes)
    }
    nodes, changed = [], False
    for node in graph.node:
        mask = masks.get(node.input[0]) if node.op_type in _VIEWS else None
        bits, choices = (f"{node.output[0]}/{part}" for part in ("bits", "choices"))
        if mask is None or taken & {bits, f"{choices}/1", f"{choices}/2"}:
            nodes.append(node)
            continue
        view = onnx.NodeProto()
        view.CopyFrom(node)
        view.input[0], view.output[0], view.name = mask.input[0], bits, f"{node.name}/bits"
        numbers = [known[name].reshape(-1)[0] for name in mask.input[1:]]
        names = [f"{choices}/{index}" for index in (1, 2)]
        graph.initializer.extend(map(numpy_helper.from_array, map(np.asarray, numbers), names))
        masks[node.output[0]] = helper.make_node("Where", [bits, *names], [node.output[0]], node.name)
        nodes += [view, masks[node.output[0]]]
        known = {**known, **dict(zip(names, map(np.asarray, numbers), strict=True))}
        changed = True
    del graph.node[:]
    graph.node.extend(nodes)
    return changed


def _is_mask(node: onnx.NodeProto, known: Mapping[str, npt.NDArray[Any]]) -> bool:
    """Whether bits that are computed choose between two numbers, one of which is infinite."""
    condition, *names = node.input
    if condition in known or not known.keys() >= set(names):
        return False
    branches = [known[name] for name in names]
    uniform = all(values.size > 0 and (values == values.reshape(-1)[0]).all() for values in branches)
    return uniform and any(np.isinf(values).any() for values in branches)


def _keeps_shape(node: onnx.NodeProto, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    condition, result = (shapes.get(name) for name in (node.input[0], node.output[0]))
    return condition is not None and condition == result
