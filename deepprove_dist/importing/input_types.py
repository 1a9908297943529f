"""Whether the inputs of a node have the types that the standard states of its operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import onnx

from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.standard import STANDARD, type_name

ADVICE = "cast it before by a node Cast, or export the model with tensors of one type"
VARIADIC = onnx.defs.OpSchema.FormalParameterOption.Variadic


def require_types(node: onnx.NodeProto, opset: int, types: Mapping[str, int]) -> None:
    """Raises UnsupportedNodeError, naming the inputs, where a node of the standard breaks it.

    ``types`` are the ONNX element types of tensors that are known.
    """
    if not onnx.defs.has(node.op_type, opset, STANDARD[0]):
        return
    schema = onnx.defs.get_schema(node.op_type, opset, STANDARD[0])
    allowed = {item.type_param_str: item.allowed_type_strs for item in schema.type_constraints}
    bound: dict[str, str] = {}
    for name, formal in _pairs(node, schema):
        kind = types.get(name, 0)
        if not kind:
            continue
        choices = allowed.get(formal.type_str, (formal.type_str,))
        if _text(kind) not in choices:
            raise UnsupportedNodeError(
                f"its input '{name}' holds {type_name(kind)} values",
                f"{node.op_type} of the types that opset {opset} states for it",
                ADVICE,
            )
        first = bound.setdefault(formal.type_str, name)
        if formal.is_homogeneous and types[first] != kind:
            raise UnsupportedNodeError(
                f"its inputs '{first}' and '{name}' have different types, {type_name(types[first])} and "
                f"{type_name(kind)}",
                "inputs of one type",
                ADVICE,
            )


def _pairs(
    node: onnx.NodeProto, schema: onnx.defs.OpSchema
) -> Iterator[tuple[str, onnx.defs.OpSchema.FormalParameter]]:
    """The inputs that a node has, each with what the standard says of it; the last one may repeat."""
    formals = schema.inputs
    for index, name in enumerate(node.input):
        if index < len(formals):
            formal = formals[index]
        elif formals and formals[-1].option == VARIADIC:
            formal = formals[-1]
        else:
            return
        if name:
            yield name, formal


def _text(kind: int) -> str:
    """An ONNX element type as schemas write it: tensor(float)."""
    return f"tensor({type_name(kind).lower()})"
