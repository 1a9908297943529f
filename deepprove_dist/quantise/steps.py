"""The steps of a quantised model before its shifts are chosen: integer tensors with their formats."""

from dataclasses import dataclass

from deepprove_dist.importing.float_graph import FloatDense
from deepprove_dist.model.integer_model import Shape
from deepprove_dist.quantise.format import Format


@dataclass(frozen=True)
class Tensor:
    """An integer tensor that holds the float tensor ``reference`` in the given format."""

    name: str
    reference: str
    format: Format


@dataclass(frozen=True)
class LinearStep:
    """A dense layer whose accumulator is rescaled to the target's scale and activated."""

    layer: FloatDense
    source: Tensor
    target: Tensor
    activation: str


@dataclass(frozen=True)
class PublicStep:
    """A dense layer whose accumulator itself, in units of the target's scale, is an output of the model.

    The target's range is the one that its scale was chosen for; the accumulator's exact one lies within.
    """

    layer: FloatDense
    source: Tensor
    target: Tensor


@dataclass(frozen=True)
class TableStep:
    """An activation of a tensor that is already quantised."""

    node: str
    source: Tensor
    target: Tensor
    activation: str


@dataclass(frozen=True)
class ReshapeStep:
    """A view of an integer tensor under another shape."""

    node: str
    source: Tensor
    target: Tensor
    shape: Shape


Step = LinearStep | PublicStep | TableStep | ReshapeStep
