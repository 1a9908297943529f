"""The integer nodes of an accumulator, and what is reported of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import prod

from deepprove_dist.arrays import Shape
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.operators.integer_operator import Constants
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.registry import OPERATORS
from deepprove_dist.operators.summand import Names, in_units
from deepprove_dist.operators.weighted_sum import weighted_sum_node
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Interval
from deepprove_dist.quantise.steps import Accumulation


@dataclass(frozen=True)
class LayerReport:
    """How one accumulator was quantised.

    Attributes:
        name: that of its node.
        kind: the operators that add up to it.
        tensor: its result in the integer model.
        reference: the same in the float graph, "" where no tensor there holds it.
        scale: real = scale * integer; one number, or one for each channel.
        weight_shape: of the largest weights.
        weight_bits: of the largest weight or multiplier, with its sign.
        shift: of its rescaling, 0 for an output.
        limbs: widths of the remainder's limbs.
        table_size: entries, 0 for an output.
        bound: the proven maximum of |acc|.
    """

    name: str
    kind: str
    tensor: str
    reference: str
    scale: Scale
    weight_shape: Shape
    weight_bits: int
    shift: int
    limbs: tuple[int, ...]
    table_size: int
    bound: int


@dataclass(frozen=True)
class Accumulator:
    """The nodes that compute an accumulator, the last one itself, with their constants.

    ``interval`` is for inputs anywhere in their format's range; ``factor`` the largest weight or multiplier.
    """

    sum: Accumulation
    nodes: tuple[Node, ...]
    constants: Constants
    factor: int
    interval: Interval

    @classmethod
    def of(cls, sum_: Accumulation, output: str, unit: float, names: Names) -> "Accumulator":
        """The accumulator in units of ``unit``."""
        constant = in_units(sum_.constant, unit)
        single = len(sum_.summands) == 1 and not constant.any()
        parts = []
        for summand in sum_.summands:
            name = output if single else names.fresh(f"{output}.{summand.kind}")
            parts.append(summand.part(unit, name, names))
        nodes = [node for part in parts for node in part.nodes]
        constants = {name: values for part in parts for name, values in part.constants.items()}
        multipliers = tuple(part.multiplier for part in parts)
        if not (single and nodes):
            tensors = tuple(part.tensor for part in parts)
            addend, number = dict[str, Integers](), 0
            if constant.size == 1:
                number = int(constant.item())
            else:
                addend = {names.fresh(f"{output}.constant"): constant}
            sources, by = (*tensors, *addend), (*multipliers, *(1 for _ in addend))
            nodes.append(weighted_sum_node(sum_.name, sources, output, by, number))
            constants |= addend
        ends = [(int(values.min()), int(values.max())) for values in constants.values()]
        factors = [*multipliers, *chain.from_iterable(ends)]
        interval = _interval(sum_, nodes, constants)
        return cls(sum_, tuple(nodes), constants, max(map(abs, factors)), interval)

    def report(
        self, target: QuantisedTensor, shift: int, limbs: tuple[int, ...], table_size: int
    ) -> LayerReport:
        """What to say of it, for the tensor that comes of it."""
        summands = self.sum.summands
        return LayerReport(
            name=self.sum.name,
            kind=" + ".join(summand.kind for summand in summands),
            tensor=target.name,
            reference=target.reference,
            scale=target.format.scale,
            weight_shape=max((summand.weight_shape for summand in summands), key=prod),
            weight_bits=self.factor.bit_length() + 1,
            shift=shift,
            limbs=limbs,
            table_size=table_size,
            bound=max(map(abs, self.interval)),
        )


def _interval(sum_: Accumulation, nodes: Sequence[Node], constants: Constants) -> Interval:
    """The interval of the last node's output."""
    intervals = {summand.source.name: summand.source.format.interval for summand in sum_.summands}
    intervals |= {name: (int(values.min()), int(values.max())) for name, values in constants.items()}
    for node in nodes:
        arguments = [intervals[name] for name in node.inputs]
        intervals[node.output] = OPERATORS[node.operator].interval(node, arguments, constants)
    return intervals[nodes[-1].output]
