"""Random convolutional integer networks for property tests.

They have any geometry, several consumers of one tensor, and transpositions, also of accumulators. Reshapes
cut and join axes anywhere. They hold what is lowered: layers with weights and max pools read no accumulators.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import prod
from typing import ClassVar

from hypothesis import strategies as st

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.operators.window import Window
from tests.lowering.networks import Network

INPUT_SHAPES = st.sampled_from(
    (
        (1, 1, 5, 5),
        (1, 2, 4, 6),
        (1, 3, 7, 5),
        (1, 4, 6, 3),
        (1, 6, 1, 5),
        (1, 8, 1, 1),
        (1, 3, 8),
        (1, 1, 1),
    )
)
INPUT_RANGES = st.sampled_from(((-128, 127), (0, 255), (-8, 7), (3, 9), (5, 5)))
LARGEST_TENSOR = 600
WIDEST = 1 << 11
"""Of an interval that a layer reads."""


@st.composite
def networks(draw: st.DrawFn) -> IntegerModel:
    """Up to five layers, each on any tensors before it; the last and some others are outputs."""
    network = Network(draw(INPUT_SHAPES), draw(st.integers(0, 2**32 - 1)), draw(INPUT_RANGES))
    values = _Values(network, ["x"], ["x"])
    for _ in range(draw(st.integers(1, 5))):
        layer: Callable[[st.DrawFn, _Values], None] = draw(st.sampled_from(LAYERS))
        layer(draw, values)
    outputs = draw(st.lists(st.sampled_from(values.readable + values.accumulators), max_size=2))
    last = (values.accumulators + values.readable)[-1]
    return network.model(*dict.fromkeys((*outputs, last)))


@dataclass
class _Values:
    """Tensors so far: those that any layer reads, of these the images, and accumulators."""

    IMAGE_RANKS: ClassVar = (3, 4)

    network: Network
    readable: list[str]
    images: list[str]
    accumulators: list[str] = field(default_factory=list)

    def put(self, name: str) -> None:
        """A new value, requantised where it is wide."""
        low, high = self.network.interval(name)
        if high - low > WIDEST:
            name = self.network.relu(name)
        self.readable.append(name)
        shape = self.network.shape(name)
        if len(shape) in self.IMAGE_RANKS and shape[0] == 1:
            self.images.append(name)

    def accumulate(self, draw: st.DrawFn, name: str) -> None:
        """A new accumulator: alone, or on its way to its requantisation."""
        self.accumulators.append(name)
        if draw(st.integers(0, 3)):
            self.put(self.network.relu(name))


@dataclass(frozen=True)
class _Slide:
    """A random window over an image, and the places of its output."""

    image: str
    kernel: Shape
    strides: Shape
    pads: Shape
    dilations: Shape
    places: Shape


def _slide(draw: st.DrawFn, values: _Values) -> _Slide | None:
    """None where it would not fit the image, or make a large one."""
    image = draw(st.sampled_from(values.images))
    _, channels, *spatial = values.network.shape(image)

    def per_axis(*choices: int, times: int = 1) -> Shape:
        count = times * len(spatial)
        return tuple(draw(st.lists(st.sampled_from(choices), min_size=count, max_size=count)))

    kernel = tuple(draw(st.sampled_from((1, 2, 3, size))) for size in spatial)
    strides, dilations, pads = per_axis(1, 1, 2, 3), per_axis(1, 1, 2), per_axis(0, 0, 1, 2, times=2)
    try:
        places = Window(kernel, strides, pads, dilations).output(tuple(spatial))
    except ModelError:
        return None
    if channels * prod(places) > LARGEST_TENSOR:
        return None
    return _Slide(image, kernel, strides, pads, dilations, places)


def _convolution(draw: st.DrawFn, values: _Values) -> None:
    """Plain, grouped or depthwise; sometimes with another one, or a tensor, added before it is rescaled."""
    window = _slide(draw, values)
    if window is None:
        return
    network, channels = values.network, values.network.shape(window.image)[1]
    groups = draw(st.sampled_from([g for g in range(1, channels + 1) if channels % g == 0]))
    weight = (groups * draw(st.integers(1, 3)), channels // groups, *window.kernel)
    added = []
    for _ in range(draw(st.sampled_from((1, 1, 2)))):
        geometry = {"strides": window.strides, "pads": window.pads, "dilations": window.dilations}
        added.append(network.conv(window.image, weight, groups=groups, **geometry))
    shape = network.shape(added[0])
    residual = [name for name in values.images if network.shape(name) == shape]
    added += draw(st.lists(st.sampled_from(residual), max_size=2)) if residual else []
    values.accumulate(draw, _total(draw, network, added) if len(added) > 1 else added[0])


def _total(draw: st.DrawFn, network: Network, names: list[str]) -> str:
    multipliers = tuple(draw(st.sampled_from((1, -1, 0, 3, 17))) for _ in names)
    constant = draw(st.integers(-100, 100))
    return network.node("weighted_sum", tuple(names), {"multipliers": multipliers, "constant": constant})


def _max_pool(draw: st.DrawFn, values: _Values) -> None:
    window = _slide(draw, values)
    if window is not None and prod(window.kernel) <= 16:
        pool = values.network.max_pool(
            window.image, window.kernel, window.strides, window.pads, window.dilations
        )
        values.put(pool)


def _sum_pool(draw: st.DrawFn, values: _Values) -> None:
    window = _slide(draw, values)
    if window is not None:
        weights = [tuple(draw(st.integers(-1, 3)) for _ in range(places)) for places in window.places]
        geometry = (window.kernel, window.strides, window.pads, weights, window.dilations)
        values.put(values.network.sum_pool(window.image, *geometry))


def _sum(draw: st.DrawFn, values: _Values) -> None:
    """Tensors of one size, accumulators too, reshaped to the first one's shape; one may be there twice."""
    network, names = values.network, values.readable + values.accumulators
    shape = network.shape(draw(st.sampled_from(names)))
    same = [name for name in names if prod(network.shape(name)) == prod(shape)]
    chosen = draw(st.lists(st.sampled_from(same), min_size=1, max_size=3))
    reshaped = [
        name if network.shape(name) == shape else network.node("reshape", (name,), {"shape": shape})
        for name in chosen
    ]
    put = values.put if set(chosen).isdisjoint(values.accumulators) else partial(values.accumulate, draw)
    put(_total(draw, network, reshaped))


