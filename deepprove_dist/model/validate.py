"""Exact shapes and intervals of a whole integer model: the proof that nothing wraps modulo p.

Each operator derives its output's interval from its inputs', and refuses what the field would not hold. So a
model that passes is provable for every input in range. A model file is untrusted: everything in it is checked
here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.field import LARGEST_SIGNED, MODULUS
from deepprove_dist.model.constants import MAX_RANK
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.one_hot import require_one_hot
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.operators.integer_operator import Analysis, Constants
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.registry import OPERATORS
from deepprove_dist.protocol.system.names import require_public_name
from deepprove_dist.protocol.system.table import Interval


def derive(inputs: Sequence[ModelTensor], constants: Constants, nodes: Sequence[Node]) -> Analysis:
    """Shapes and intervals of all tensors, node by node in topological order.

    Raises ModelError, naming the node or tensor, where something is ill-formed, undefined or defined twice,
    or could wrap.
    """
    tensors = _Tensors({}, {})
    for tensor in inputs:
        _check_public(tensor)
        tensors.define(tensor.name, tensor.shape, tensor.interval)
    for name, values in constants.items():
        tensors.define(name, values.shape, _constant_interval(name, values))
    producers: dict[str, Node] = {}
    for node in nodes:
        operator = OPERATORS.get(node.operator)
        if operator is None:
            raise ModelError(f"'{node.name}': no integer operator is called '{node.operator}'")
        operator.check(node)
        for name in node.inputs:
            if name not in tensors.shapes:
                raise ModelError(f"'{node.name}' reads '{name}', which nothing before it defines")
        shape = operator.shape(node, [tensors.shapes[name] for name in node.inputs])
        require_one_hot(node, producers, tensors.shapes, constants)
        operator.check_sources(node, producers, tensors.shapes)
        interval = operator.interval(node, [tensors.intervals[name] for name in node.inputs], constants)
        tensors.define(node.output, shape, interval)
        producers[node.output] = node
    return Analysis(tensors.shapes, tensors.intervals)


def analyse(model: IntegerModel) -> Analysis:
    """Checks the whole model and returns its shapes and intervals.

    Raises ModelError as ``derive`` and ``require_whole`` do.
    """
    analysis = derive(model.inputs, model.constants, model.nodes)
    require_whole(model, analysis)
    return analysis


def require_whole(model: IntegerModel, analysis: Analysis) -> None:
    """Checks what ``derive``, which gave the analysis, has not seen of the model.

    Raises ModelError for unused constants and a model without inputs or outputs. Also for outputs that do not
    fit the field, or whose stated shape or range is not the derived one.
    """
    unused = set(model.constants) - {name for node in model.nodes for name in node.inputs}
    if unused:
        raise ModelError(f"no node reads the constants {sorted(unused)}")
    if not model.inputs or not model.outputs:
        raise ModelError("a model has at least one input and one output")
    if len({tensor.name for tensor in model.outputs}) != len(model.outputs):
        raise ModelError("an output is listed twice")
    for tensor in model.outputs:
        _check_public(tensor)
        if tensor.name not in analysis.shapes or tensor.name in model.constants:
            raise ModelError(f"nothing computes the output '{tensor.name}'")
        derived = analysis.shapes[tensor.name], analysis.intervals[tensor.name]
        if derived != (tensor.shape, tensor.interval):
            raise ModelError(f"output '{tensor.name}' has shape and range {derived}, not as stated")


@dataclass(frozen=True)
class _Tensors:
    shapes: dict[str, Shape]
    intervals: dict[str, Interval]

    def define(self, name: str, shape: Shape, interval: Interval) -> None:
        if name in self.shapes:
            raise ModelError(f"two tensors are called '{name}'")
        if len(shape) > MAX_RANK or any(size < 1 for size in shape) or prod(shape) >= MODULUS:
            raise ModelError(f"'{name}' has the shape {shape}, which is empty or too large")
        self.shapes[name] = shape
        self.intervals[name] = interval


def _constant_interval(name: str, values: Integers) -> Interval:
    if values.dtype.kind != "i" or values.size == 0:
        raise ModelError(f"constant '{name}' must hold signed integers")
    interval = int(values.min()), int(values.max())
    if max(-interval[0], interval[1]) > LARGEST_SIGNED:
        raise ModelError(f"constant '{name}' reaches {interval}, beyond +-{LARGEST_SIGNED}")
    return interval


def _check_public(tensor: ModelTensor) -> None:
    require_public_name(tensor.name)
    if not -LARGEST_SIGNED <= tensor.lo <= tensor.hi <= LARGEST_SIGNED:
        raise ModelError(
            f"'{tensor.name}' has the range [{tensor.lo}, {tensor.hi}], beyond +-{LARGEST_SIGNED} or empty"
        )
    if not tensor.scale.fits(tensor.shape):
        raise ModelError(f"'{tensor.name}' has a scale out of range, or not of its shape")
