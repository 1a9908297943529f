"""Windows over spatial axes: where a convolution's or a pool's output position looks at its input.

Along each axis, position i of the window of output position o is input position
stride * o + dilation * i - pad.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.operators.attributes import integers
from deepprove_dist.operators.node import Attribute, Node

# Of a stride, a padding, a dilation or a kernel: beyond any network's, and small enough to compute with.
LARGEST = 2**16


@dataclass(frozen=True)
class Window:
    """One entry an axis; ``pads`` has those before all axes, then those after them."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    pads: tuple[int, ...]
    dilations: tuple[int, ...]

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        return len(self.kernel)

    @property
    def extents(self) -> tuple[int, ...]:
        """How many positions the window spans along each axis."""
        return tuple(
            dilation * (size - 1) + 1 for size, dilation in zip(self.kernel, self.dilations, strict=True)
        )

    @property
    def padded(self) -> bool:
        """Whether the window may reach outside the input."""
        return any(self.pads)

    def before(self, axis: int) -> int:
        """Padding before the axis."""
        return self.pads[axis]

    def after(self, axis: int) -> int:
        """Padding after the axis."""
        return self.pads[self.rank + axis]

    def output(self, spatial: Shape) -> Shape:
        """Positions of the output for an input of these spatial axes.

        Raises ModelError, without a node's name, for a window that is ill-formed or larger than the padded
        input.
        """
        rank = self.rank
        if (len(spatial), len(self.strides), len(self.dilations), len(self.pads)) != (
            rank,
            rank,
            rank,
            2 * rank,
        ):
            raise ModelError(f"a window over {rank} axes does not fit its attributes or an input {spatial}")
        if not all(
            1 <= value <= LARGEST for value in (*self.kernel, *self.strides, *self.dilations)
        ) or not all(0 <= pad <= LARGEST for pad in self.pads):
            raise ModelError(
                f"kernels, strides and dilations are 1 to {LARGEST}, pads 0 to {LARGEST}: not so in {self}"
            )
        positions = []
        for axis, (size, extent, stride) in enumerate(zip(spatial, self.extents, self.strides, strict=True)):
            room = size + self.before(axis) + self.after(axis) - extent
            if room < 0:
                raise ModelError(f"a window of {extent} positions is larger than an axis of {size}, padded")
            positions.append(room // stride + 1)
        return tuple(positions)

    def view(self, values: npt.NDArray[Any], outside: float) -> npt.NDArray[Any]:
        """The windows of arrays [.., *spatial], as a read-only view [.., *output, *kernel]; positions
        outside the input have the value ``outside``.
        """
        if self.rank == 0:
            return values
        lead = values.ndim - self.rank
        values = self.padded_values(values, outside)
        axes = tuple(range(lead, values.ndim))
        windows = np.lib.stride_tricks.sliding_window_view(values, self.extents, axes)
        for axis, step in enumerate((*self.strides, *self.dilations)):
            windows = windows[(slice(None),) * (lead + axis) + (slice(None, None, step),)]
        return windows

    def taps(self, values: npt.NDArray[Any], axis: int, outside: float) -> list[npt.NDArray[Any]]:
        """For each index of the kernel of a window of one axis, what all positions read along that axis.

        Views, without the axes that `view` moves and makes: of small arrays those take most of the time.
        """
        if self.padded:
            values = np.moveaxis(self.padded_values(np.moveaxis(values, axis, -1), outside), -1, axis)
        (kernel,), (stride,), (dilation,), (extent,) = self.kernel, self.strides, self.dilations, self.extents
        last = (values.shape[axis] - extent) // stride * stride
        before = (slice(None),) * axis
        starts = [dilation * index for index in range(kernel)]
        return [values[(*before, slice(start, start + last + 1, stride))] for start in starts]

    def padded_values(self, values: npt.NDArray[Any], outside: float) -> npt.NDArray[Any]:
        """Arrays [.., *spatial] with their padding, which has the value ``outside``."""
        if not self.padded:
            return values
        lead = values.ndim - self.rank
        sizes = list(enumerate(values.shape[lead:]))
        ends = (self.before(axis) + size + self.after(axis) for axis, size in sizes)
        # Several times as fast as numpy's pad, which counts for the slices of a layer.
        padded = np.full((*values.shape[:lead], *ends), outside, values.dtype)
        inside = (slice(self.before(axis), self.before(axis) + size) for axis, size in sizes)
        indices: tuple[Any, ...] = (..., *inside)
        padded[indices] = values
        return padded

    def sums(self, values: FloatArray) -> FloatArray:
        """The sum over each window of [.., *spatial], zeros outside: [.., *output]."""
        lead = values.ndim - self.rank
        # One axis after the other: a few sums of whole arrays in place of many short ones.
        for axis in range(self.rank):
            view = self.along(axis).view(np.moveaxis(values, lead + axis, -1), 0.0)
            total = view[..., 0].copy()
            for tap in range(1, view.shape[-1]):
                total += view[..., tap]
            values = np.moveaxis(total, -1, lead + axis)
        return values

    def along(self, axis: int) -> Window:
        """The window of one axis; no other axis moves."""
        return Window(
            (self.kernel[axis],),
            (self.strides[axis],),
            (self.before(axis), self.after(axis)),
            (self.dilations[axis],),
        )


def read_window(node: Node, kernel: tuple[int, ...]) -> Window:
    """The window that a node's attributes ``strides``, ``pads`` and ``dilations`` say."""
    return Window(kernel, integers(node, "strides"), integers(node, "pads"), integers(node, "dilations"))


def single_positions(rank: int) -> Window:
    """The window of one position, at every position of so many axes."""
    ones = (1,) * rank
    return Window(ones, ones, (0, 0) * rank, ones)


def window_attributes(window: Window) -> dict[str, Attribute]:
    """The attributes that `read_window` reads."""
    return {"strides": window.strides, "pads": window.pads, "dilations": window.dilations}


def output_positions(node: Node, window: Window, spatial: Shape) -> Shape:
    """``Window.output``, with the node named in the error."""
    try:
        return window.output(spatial)
    except ModelError as error:
        raise ModelError(f"'{node.name}': {error}") from error


def pooled_shape(node: Node, x: Shape) -> Shape:
    """x [N, C, *spatial] to [N, C, *positions] for a pool's window.

    Raises ModelError where it does not fit.
    """
    kernel = integers(node, "kernel")
    if len(x) != 2 + len(kernel):
        raise ModelError(f"'{node.name}': a window {kernel} does not fit an input {x}")
    return (*x[:2], *output_positions(node, read_window(node, kernel), x[2:]))
