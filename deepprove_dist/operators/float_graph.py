"""The float graph: what an ONNX model means, in the few operators that have an integer counterpart.

Tensors keep their ONNX names, so that a float run of the ONNX model gives every value here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from deepprove_dist.arrays import Shape
from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class FloatGraph:
    """Nodes in topological order; ``outputs`` maps each ONNX output to the tensor that holds it.

    Shapes are those of one sample with the batch axis at 1. ``wholes`` are the inputs of integers and truth
    values, with the ranges of their types. Of an input of indices it is their range. ``whole_outputs`` are
    those of truth values, and of integers of 32 bits and more: shorter ones are mostly stated formats. Of
    these ``index_outputs`` are indices of largest or smallest values. ``label_outputs`` are these, and others
    that are right or wrong, and nothing between.
    """

    inputs: tuple[str, ...]
    outputs: Mapping[str, str]
    nodes: tuple[FloatOperator, ...]
    shapes: Mapping[str, Shape]
    wholes: Mapping[str, Interval] = field(default_factory=dict)
    whole_outputs: frozenset[str] = frozenset()
    index_outputs: frozenset[str] = frozenset()
    label_outputs: frozenset[str] = frozenset()
