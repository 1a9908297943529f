"""Scales by channel of what a gain computes, as that of a norm: y_c = s_c * u * integer, with s_c <= 1.

A gain multiplies each channel by a constant. With the gain over s_c, all channels reach equally far in the
same integers, and share one table. Dense layers that read them take s_c into their columns, and sums have a
weight for each channel. Real values stay what they are. A few channels that reach far no longer decide how
coarse all others are.

A model records the products u * s_c, and s_c has few bits. So what is recorded says what s_c is, exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

import numpy as np

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.operators.formats import HIDDEN
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.quantise.calibrate import ChannelEnds
from deepprove_dist.quantise.needs import NeededForms

UNLIKE = 0.5
"""Channels differ enough where the root of the mean of s_c^2, by which roundings shrink, is at most this."""

HEADROOM = 1.125
"""How much further than calibration saw a channel may reach, up to the largest one's reach."""

LEAST = 2.0**-12
"""Of the scales of channels, where the largest is 1."""

SCALE_BITS = 8
"""Of the scales of channels: few enough that s_c follows from the product u * s_c, rounded to a float."""


def find_gains(graph: FloatGraph, needed: NeededForms) -> frozenset[str]:
    """The outputs of gains whose readers all take a scale for each channel."""
    readers: dict[str, list[FloatOperator]] = defaultdict(list)
    for node in graph.nodes:
        for name in node.inputs:
            readers[name].append(node)
    return frozenset(
        node.output
        for node in graph.nodes
        if node.is_gain
        and set(needed[node.output]) == {HIDDEN}
        and not needed[node.output][HIDDEN].joined
        and _all_take(graph, readers, node.output, len(graph.shapes[node.output]) - 1)
    )


def _all_take(graph: FloatGraph, readers: Mapping[str, list[FloatOperator]], name: str, axis: int) -> bool:
    """Whether all that read a tensor, or a view of it, take scales along an axis."""
    shapes = graph.shapes
    return all(
        reader.weighs_channels(axis, len(shapes[name]))
        and all(
            _all_take(graph, readers, reader.output, moved)
            for moved in reader.moved_axes(axis, shapes[name], shapes[reader.output])
        )
        for reader in readers[name]
    )


def along_last_axis(scales: FloatArray, shape: Shape) -> FloatArray:
    """Scales [channels] that broadcast against a tensor of this shape."""
    return scales.reshape(*(1 for _ in shape[1:]), -1)


def relative_scales(ends: ChannelEnds, channels: int) -> FloatArray:
    """The scales s_c [channels] for the smallest and the largest value of each channel, the largest one 1.

    All are 1 where channels reach about equally far, or are not known.
    """
    alike = np.ones(channels)
    reach = np.maximum(np.abs(ends[0]), np.abs(ends[1]))
    largest = float(reach.max(initial=0.0))
    if len(reach) != channels or largest == 0:
        return alike
    scales = _short(np.clip(HEADROOM * reach / largest, LEAST, 1.0), np.ceil)
    return scales if np.sqrt(np.square(scales).mean()) <= UNLIKE else alike


def recorded_scales(scale: Scale, shape: Shape) -> FloatArray | None:
    """The scales s_c of a tensor of this shape whose scale is s_c * u by the last axis, the largest s_c 1.

    None where they are not such as `relative_scales` gives.
    """
    if scale.is_single:
        return np.ones(shape[-1])
    if scale.varies_along(shape) != (len(shape) - 1,):
        return None
    values = scale.array.ravel()
    relative = _short(values / values.max(), np.rint)
    return relative if relative.min() >= LEAST else None


def _short(numbers: FloatArray, rounded: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Positive numbers rounded to so few bits that a product over a factor rounds to them again."""
    mantissas, exponents = np.frexp(numbers)
    result: FloatArray = np.ldexp(rounded(mantissas * 2.0**SCALE_BITS), exponents - SCALE_BITS)
    return result
