"""Windows as ONNX states them: defaults, automatic padding and ceil_mode become plain padding."""

from collections.abc import Sequence
from dataclasses import replace

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.operators.window import LARGEST, Window

MODES = ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
WINDOW_ATTRIBUTES = frozenset({"auto_pad", "dilations", "kernel_shape", "pads", "strides"})


def stated_window(node: OnnxNode, graph: GraphBuilder, kernel: Sequence[int]) -> Window:
    """The window of a node over its first input, with the padding that it states or asks for."""
    spatial = graph.spatial(node.input(0))
    rank = len(spatial)
    if max(kernel, default=1) > LARGEST:
        raise UnsupportedNodeError(
            f"its kernel is {list(kernel)}", f"kernels of at most {LARGEST} along an axis"
        )
    if len(kernel) != rank or tuple(node.attributes.get("kernel_shape", kernel)) != tuple(kernel):
        raise UnsupportedNodeError(f"its kernel {tuple(kernel)} does not fit an input with axes {spatial}")
    strides = _sizes(node, "strides", rank, 1)
    dilations = _sizes(node, "dilations", rank, 1)
    window = Window(tuple(kernel), strides, _sizes(node, "pads", 2 * rank, 0), dilations)
    mode = _mode(node)
    if mode == "VALID":
        window = replace(window, pads=(0,) * (2 * rank))
    elif mode != "NOTSET":
        if any(dilation != 1 for dilation in dilations):
            # onnxruntime refuses such convolutions, and pools otherwise than the standard says.
            raise UnsupportedNodeError(
                f"its auto_pad is {mode} and its dilations are {list(dilations)}",
                "auto_pad without dilations, or explicit pads",
                "export the node with explicit pads",
            )
        window = replace(window, pads=_same(window, spatial, upper=mode == "SAME_UPPER"))
    try:
        window.output(spatial)
    except ModelError as error:
        raise UnsupportedNodeError(str(error)) from error
    return window


def transposed_window(node: OnnxNode, graph: GraphBuilder, kernel: Sequence[int]) -> tuple[Window, Shape]:
    """The window of a transposed convolution, over its output's positions, and these.

    A mode or a shape of the output may ask for padding.
    """
    spatial, positions = graph.spatial(node.input(0)), graph.shape(node.output)[2:]
    rank = len(spatial)
    if len(kernel) != rank or tuple(node.attributes.get("kernel_shape", kernel)) != tuple(kernel):
        raise UnsupportedNodeError(f"its kernel {tuple(kernel)} does not fit an input with axes {spatial}")
    strides, dilations = (_sizes(node, name, rank, 1) for name in ("strides", "dilations"))
    window = Window(tuple(kernel), strides, _sizes(node, "pads", 2 * rank, 0), dilations)
    further = _sizes(node, "output_padding", rank, 0)
    mode = _mode(node)
    if mode == "VALID" and "output_shape" not in node.attributes:
        window = replace(window, pads=(0,) * (2 * rank))
    elif mode != "NOTSET" and any(further) and "output_shape" not in node.attributes:
        # onnxruntime leaves the further positions out.
        raise UnsupportedNodeError(
            f"its auto_pad is {mode} and its output_padding is {list(further)}",
            "auto_pad without output_padding, or explicit pads",
            "export the node with explicit pads",
        )
    elif mode != "NOTSET" or "output_shape" in node.attributes:
        reach = zip(spatial, strides, further, window.extents, positions, strict=True)
        totals = [max(0, (n - 1) * stride + more + extent - size) for n, stride, more, extent, size in reach]
        small, large = [total // 2 for total in totals], [total - total // 2 for total in totals]
        window = replace(window, pads=(*small, *large) if mode == "SAME_UPPER" else (*large, *small))
    return window, positions


def single_window(kernel: Shape) -> Window:
    """A window that an axis has once, or that is one value wide there; () without spatial axes."""
    if max(kernel, default=1) > LARGEST:
        raise UnsupportedNodeError(f"its window is {kernel}", f"windows of up to {LARGEST} along an axis")
    ones = (1,) * len(kernel)
    return Window(kernel, ones, (0,) * (2 * len(kernel)), ones)


def covering(window: Window, spatial: Shape, positions: Shape) -> Window:
    """The window with as much more padding after each axis as the positions of a ``ceil_mode`` reach."""
    after = []
    for axis, (size, count) in enumerate(zip(spatial, positions, strict=True)):
        reach = (count - 1) * window.strides[axis] + window.extents[axis]
        after.append(max(window.after(axis), reach - size - window.before(axis)))
    wider = replace(window, pads=(*window.pads[: window.rank], *after))
    if wider.output(spatial) != positions:
        raise UnsupportedNodeError(f"its output's axes are {positions}, which its window does not explain")
    return wider


def counts(window: Window, axis: int, positions: int, first: int, last: int) -> tuple[int, ...]:
    """For each position of an axis of the output, how many taps of its window lie in [first, last).

    Raises UnsupportedNodeError where a window has none.
    """
    result = []
    for position in range(positions):
        start = window.strides[axis] * position - window.before(axis)
        taps = range(start, start + window.extents[axis], window.dilations[axis])
        result.append(sum(first <= tap < last for tap in taps))
    if min(result) == 0:
        raise UnsupportedNodeError("one of its windows lies outside its input")
    return tuple(result)


def _mode(node: OnnxNode) -> str:
    mode: str = node.attributes.get("auto_pad", b"NOTSET").decode()
    if mode not in MODES:
        raise UnsupportedNodeError(f"its auto_pad is '{mode}'", f"auto_pad of {', '.join(MODES)}")
    return mode


def _sizes(node: OnnxNode, attribute: str, count: int, least: int) -> tuple[int, ...]:
    """An attribute of ``count`` numbers, none below ``least``, which each is by default."""
    sizes = tuple(node.attributes.get(attribute, (least,) * count))
    if len(sizes) != count or min(sizes) < least or max(sizes) > LARGEST:
        raise UnsupportedNodeError(
            f"its {attribute} are {list(sizes)}", f"{count} {attribute} from {least} to {LARGEST}"
        )
    return sizes


def _same(window: Window, spatial: Shape, upper: bool) -> tuple[int, ...]:
    """Padding with which the output has ceil(size / stride) positions.

    Of an odd amount the larger half goes after the axis if ``upper``, else before it.
    """
    small, large = [], []
    for size, stride, extent in zip(spatial, window.strides, window.extents, strict=True):
        total = max((-(-size // stride) - 1) * stride + extent - size, 0)
        small.append(total // 2)
        large.append(total - total // 2)
    return (*small, *large) if upper else (*large, *small)
