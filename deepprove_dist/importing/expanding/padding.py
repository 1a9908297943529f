"""Padding that onnx and onnxruntime do not mean alike, stated so that both do.

Convolutions with automatic padding and dilations, which onnxruntime does not run, get explicit pads. The
output has ceil(size / stride) positions along an axis. Of an odd amount of padding the larger half goes after
the axis for SAME_UPPER, else before it.

A pool with ``ceil_mode`` has no window that begins in the padding after an axis. Before opset 22 onnx's shape
inference counts such windows. Without the padding that only they would reach there is none.
"""

from collections.abc import Callable, Sequence
from typing import Any

import onnx
from onnx import helper

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.rewriting.onnx_graph import static_shapes

MODES = (b"SAME_UPPER", b"SAME_LOWER")
POOLS = ("AveragePool", "LpPool", "MaxPool")

_Attributes = dict[str, Any]


def state_pads(model: onnx.ModelProto) -> None:
    """Gives such pads to the convolutions and pools that need them, where their input's shape is known."""
    kernels = {tensor.name: tuple(tensor.dims[2:]) for tensor in model.graph.initializer}

    def of_convolution(node: onnx.NodeProto, attributes: _Attributes, sizes: Shape) -> _Attributes | None:
        return _automatic(attributes, kernels.get(node.input[1], ()), sizes)

    def of_pool(node: onnx.NodeProto, attributes: _Attributes, sizes: Shape) -> _Attributes | None:
        return _without_windows_in_padding(attributes, sizes)

    _state(
        model, lambda node, attributes: node.op_type == "Conv" and _is_automatic(attributes), of_convolution
    )
    # The shapes after a pool follow from its windows.
    while _state(
        model, lambda node, attributes: node.op_type in POOLS and _is_ceiled(attributes), of_pool, 1
    ):
        pass


def _state(
    model: onnx.ModelProto,
    concerns: Callable[[onnx.NodeProto, _Attributes], bool],
    stating: Callable[[onnx.NodeProto, _Attributes, Shape], _Attributes | None],
    most: int | None = None,
) -> bool:
    """States pads for so many of the nodes that are concerned; whether there were any."""
    pairs = [(node, _attributes(node)) for node in model.graph.node]
    pairs = [pair for pair in pairs if concerns(*pair)]
    if not pairs:
        return False
    shapes = static_shapes(onnx.shape_inference.infer_shapes(model, data_prop=True))
    stated = ((node, stating(node, values, shapes.get(node.input[0], ())[2:])) for node, values in pairs)
    changed = [(node, values) for node, values in stated if values is not None][:most]
    for node, values in changed:
        kept = [attribute for attribute in node.attribute if attribute.name not in ("auto_pad", *values)]
        del node.attribute[:]
        node.attribute.extend([*kept, *(helper.make_attribute(*pair) for pair in values.items())])
    return bool(changed)


def _is_automatic(attributes: _Attributes) -> bool:
    dilated = any(dilation > 1 for dilation in attributes.get("dilations", ()))
    return dilated and attributes.get("auto_pad") in MODES


def _is_ceiled(attributes: _Attributes) -> bool:
    return bool(attributes.get("ceil_mode", 0)) and attributes.get("auto_pad") in (None, b"NOTSET")


def _attributes(node: onnx.NodeProto) -> _Attributes:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _window(
    attributes: _Attributes, kernel: Sequence[int], sizes: Shape
) -> list[tuple[int, int, int]] | None:
    """Size, extent of the window and stride of each axis; None where they do not fit each other."""
    kernel = attributes.get("kernel_shape", kernel)
    dilations = attributes.get("dilations", [1] * len(sizes))
    strides = attributes.get("strides", [1] * len(sizes))
    if not sizes or {len(kernel), len(dilations), len(strides)} != {len(sizes)} or min(strides) < 1:
        return None
    extents = [(width - 1) * dilation + 1 for width, dilation in zip(kernel, dilations, strict=True)]
    return list(zip(sizes, extents, strides, strict=True))


def _automatic(attributes: _Attributes, kernel: Sequence[int], sizes: Shape) -> _Attributes | None:
    axes = _window(attributes, kernel, sizes)
    if axes is None:
        return None
    totals = [max((-(-size // stride) - 1) * stride + extent - size, 0) for size, extent, stride in axes]
    small, large = [total // 2 for total in totals], [total - total // 2 for total in totals]
    return {"pads": [*small, *large] if attributes["auto_pad"] == MODES[0] else [*large, *small]}


def _without_windows_in_padding(attributes: _Attributes, sizes: Shape) -> _Attributes | None:
    """A pool's attributes with pads that the last windows inside reach; None where no window is outside."""
    axes, pads = _window(attributes, (), sizes), attributes.get("pads", [0] * (2 * len(sizes)))
    if axes is None or len(pads) != 2 * len(sizes):
        return None
    before, after = pads[: len(sizes)], pads[len(sizes) :]
    reached, outside = [], False
    for (size, extent, stride), first, end in zip(axes, before, after, strict=True):
        stated, inside = -(-(first + size + end - extent) // stride), (size + first - 1) // stride
        reached.append(max(min(stated, inside) * stride + extent - first - size, 0))
        outside |= stated > inside
    if not outside:
        return None
    if attributes.get("count_include_pad", 0):
        # What is padded beyond the stated pads does not count.
        kept = [min(pair) for pair in zip(after, reached, strict=True)]
        beyond = kept != reached
        return None if beyond and kept == after else {"pads": [*before, *kept], "ceil_mode": int(beyond)}
    return {"pads": [*before, *reached], "ceil_mode": 0}
