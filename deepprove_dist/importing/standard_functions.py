"""Operators that the standard defines by others: those without a rule are written out as it says."""

from typing import Any

import onnx
from onnx import inliner

from deepprove_dist.importing.expansions import find_expansion
from deepprove_dist.importing.mapping import name_nodes
from deepprove_dist.importing.rewriting.standard import STANDARD
from deepprove_dist.importing.rules import REFUSALS, RULES


def write_out_functions(model: onnx.ModelProto) -> bool:
    """Writes out the nodes of the main graph that have no rule, but a function; whether there were any."""
    operators = {node.op_type for node in model.graph.node if _has_function_alone(node, model)}
    if not operators:
        return False
    listed = [("", operator) for operator in sorted(operators)]
    try:
        inlined = inliner.inline_selected_functions(_typed(model), listed, inline_schema_functions=True)
    except RuntimeError:
        # A type that is not known, or attributes that contradict each other: the node stays, and is refused.
        return False
    if inlined.graph.node == model.graph.node:
        return False
    name_nodes(inlined)
    model.CopyFrom(inlined)
    return True


def _typed(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the types of its constants stated, which functions may ask for."""
    typed = onnx.ModelProto()
    typed.CopyFrom(model)
    known = {value.name for value in typed.graph.value_info}
    typed.graph.value_info.extend(
        onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        for tensor in typed.graph.initializer
        if tensor.name not in known
    )
    return typed


def _has_function_alone(node: onnx.NodeProto, model: onnx.ModelProto) -> bool:
    if node.domain not in STANDARD or node.op_type in RULES or node.op_type in REFUSALS:
        return False
    version = next((item.version for item in model.opset_import if item.domain in STANDARD), 0)
    if find_expansion(node) is not None or not onnx.defs.has(node.op_type, max_inclusive_version=version):
        return False
    # The stubs of onnx lack what says whether there is a function.
    schema: Any = onnx.defs.get_schema(node.op_type, version)
    return bool(schema.has_function or schema.has_context_dependent_function)