def _concat(draw: st.DrawFn, values: _Values) -> None:
    network, first = values.network, draw(st.sampled_from(values.images))
    shape = network.shape(first)
    axis = draw(st.integers(1, len(shape) - 1))
    fitting = [
        name
        for name in values.images
        if len(network.shape(name)) == len(shape)
        and all(a == b for k, (a, b) in enumerate(zip(network.shape(name), shape, strict=True)) if k != axis)
    ]
    chosen = (first, *draw(st.lists(st.sampled_from(fitting), max_size=2)))
    if sum(prod(network.shape(name)) for name in chosen) <= LARGEST_TENSOR:
        values.put(network.node("concat", chosen, {"axis": axis}))


def _pad(draw: st.DrawFn, values: _Values) -> None:
    image = draw(st.sampled_from(values.images))
    shape = values.network.shape(image)
    pads = [draw(st.sampled_from((0, 0, 1, 2))) for _ in range(2 * len(shape))]
    pads[0] = pads[len(shape)] = 0
    sizes = [s + a + b for s, a, b in zip(shape, pads[: len(shape)], pads[len(shape) :], strict=True)]
    if prod(sizes) <= LARGEST_TENSOR:
        values.put(values.network.node("pad", (image,), {"pads": tuple(pads)}))


def _transpose(draw: st.DrawFn, values: _Values) -> None:
    image = draw(st.sampled_from(values.images))
    order = draw(st.permutations(range(1, len(values.network.shape(image)))))
    values.put(values.network.node("transpose", (image,), {"permutation": (0, *order)}))


def _reshape(draw: st.DrawFn, values: _Values) -> None:
    """An axis of size 1 put in, or neighbouring axes joined."""
    image = draw(st.sampled_from(values.images))
    shape = values.network.shape(image)
    if len(shape) == 3 and draw(st.booleans()):
        axis = draw(st.integers(2, 3))
        target = (*shape[:axis], 1, *shape[axis:])
    else:
        axis = draw(st.integers(1, len(shape) - 1))
        target = (*shape[:axis], prod(shape[axis:]))
    values.put(values.network.node("reshape", (image,), {"shape": target}))


def _shape(draw: st.DrawFn, size: int, rank: int) -> Shape:
    """Any dimensions of so many elements."""
    sizes = []
    for _ in range(rank - 1):
        sizes.append(draw(st.sampled_from([k for k in range(1, size + 1) if size % k == 0])))
        size //= sizes[-1]
    return (*sizes, size)


def _shuffle(draw: st.DrawFn, values: _Values) -> None:
    """Axes cut anywhere, transposed and joined again, of any tensor; perhaps an accumulator."""
    network = values.network
    name = draw(st.sampled_from(values.readable + values.accumulators))
    size = prod(network.shape(name))
    shape = _shape(draw, size, draw(st.integers(1, 4)))
    cut = network.node("reshape", (name,), {"shape": (1, *shape)})
    order = draw(st.permutations(range(1, 1 + len(shape))))
    moved = network.node("transpose", (cut,), {"permutation": (0, *order)})
    target = (1, *_shape(draw, size, draw(st.sampled_from((1, 2, 3, 3)))))
    result = network.node("reshape", (moved,), {"shape": target})
    if name in values.accumulators:
        values.accumulate(draw, result)
    else:
        values.put(result)


def _dense(draw: st.DrawFn, values: _Values) -> None:
    """On the last dimension, or on all; a reshape of its accumulator is one."""
    network, x = values.network, draw(st.sampled_from(values.readable))
    outputs = draw(st.sampled_from((1, 2, 5, 8)))
    if draw(st.booleans()):
        result = network.dense(x, outputs)
    else:
        result = network.linear("dense", x, (outputs, network.shape(x)[-1]), {})
    if draw(st.booleans()):
        shape = network.shape(result)
        result = network.node("reshape", (result,), {"shape": (prod(shape[:-1]), shape[-1])})
    values.accumulate(draw, result)


LAYERS = (
    _convolution,
    _convolution,
    _convolution,
    _max_pool,
    _sum_pool,
    _sum,
    _concat,
    _pad,
    _transpose,
    _reshape,
    _shuffle,
    _shuffle,
    _dense,
)
