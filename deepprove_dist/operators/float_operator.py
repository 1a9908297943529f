"""What a float operator has to say about itself, and what it may ask of the planner that quantises it.

A float graph's tensors keep their ONNX names, so that a float run of the ONNX model gives every value. Shapes
are those of one sample with the batch axis at 1. Axes after the second are called spatial.

Each float operator is a dataclass of one node. It says what it computes in floats (`evaluate`), and what it
needs of its inputs (`needs`). Then it plans its integer nodes (`plan`). Most operators are one of two kinds,
`LinearOperator` and `MovingOperator`, and say less.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.operators.formats import HIDDEN, Form, Format, Reference
from deepprove_dist.operators.pointwise import Function
from deepprove_dist.operators.quantised import QuantisedTensor

if TYPE_CHECKING:
    from deepprove_dist.operators.linear_operator import LinearOperator
    from deepprove_dist.operators.node_operator import NodesOperator


@dataclass(frozen=True)
class Need:
    """A form in which a node reads a tensor, and the values that choose its format.

    ``decides``: these values go before those of other readers of the same form.
    """

    tensor: str
    form: Form
    reference: Reference
    decides: bool = False


@dataclass(frozen=True)
class Readers:
    """What those that read a tensor make of it.

    ``summands``: linear nodes that a sum alone reads, by their output. They need no tensor of their own.
    ``separable``: joined tensors whose readers all take a scale for each part.
    """

    summands: Mapping[str, LinearOperator]
    separable: frozenset[str]


@dataclass(frozen=True)
class FloatOperator(ABC):
    """A node that computes one tensor, ``output``, from others; ``name`` is that of its ONNX node.

    ``onnx_operator`` is the ONNX operator that it is for two computed tensors of one shape, "" where it is
    none. An operator that takes more of them is applied from the left. No rule has to be written then.

    ``completes``: whether it has values where the ONNX node has none: NaN, which later nodes replace.
    """

    onnx_operator: ClassVar[str] = ""
    completes: ClassVar[bool] = False

    name: str
    inputs: tuple[str, ...]
    output: str

    @property
    def input(self) -> str:
        """The input of a node that has one."""
        (name,) = self.inputs
        return name

    @property
    def is_finite(self) -> bool:
        """Whether all its constants are finite."""
        return True

    @property
    def is_affine(self) -> bool:
        """Whether each element of its output is a linear function of its inputs' elements and a constant."""
        return False

    @property
    def is_gain(self) -> bool:
        """Whether it multiplies each channel, along the last axis, by a constant, and adds another."""
        return False

    @property
    def has_thresholds(self) -> bool:
        """Whether it compares its input with thresholds: the smallest step may change what it computes."""
        return False

    @property
    def elementwise(self) -> Function | None:
        """The function of each value of its input that it computes; None where it is no such node."""
        return None

    @property
    def zeros_around(self) -> tuple[int, ...] | None:
        """How many zeros it puts before each axis of its input, then after each; None for other nodes."""
        return None

    def scaled(self, scale: FloatArray, shift: FloatArray, shape: Shape) -> FloatOperator | None:
        """A node with the output scale * output + shift, where both broadcast to the output's shape.

        None where another node has to do that.
        """
        return None

    def moved_back(self, values: FloatArray, shape: Shape) -> FloatArray | None:
        """What such constants are at the elements of its input, of this shape.

        None unless the output has the elements of its one input, in some order.
        """
        return None

    def unrounded(self) -> FloatOperator | None:
        """The node, which layers read in all the steps that it has; None where they do so anyway."""
        return None

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """The output's shape, from those of the inputs: here the first one's."""
        return inputs[0]

    @abstractmethod
    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """The output, float64 of its shape, from the values of the inputs."""

    @abstractmethod
    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """What it needs of its inputs for these forms of its output."""

    @abstractmethod
    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """Plans one form of the output, from forms of its inputs that are planned already."""

    def same_integers(self, form: Form) -> tuple[str, Form]:
        """The tensor, and the form of it, whose integers are this form of the output."""
        return self.output, form

    def channel_axis(self, rank: int) -> int | None:
        """The axis of an output of this rank along which quantities are of unlike kinds.

        None where that is the first input's.
        """
        return first_after_batch(rank)

    def takes_scales(self, axis: int, rank: int) -> bool:
        """Whether it reads a tensor of this rank with scales of their own along an axis."""
        return False

    def weighs_channels(self, axis: int, rank: int) -> bool:
        """The same, or it brings them to one scale as it adds, with a weight for each channel."""
        return self.takes_scales(axis, rank)

    def moved_axes(self, axis: int, before: Shape, after: Shape) -> Sequence[int]:
        """The axes of its output along which scales vary, where they vary along an axis of its input.

        None if it takes them in. The shapes are those of input and output.
        """
        return ()

    def as_linear(self) -> LinearOperator | None:
        """The node itself, if it is affine in its inputs."""
        return None

    @property
    def joined_axis(self) -> int | None:
        """The axis along which its output is made of parts; None where it is not."""
        return None


def first_after_batch(rank: int) -> int:
    """The axis of channels where nothing says another: the first one after the batch axis."""
    return min(1, rank - 1)


class Planner(Protocol):
    """What a float operator plans itself with."""

    @property
    def readers(self) -> Readers:
        """See `Readers`."""

    def shape(self, tensor: str) -> Shape:
        """The shape of a float tensor."""

    def planned(self, tensor: str, form: Form) -> QuantisedTensor:
        """A form of an input, as it is planned."""

    def planned_by_axis(self, tensor: str, axis: int | None, form: Form = HIDDEN) -> QuantisedTensor:
        """A form of an input, with scales along no other axis than this one, or with one scale."""

    def planned_output(self, node: FloatOperator, form: Form, reference: Reference) -> QuantisedTensor:
        """A form of a node's own output, planned by the node unless it is already."""

    def planned_plain(self, tensor: str, form: Form) -> QuantisedTensor:
        """A form of an input in a plain format: one scale, and few enough integers for tables."""

    def activated(
        self, node: str, source: QuantisedTensor, tensor: str, form: Form, reference: Reference
    ) -> QuantisedTensor:
        """A form of the float tensor that ``source`` holds: ``source`` itself, or a table of it."""

    def in_format_of(self, node: FloatOperator, part: QuantisedTensor, whole: Reference) -> QuantisedTensor:
        """A part of a joined tensor in the format of the whole."""

    def accumulated(self, node: LinearOperator, form: Form, reference: Reference) -> QuantisedTensor:
        """A form of a linear node's output: its accumulator, rescaled unless it is public."""

    def computed(
        self,
        node: NodesOperator,
        sources: Sequence[QuantisedTensor],
        format: Format,
        form: Form,
        reference: Reference,
    ) -> QuantisedTensor:
        """A form of a node's output, which its integer node computes in a format from the sources."""

    def rescaled(
        self, node: str, source: QuantisedTensor, tensor: str, form: Form, reference: Reference
    ) -> QuantisedTensor:
        """A form of the float tensor that ``source`` holds with one scale, in a narrower format."""
