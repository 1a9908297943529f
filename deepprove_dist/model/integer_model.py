"""The integer model: a graph of exact integer operators, the statement's semantics.

Shapes are those of one sample, with the ONNX batch axis kept at 1. Arrays at inference have one more axis in
front, the samples. Keys are a deterministic function of this model and of the options. One of these, the
memory limit, is the machine's unless it is named.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from deepprove_dist.arrays import Shape
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class ModelTensor:
    """An input or output of the model: integers in [lo, hi] that stand for ``scale * integer``."""

    name: str
    shape: Shape
    lo: int
    hi: int
    scale: Scale

    @property
    def interval(self) -> Interval:
        """The range, ends included."""
        return self.lo, self.hi


@dataclass(frozen=True, repr=False)
class IntegerModel:
    """Nodes in topological order over named tensors; constants are arrays of signed integers.

    ``formats`` records how each tensor that quantisation made was to be held. It changes no computation:
    `audit` starts from it. A model is to be checked with ``validate.analyse`` before anything is computed or
    proven with it.
    """

    inputs: tuple[ModelTensor, ...]
    outputs: tuple[ModelTensor, ...]
    constants: Mapping[str, Integers]
    nodes: tuple[Node, ...]
    formats: Mapping[str, Format] = field(default_factory=dict)

    def __repr__(self) -> str:
        inputs, outputs = (
            ", ".join(f"{tensor.name} {list(tensor.shape)}" for tensor in tensors)
            for tensors in (self.inputs, self.outputs)
        )
        parameters = sum(values.size for values in self.constants.values())
        return f"IntegerModel({inputs} -> {outputs}, {len(self.nodes)} nodes, {parameters:,} parameters)"
