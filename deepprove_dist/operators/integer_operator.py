"""What an integer operator has to say about itself: shape, exact interval, exact inference, relations."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.builder import Builder
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.system.table import Interval

Constants = Mapping[str, Integers]
"""Signed integers of any width, by name."""


@dataclass(frozen=True)
class Inference:
    """What one node computes: its output [samples, *shape], and the further columns that its proof commits
    to.
    """

    output: Integers
    columns: Mapping[str, Integers]


@dataclass(frozen=True)
class Parts:
    """An inference in parts: each of the ``tasks`` writes a share of its arrays. They may run at once."""

    inference: Inference
    tasks: Sequence[Callable[[], None]]


@dataclass(frozen=True)
class Analysis:
    """Shape of one sample, and interval of the elements, of every tensor and constant by name."""

    shapes: Mapping[str, Shape]
    intervals: Mapping[str, Interval]


@dataclass(frozen=True)
class SplitAxes:
    """Axes along which a cluster may cut a layer with weights, its second input: [outputs, contracted, ...].

    Attributes:
        source: the axis of the input [samples, *shape] that the contracted axis runs over.
        output: the axis of the accumulator [samples, *shape] that the outputs are.
        least: how many indices of the contracted axis make a slice that is worth a worker.
    """

    source: int
    output: int
    least: int


class IntegerOperator(ABC):
    """An exact function of integer tensors.

    Attributes:
        name: what models' files call it.
        inputs: the allowed numbers of inputs.
        attributes: the exact names and types of a node's attributes.
        constant_type: the type that ``infer`` reads constants fastest in.
        reads_narrow_constants: whether it reads constants of other types too, and converts large ones itself.
        reads_narrow_values: whether it reads values of narrower types than int64 too.
    """

    name: ClassVar[str]
    inputs: ClassVar[Sequence[int]]
    attributes: ClassVar[Mapping[str, type]]
    constant_type: ClassVar[type[np.generic]] = np.int64
    reads_narrow_constants: ClassVar[bool] = False
    reads_narrow_values: ClassVar[bool] = False

    def check(self, node: Node) -> None:
        """Raises ModelError unless the node has the number of inputs and the attributes that this operator
        reads.
        """
        if len(node.inputs) not in self.inputs:
            raise ModelError(f"'{node.name}': {self.name} does not take {len(node.inputs)} inputs")
        types = {key: type(value) for key, value in node.attributes.items()}
        if types != dict(self.attributes):
            expected = {key: kind.__name__ for key, kind in self.attributes.items()}
            raise ModelError(f"'{node.name}': {self.name} has the attributes {expected}")

    def require_computed(self, node: Node, constants: Constants) -> None:
        """Raises ModelError for a constant among the inputs."""
        if any(name in constants for name in node.inputs):
            raise ModelError(f"'{node.name}': {self.name} takes computed tensors, not a constant")

    def check_sources(self, node: Node, producers: Mapping[str, Node], shapes: Mapping[str, Shape]) -> None:
        """Raises ModelError where the nodes before it do not give what the node states of its inputs.

        These are known by their outputs, with the shapes of all tensors so far.
        """
        return

    @abstractmethod
    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """Shape of the output for one sample. Raises ModelError where the inputs' shapes or the attributes do
        not fit.
        """

    @abstractmethod
    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """Bounds of every element of the output, exact for inputs that take all values of their intervals.

        Raises ModelError where the output could wrap modulo p, or exceed what ``infer`` computes exactly.
        """

    @abstractmethod
    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Computes the node on arrays [samples, *shape]; constants come as they are, in any exact numeric
        type.
        """

    def output(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Integers:
        """The output of ``infer``, in any type; operators whose further columns take time leave them out."""
        return self.infer(node, inputs).output

    def parts(self, node: Node, inputs: Sequence[npt.NDArray[Any]], threads: int) -> Parts | None:
        """The same as ``infer``, for so many threads; None where one of them is as fast."""
        return None

    def prepared(self, node: Node, index: int, values: Integers) -> npt.NDArray[Any]:
        """A constant, the input of this index, as ``infer`` reads it fastest."""
        return values.astype(self.constant_type)

    def split_axes(self, node: Node) -> SplitAxes | None:
        """How a cluster may cut the node; None where it may not."""
        return None

    @abstractmethod
    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """The node's output as an expression; relations and lookups that define new tensors go to `builder`.

        `inputs` are those that are no constants. Raises ModelError, naming the node, for inputs that it has
        no relations for.
        """
