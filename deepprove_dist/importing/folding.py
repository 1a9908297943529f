"""Constant folding.

With static input shapes, what exporters compute from a shape (Shape, Gather, Concat before a Reshape) is
constant. So are the conditions and trip counts that depend on it. Shape inference, folding and the writing
out of subgraphs take turns until nothing changes: each makes the others see further.
"""

from typing import Any

import numpy.typing as npt
import onnx
from onnx import numpy_helper

from deepprove_dist.importing.expanding.evaluation import evaluate_node
from deepprove_dist.importing.expanding.viewed_masks import view_bits
from deepprove_dist.importing.expansions import expand_nodes
from deepprove_dist.importing.rewriting.onnx_graph import drop_unused_nodes, has_schema, static_shapes
from deepprove_dist.importing.rewriting.standard import STANDARD
from deepprove_dist.importing.rewriting.stored_constants import read_constant
from deepprove_dist.importing.standard_functions import write_out_functions


def fold_constants(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the model, shapes inferred, without foldable nodes and nodes that no output needs.

    Results are initializers. What runs a known number of times is written out.
    """
    folded = onnx.ModelProto()
    folded.CopyFrom(model)
    if not any(opset.domain in STANDARD for opset in folded.opset_import):
        # Nodes of other domains are written out in the standard's.
        folded.opset_import.append(onnx.helper.make_opsetid(STANDARD[0], onnx.defs.onnx_opset_version()))
    while True:
        # Inference knows nothing of other domains, and of operators that the opset does not have. What is
        # stated of their outputs stays.
        others = {name for node in folded.graph.node if _is_foreign(node, folded) for name in node.output}
        stated = [value for value in folded.graph.value_info if value.name in others]
        del folded.graph.value_info[:]
        folded.graph.value_info.extend(stated)
        for value in folded.graph.output:
            if value.name not in others:
                value.ClearField("type")
        folded = onnx.shape_inference.infer_shapes(folded, data_prop=True)
        known = {tensor.name: read_constant(tensor) for tensor in folded.graph.initializer}
        changed = _fold_once(folded, known) | expand_nodes(folded, known)
        if not changed and not write_out_functions(folded) and not view_bits(folded, known):
            drop_unused_nodes(folded)
            return folded


def _is_foreign(node: onnx.NodeProto, model: onnx.ModelProto) -> bool:
    return node.domain not in STANDARD or not has_schema(node, model)


def _fold_once(model: onnx.ModelProto, known: dict[str, npt.NDArray[Any]]) -> bool:
    """Computes what is constant; whether anything is. It is ``known`` from then on."""
    graph = model.graph
    shapes = static_shapes(model)
    kept = []
    for node in graph.node:
        values = evaluate_node(node, known, shapes, model)
        if values is None:
            kept.append(node)
            continue
        known |= values
        graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in values.items())
    changed = len(kept) < len(graph.node)
    del graph.node[:]
    graph.node.extend(kept)
    return changed
