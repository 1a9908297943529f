"""The outputs of a node whose inputs are constant: as onnxruntime computes them.

ONNX's own reference evaluator computes what onnxruntime has no kernel for. It comes second, since it wraps
indices out of range. In long axes it takes wrong elements (GatherElements).
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
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
from deepprove_dist.onnx_runtime import onnxruntime

# Of a tensor that is computed in advance, or is an input.
MOST_VALUES = 2**28
SILENT = 4
"""Of onnxruntime's levels of messages."""


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
    is_shape_alone = False
    for name in filter(None, node.input):
        if name in known:
            arguments[name] = known[name]
        elif depends_on_shape(node.op_type) and name in shapes:
            # One zero seen under the whole shape: takes no memory.
            arguments[name] = np.broadcast_to(np.float32(0), shapes[name])
            is_shape_alone = True
        else:
            return None
    graph = helper.make_graph(
        [node],
        "constant",
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for name, value in arguments.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in node.output if name],
    )
    newer = evaluated_as(node.op_type)
    opsets = [helper.make_opsetid("", newer)] if newer else model.opset_import
    single = helper.make_model(graph, opset_imports=opsets, ir_version=model.ir_version)
    # onnxruntime takes no arrays of types that numpy does not have, such as integers of 4 bits.
    is_plain = all(value.dtype.isbuiltin == 1 for value in arguments.values())
    run = _by_runtime if is_plain and not is_shape_alone else _by_reference
    results = run(single, arguments)
    if results is None or not all(isinstance(result, np.ndarray | np.generic) for result in results):
        return None
    names = [name for name in node.output if name]
    return {name: np.asarray(result) for name, result in zip(names, results, strict=True)}


def _by_runtime(model: onnx.ModelProto, arguments: Mapping[str, npt.NDArray[Any]]) -> Sequence[Any] | None:
    """What a model of one node computes; None where it fails. Such a node stays, and is reported later."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    except Exception:  # onnxruntime's own errors derive from Exception only.
        return _by_reference(model, arguments)
    with suppress(Exception):
        return list(session.run(None, dict(arguments)))
    return None


def _by_reference(model: onnx.ModelProto, arguments: Mapping[str, npt.NDArray[Any]]) -> Sequence[Any] | None:
    # The evaluator raises errors of any type. What is not defined becomes NaN or infinity, which whoever
    # reads the constant refuses by name.
    with suppress(Exception), np.errstate(all="ignore"):
        return list(ReferenceEvaluator(model).run(None, dict(arguments)))
    return None
