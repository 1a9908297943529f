"""Whether a file keeps to the ONNX standard, as onnx's checker says, and what is wrong in one sentence.

onnxruntime takes some files that the checker does not: with outputs without shapes, or with operators of a
newer opset. These are looked at later, with everything else that is in the way.
"""

import re
from pathlib import Path

import onnx
from onnx.external_data_helper import uses_external_data

from deepprove_dist.errors import ModelError
from deepprove_dist.importing.contradiction import plain
from deepprove_dist.importing.rewriting.onnx_graph import all_nodes, has_schema
from deepprove_dist.importing.rewriting.standard import STANDARD

MOST_NAMED = 3
"""Of nodes among which one is meant."""

# A domain of which the checker knows nothing.
UNCHECKED_DOMAIN = "unchecked"

_CONTEXT = re.compile(r"\s*==> Context: Bad node spec for node\. Name: (.*?) OpType: (\w+)\s*$", re.DOTALL)
_MORE_CONTEXT = re.compile(r"\s*==> Context:.*$", re.DOTALL)
_COUNT = re.compile(
    r"Node with schema\(.*?\) has (input|output) size (\d+) not in range \[min=(\d+), max=(\d+)\]"
)
_DEPRECATED = re.compile(r"Op registered for \w+ is deprecated in domain_version of (\d+)")
_TWICE = re.compile(r"single static assignment \(SSA\) form, however '(.*?)' has been used")
_NO_OPSET = re.compile(r"No opset import for domain '(.*?)'")
_NOT_SORTED = re.compile(r"Nodes in a graph must be topologically sorted.*?input '(.*?)' of node:", re.DOTALL)


def check_model(model: onnx.ModelProto, source: Path | onnx.ModelProto) -> None:
    """Checks the model in ``source``. Gives outputs of ``model`` that state no shape an empty one.

    Raises what onnx's checker raises.
    """
    complete = not _complete_outputs(model)
    shapeless = [value.type.tensor_type for value in model.graph.input if is_shapeless(value)]
    if any(not value.type.WhichOneof("value") for value in model.graph.input):
        return
    unknown = [node for node in all_nodes(model.graph) if _is_unknown(node, model)]
    # Of constants that are mapped from files, what read them has checked the lengths.
    mapped = any(map(uses_external_data, model.graph.initializer))
    if complete and not shapeless and not unknown and not mapped:
        onnx.checker.check_model(source)
    elif model.ByteSize() <= onnx.checker.MAXIMUM_PROTOBUF:
        onnx.checker.check_model(_checkable(model))


def is_shapeless(value: onnx.ValueInfoProto) -> bool:
    """Whether an input is a tensor without a shape."""
    return value.type.HasField("tensor_type") and not value.type.tensor_type.HasField("shape")


def broken(error: Exception, where: str = "the model", model: onnx.ModelProto | None = None) -> ModelError:
    """The error for what the checker, or whatever reads a file, says of it.

    ``model`` tells what nodes without a name compute.
    """
    if isinstance(error, OSError) and error.filename is not None:
        return ModelError(_unreadable(error, where))
    text = str(error)
    if (missing := _NOT_SORTED.search(text)) is not None:
        return ModelError(f"{where}: a node reads '{missing[1]}', which no node before it computes")
    if (twice := _TWICE.search(text)) is not None:
        return ModelError(f"{where}: '{twice[1]}' is computed, or stated, more than once")
    if (at := _CONTEXT.search(text)) is not None:
        name, operator = at.groups()
        node = f"{operator} '{name}'" if name else _nameless(operator, model)
        why = _COUNT.sub(r"it has \2 \1s; the standard allows \3 to \4", plain(_MORE_CONTEXT.sub("", text)))
        why = _NO_OPSET.sub(
            r"the model states no opset of its domain '\1'; add one to the model's opset_import", why
        )
        why = _DEPRECATED.sub(r"opset \1 does not have it; export the model with another opset", why)
        return ModelError(f"{where}: {node} breaks the ONNX standard: {why}")
    return ModelError(f"{where} is not a valid ONNX model: {plain(_MORE_CONTEXT.sub('', text))}")


def _nameless(operator: str, model: onnx.ModelProto | None) -> str:
    """What to call a node without a name: by what it computes, where there are few that it may be."""
    nodes = [] if model is None else [node for node in all_nodes(model.graph) if node.op_type == operator]
    outputs = [node.output[0] for node in nodes if not node.name and node.output]
    if not 1 <= len(outputs) <= MOST_NAMED:
        return f"a node {operator} without a name"
    return f"{operator} of " + " or ".join(f"'{output}'" for output in outputs)


def _unreadable(error: OSError, where: str) -> str:
    """What is wrong with a file that cannot be read: the model's, or one that it keeps tensors in."""
    missing = isinstance(error, FileNotFoundError)
    why = "there is no such file" if missing else f"it cannot be read: {error.strerror or 'unknown'}"
    if str(error.filename) == where:
        return f"{where}: {why}"
    advice = "; keep it beside the model's file" if missing else ""
    return f"{where} keeps tensors in '{error.filename}', and {why}{advice}"


def _complete_outputs(model: onnx.ModelProto) -> bool:
    """Gives outputs that state no shape or type an empty one, which is inferred later; whether there are any.

    onnxruntime takes such models; onnx's checker does not.
    """
    incomplete = [value for value in model.graph.output if not value.type.tensor_type.HasField("shape")]
    for value in incomplete:
        value.type.tensor_type.shape.SetInParent()
        if not value.type.tensor_type.elem_type:
            value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    return bool(incomplete)


def _checkable(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy in which all inputs have a shape, and no node is of an operator that the opset does not have.

    Constants that are mapped from files are empty in it.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for value in filter(is_shapeless, copy.graph.input):
        value.type.tensor_type.shape.SetInParent()
    for node in [node for node in all_nodes(copy.graph) if _is_unknown(node, copy)]:
        node.domain = UNCHECKED_DOMAIN
    for tensor in filter(uses_external_data, copy.graph.initializer):
        tensor.CopyFrom(onnx.TensorProto(name=tensor.name, data_type=tensor.data_type, dims=[0]))
    copy.opset_import.append(onnx.helper.make_opsetid(UNCHECKED_DOMAIN, 1))
    return copy


def _is_unknown(node: onnx.NodeProto, model: onnx.ModelProto) -> bool:
    return node.domain in STANDARD and not has_schema(node, model)
