"""Padding with zeros before and after the axes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.lowering.views import Reader
from deepprove_dist.operators.attributes import integers
from deepprove_dist.operators.formats import HIDDEN, Form, Reference
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.moving_operator import MovingOperator
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.pointwise import evaluate
from deepprove_dist.operators.window import LARGEST
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class FloatPad(MovingOperator):
    """``pads``: how many zeros stand before each axis, then how many after each."""

    pads: tuple[int, ...]

    @property
    def zeros_around(self) -> tuple[int, ...]:
        """The pads."""
        return self.pads

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """With the pads added."""
        sizes = zip(self._widths, inputs[0], strict=True)
        return tuple(before + size + after for (before, after), size in sizes)

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """A larger array."""
        return np.pad(inputs[0], self._widths)

    def read_form(self, form: Form) -> Form:
        """The same, where its function keeps zero."""
        return form if evaluate(form.function, np.zeros(1))[0] == 0 else HIDDEN

    def before(self, reference: Reference) -> Reference:
        """As it is: its own values are those of its input, and zeros."""
        return reference

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A pad."""
        return Node(Pad.name, self.name, sources, output, {"pads": self.pads})

    def move_scales(self, scales: Sequence[FloatArray]) -> FloatArray:
        """Those at the edge, since zero is zero at any scale."""
        return np.pad(scales[0], self._widths, "edge")

    @property
    def _widths(self) -> list[tuple[int, int]]:
        rank = len(self.pads) // 2
        return list(zip(self.pads[:rank], self.pads[rank:], strict=True))


class Pad(IntegerOperator):
    """Attribute ``pads``: zeros before each axis of one sample's shape, then zeros after each."""

    name: ClassVar[str] = "pad"
    inputs: ClassVar[Sequence[int]] = (1,)
    attributes: ClassVar[Mapping[str, type]] = {"pads": tuple}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """The input's with the pads added."""
        (shape,), pads = shapes, integers(node, "pads")
        if len(pads) != 2 * len(shape) or not all(0 <= pad <= LARGEST for pad in pads):
            raise ModelError(f"'{node.name}': pads {pads} do not fit an input {shape}")
        before, after = pads[: len(shape)], pads[len(shape) :]
        return tuple(sum(sizes) for sizes in zip(before, shape, after, strict=True))

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """The input's, and zero."""
        lo, hi = intervals[0]
        return min(lo, 0), max(hi, 0)

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """A larger array; no further columns."""
        pads = integers(node, "pads")
        rank = len(pads) // 2
        widths = [(0, 0), *zip(pads[:rank], pads[rank:], strict=True)]
        return Inference(np.pad(inputs[0], widths), {})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """A map along each padded dimension, moved by the padding."""
        pads, shape = integers(node, "pads"), inputs[0].shape
        before, after = pads[: len(shape)], pads[len(shape) :]
        sizes = tuple(map(sum, zip(before, shape, after, strict=True)))
        maps = [IndexMap((k,), 0, size, -before[k]) for k, size in enumerate(sizes) if size != shape[k]]
        reader = Reader(node.name, analysis.intervals, builder)
        return Expression(sizes, reader.slide(node.inputs[0], inputs[0], maps).value, (), (0, 0))
