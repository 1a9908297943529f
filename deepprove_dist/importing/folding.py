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

# Their result depends on their input's shape alone.
SHAPE_ONLY = ("Shape", "Size")

# All of the standard's operators whose result is not a function of their inputs.
RANDOM = (
    "Bernoulli",
    "Dropout",
    "Multinomial",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
)


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


def static_shapes(model: onnx.ModelProto) -> Mapping[str, Shape]:
    """The known shapes of inputs and computed tensors by name."""
    shapes = {}
    for value in (*model.graph.input, *model.graph.value_info, *model.graph.output):
        tensor = value.type.tensor_type
        if tensor.HasField("shape") and all(size.HasField("dim_value") for size in tensor.shape.dim):
            shapes[value.name] = tuple(size.dim_value for size in tensor.shape.dim)
    return shapes


def drop_unused_nodes(model: onnx.ModelProto) -> None:
    """Removes the nodes that no output depends on."""
    graph = model.graph
    needed = {value.name for value in graph.output}
    kept: list[onnx.NodeProto] = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(_reads(node))
    del graph.node[:]
    graph.node.extend(reversed(kept))


def _reads(node: onnx.NodeProto) -> set[str]:
    """Names of tensors that a node reads, also in its subgraphs."""
    inner = [attribute.g for attribute in node.attribute if attribute.HasField("g")]
    inner += [graph for attribute in node.attribute for graph in attribute.graphs]
    names = {name for graph in inner for other in graph.node for name in _reads(other)}
    return names.union(node.input, *({value.name for value in graph.output} for graph in inner))


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
    if node.domain not in ("", "ai.onnx") or node.op_type in RANDOM or has_subgraph:
        return None
    arguments = {}
    for name in filter(None, node.input):
        if name in known:
            arguments[name] = known[name]
        elif node.op_type in SHAPE_ONLY and name in shapes:
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
