"""Networks whose axes are cut, joined and put in another order, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from deepprove_dist.arrays import Shape
from deepprove_dist.model.integer_model import IntegerModel
from tests.lowering.networks import Network


def shuffled(network: Network, x: str, cut: Shape, order: Sequence[int], joined: Shape) -> str:
    """Reshape, transpose, reshape; `order` leaves the first dimension where it is."""
    x = network.node("reshape", (x,), {"shape": (1, *cut)})
    x = network.node("transpose", (x,), {"permutation": (0, *(1 + axis for axis in order))})
    return network.node("reshape", (x,), {"shape": (1, *joined)})


def channel_shuffle(requantised: bool) -> IntegerModel:
    """Channels of a grouped convolution, shuffled, then a depthwise one with two outputs a channel."""
    network = Network((1, 6, 4, 4))
    x = network.conv("x", (6, 3, 1, 1), groups=2)
    x = network.relu(x) if requantised else x
    x = shuffled(network, x, (2, 3, 4, 4), (1, 0, 2, 3), (6, 4, 4))
    x = x if requantised else network.relu(x)
    x = network.relu(network.conv(x, (12, 1, 3, 3), groups=6, pads=(1, 1, 1, 1)))
    return network.model(network.conv(x, (4, 6, 1, 1), groups=2))


def patches() -> IntegerModel:
    """An image in patches, as rows of a dense layer."""
    network = Network((1, 2, 4, 6))
    rows = shuffled(network, "x", (2, 2, 2, 3, 2), (1, 3, 0, 2, 4), (6, 8))
    hidden = network.relu(network.linear("dense", rows, (5, 8), {}))
    return network.model(network.node("transpose", (hidden,), {"permutation": (0, 2, 1)}))


def pixel_shuffle() -> IntegerModel:
    """Channels become places of an image: of an accumulator, then of its requantisation."""
    network = Network((1, 2, 3, 5))
    x = network.conv("x", (12, 2, 3, 3), pads=(1, 1, 1, 1))
    x = network.relu(shuffled(network, x, (3, 2, 2, 3, 5), (0, 3, 1, 4, 2), (3, 6, 10)))
    x = network.max_pool(x, (3, 3), (2, 2), (1, 1, 1, 1))
    return network.model(network.conv(x, (2, 3, 3, 3)))


def places_of_an_accumulator() -> IntegerModel:
    """Output places of a convolution's windows are cut: space to depth."""
    network = Network((1, 2, 5, 7))
    x = network.conv("x", (3, 2, 2, 2))
    return network.model(shuffled(network, x, (3, 2, 2, 3, 2), (0, 2, 4, 1, 3), (12, 2, 3)))


def window_over_joined_axes() -> IntegerModel:
    network = Network((1, 2, 3, 4))
    joined = network.node("reshape", ("x",), {"shape": (1, 2, 12)})
    return network.model(network.conv(joined, (2, 2, 3)))


def sum_of_other_axes() -> IntegerModel:
    """[2, 3] + 6, and an accumulator of axes that a tensor's have no common cut with."""
    network = Network((1, 2, 3))
    flat = network.node("reshape", ("x",), {"shape": (1, 6)})
    total = network.node(
        "weighted_sum", (flat, network.dense("x", 6)), {"multipliers": (2, 1), "constant": 3}
    )
    wide = network.node("reshape", (network.linear("dense", "x", (3, 3), {}),), {"shape": (1, 3, 2)})
    other = shuffled(network, "x", (2, 3), (1, 0), (3, 2))
    sums = network.node("weighted_sum", (other, wide), {"multipliers": (5, -1), "constant": 0})
    return network.model(total, sums)


def accumulators_without_common_axes() -> IntegerModel:
    """An accumulator with axes 2 and 3 is transposed as 3 x 2, requantised, padded and concatenated."""
    network = Network((1, 2, 3))
    wide = network.linear("dense", "x", (3, 3), {})
    turned = shuffled(network, wide, (3, 2), (1, 0), (2, 3))
    small = network.relu(turned)
    sums = network.node("weighted_sum", (turned, wide), {"multipliers": (3, -2), "constant": 1})
    padded = network.node("pad", (wide,), {"pads": (0, 1, 0, 0, 0, 2)})
    both = network.node("concat", (small, "x"), {"axis": 1})
    return network.model(turned, sums, padded, both)


def concatenated() -> IntegerModel:
    """Tensors whose other dimensions have different axes, with a common cut and without one."""
    network = Network((1, 4, 6))
    first = shuffled(network, "x", (4, 2, 3), (0, 2, 1), (4, 6))
    both = network.node("concat", (first, "x"), {"axis": 1})
    second = shuffled(network, "x", (4, 3, 2), (0, 2, 1), (4, 6))
    other = network.node("concat", (first, second, "x"), {"axis": 1})
    return network.model(both, other)


def cut_again() -> IntegerModel:
    """Rows cut as 2 x 3 and 3 x 2 in turn, with a window after it, and a group's channels."""
    network = Network((1, 6, 4))
    x = shuffled(network, "x", (2, 3, 4), (1, 2, 0), (6, 4))
    x = shuffled(network, x, (3, 2, 4), (1, 0, 2), (6, 4))
    x = network.node("pad", (x,), {"pads": (0, 1, 2, 0, 0, 1)})
    return network.model(network.conv(x, (7, 1, 2), groups=7, strides=(2,)))


NETWORKS: dict[str, Callable[[], IntegerModel]] = {
    "channel shuffle": lambda: channel_shuffle(True),
    "channel shuffle of an accumulator": lambda: channel_shuffle(False),
    "patches": patches,
    "pixel shuffle": pixel_shuffle,
    "places of an accumulator": places_of_an_accumulator,
    "window over joined axes": window_over_joined_axes,
    "sum of other axes": sum_of_other_axes,
    "accumulators without common axes": accumulators_without_common_axes,
    "concatenated": concatenated,
    "cut again": cut_again,
}
