"""Outputs of classifiers as statements can hold them.

A ZipMap only names the columns of a tensor: that tensor is the output, under the same name. Labels that are
texts are left out, where there are other outputs: the index of the largest score says the same.
"""

import onnx

from deepprove_dist.importing.rewriting.standard import CLASSICAL, NATIVE_OPSET, STANDARD

NAMES_OF_COLUMNS = "ZipMap"


def make_plain(model: onnx.ModelProto) -> None:
    """Gives a model outputs that are tensors of numbers, as far as it has such."""
    graph = model.graph
    for node in graph.node:
        if (node.domain, node.op_type) == (CLASSICAL, NAMES_OF_COLUMNS):
            node.op_type, node.domain = "Identity", STANDARD[0]
            del node.attribute[:]
            _import_standard(model)
            for value in graph.output:
                if value.name in node.output:
                    value.ClearField("type")
                    value.type.tensor_type.SetInParent()
    texts = [value for value in graph.output if _kind(value) == onnx.TensorProto.STRING]
    if len(texts) < len(graph.output):
        for value in texts:
            graph.output.remove(value)


def _kind(value: onnx.ValueInfoProto) -> int:
    return value.type.tensor_type.elem_type


def _import_standard(model: onnx.ModelProto) -> None:
    """Nodes of the standard need an opset of it."""
    if not any(opset.domain in STANDARD for opset in model.opset_import):
        model.opset_import.append(onnx.helper.make_opsetid(STANDARD[0], NATIVE_OPSET))
