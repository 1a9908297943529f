"""Convolutions with automatic padding and dilations, stated with explicit pads: onnxruntime runs no others.

The output has ceil(size / stride) positions along an axis. Of an odd amount of padding the larger half goes
after the axis for SAME_UPPER, else before it.
"""

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import helper

from deepprove_dist.importing.rewriting.onnx_graph import static_shapes

MODES = (b"SAME_UPPER", b"SAME_LOWER")


def state_pads(model: onnx.ModelProto) -> None:
    """Gives explicit pads to the convolutions that need them, where their input's shape is known."""
    nodes = [node for node in model.graph.node if node.op_type == "Conv" and _is_automatic(_attributes(node))]
    if not nodes:
        return
    shapes = static_shapes(onnx.shape_inference.infer_shapes(model, data_prop=True))
    kernels = {tensor.name: tuple(tensor.dims[2:]) for tensor in model.graph.initializer}
    for node in nodes:
        attributes = _attributes(node)
        sizes = shapes.get(node.input[0], ())[2:]
        kernel = tuple(attributes.get("kernel_shape", kernels.get(node.input[1], ())))
        dilations = attributes["dilations"]
        strides = attributes.get("strides", [1] * len(sizes))
        if not sizes or {len(kernel), len(dilations), len(strides)} != {len(sizes)} or min(strides) < 1:
            continue
        extents = [(width - 1) * dilation + 1 for width, dilation in zip(kernel, dilations, strict=True)]
        pads = _pads(sizes, extents, strides, upper=attributes["auto_pad"] == MODES[0])
        kept = [attribute for attribute in node.attribute if attribute.name not in ("auto_pad", "pads")]
        del node.attribute[:]
        node.attribute.extend([*kept, helper.make_attribute("pads", pads)])


def _is_automatic(attributes: dict[str, Any]) -> bool:
    dilated = any(dilation > 1 for dilation in attributes.get("dilations", ()))
    return dilated and attributes.get("auto_pad") in MODES


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _pads(sizes: Sequence[int], extents: Sequence[int], strides: Sequence[int], *, upper: bool) -> list[int]:
    small, large = [], []
    for size, extent, stride in zip(sizes, extents, strides, strict=True):
        total = max((-(-size // stride) - 1) * stride + extent - size, 0)
        small.append(total // 2)
        large.append(total - total // 2)
    return [*small, *large] if upper else [*large, *small]
