"""Constant folding with ONNX's own reference evaluator.

With static input shapes, what exporters compute from a shape (Shape, Gather, Concat before a Reshape) is
constant. Shape inference and folding take turns until nothing more folds: each makes the other see further.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.rewriting.onnx_graph import drop_unused_nodes, static_shapes
from deepprove_dist.importing.rewriting.standard import STANDARD
from deepprove_dist.importing.rules import depends_on_shape, is_random


def fold_constants(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the model, shapes inferred, without foldable nodes and nodes that no output needs.

    Results are initializers.
    """
    folded = onnx.ModelProto()
    folded.CopyFrom(model)
    while True:
        del folded.graph.value_info[:]
        folded = onnx.shape_inference.infer_shapes(folded, data_prop=True)
        if not _fold_once(folded):
            drop_unused_nodes(folded)
            return folded


def _fold_once(model: onnx.ModelProto) -> bool:
    graph = model.graph
    known: dict[str, npt.NDArray[Any]] = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    shapes = static_shapes(model)
    kept = []
    for node in graph.node:
        values = _evaluate(node, known, shapes, model)
        if values is None:
            kept.append(node)
            continue
        known |= values
        graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in values.items())
    changed = len(kept) < len(graph.node)
    del graph.node[:]
    graph.node.extend(kept)
    return changed


def _evaluate(
    node: onnx.NodeProto,
    known: Mapping[str, npt.NDArray[Any]],
    shapes: Mapping[str, Shape],
    model: onnx.ModelProto,
) -> dict[str, npt.NDArray[Any]] | None:
    """The node's outputs if they are constant, else None."""
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
    single = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
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
