"""The outputs of a node whose inputs are constant, by ONNX's own reference evaluator."""

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.rewriting.standard import STANDARD
from deepprove_dist.importing.rules import depends_on_shape, evaluated_as, is_random

# Of a tensor that is computed in advance, or is an input.
MOST_VALUES = 2**28


def evaluate_node(
    node: onnx.NodeProto,
    known: Mapping[str, npt.NDArray[Any]],
    shapes: Mapping[str, Shape],
    model: onnx.ModelProto,
) -> dict[str, npt.NDArray[Any]] | None:
    """The node's outputs if they are constant, else None."""
    if any(prod(shapes.get(name, ())) > MOST_VALUES for name in node.output):
        return None
    has_subgraph = any(attribute.HasField("g") for attribute in node.attribute)
    if node.domain not in STANDARD or is_random(node.op_type) or has_subgraph:
        return None
    arguments = {}
    for name in filter(None, node.input):
        if name in known:
            arguments[name] = known[name]
        elif depends_on_shape(node.op_type) and name in shapes:
            # One zero seen under the whole shape: takes no memory.
            arguments[name] = np.broadcast_to(np.float32(0), shapes[name])
        else:
            return None
    graph = helper.make_graph(
        [node],
        "constant",
        [helper.make_empty_tensor_value_info(name) for name in arguments],
        [helper.make_empty_tensor_value_info(name) for name in node.output if name],
    )
    newer = evaluated_as(node.op_type)
    opsets = [helper.make_opsetid("", newer)] if newer else model.opset_import
    single = helper.make_model(graph, opset_imports=opsets, ir_version=model.ir_version)
    try:
        # What is not defined becomes NaN or infinity, which whoever reads the constant refuses by name.
        with np.errstate(all="ignore"):
            results = ReferenceEvaluator(single).run(None, arguments)
    except (
        Exception
    ):  # The evaluator raises errors of any type; a node it cannot run stays, and is reported later.
        return None
    if not all(isinstance(result, np.ndarray | np.generic) for result in results):
        return None
    names = [name for name in node.output if name]
    return {name: np.asarray(result) for name, result in zip(names, results, strict=True)}
