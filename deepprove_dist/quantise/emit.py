"""Emitting integer nodes and constants for the steps of a plan.

With quotients in units of u_q and a shift s the accumulator counts units of u_q / 2^s, and the table applies
activation and clamp. Tables come last, since layers that share one need the union of their quotients.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import QuantisationError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.registry import OPERATORS
from deepprove_dist.operators.requantise import quotient
from deepprove_dist.protocol.scale import Scale
from deepprove_dist.protocol.table import IntArray, Interval, Table
from deepprove_dist.quantise.activations import Activation
from deepprove_dist.quantise.names import Names
from deepprove_dist.quantise.precision import Precision
from deepprove_dist.quantise.steps import Accumulation, LinearStep, NodeStep, PublicStep, Step, TableStep
from deepprove_dist.quantise.summands import integer_of
from deepprove_dist.quantise.tensor import Tensor


@dataclass(frozen=True)
class LayerReport:
    """How one accumulator was quantised.

    ``kind`` names the operators that add up to it. ``tensor`` and ``reference`` name its result in the
    integer model and in the float graph ("" where none there holds the same), real = ``scale`` * integer.
    ``bound`` is the proven maximum of |acc|. An output accumulator has no shift, limbs or table (0 entries).
    """

    name: str
    kind: str
    tensor: str
    reference: str
    scale: float
    weight_shape: Shape
    weight_bits: int
    shift: int
    limbs: tuple[int, ...]
    table_size: int
    bound: int


@dataclass(frozen=True)
class _Accumulator:
    """The nodes that compute an accumulator, the last one itself, with their constants and its interval for
    inputs anywhere in their format's range; ``factors`` are its weights and multipliers.
    """

    nodes: tuple[Node, ...]
    constants: Mapping[str, IntArray]
    factors: int
    interval: Interval


class Emitter:
    """Holds the ``nodes``, ``constants``, ``layers`` and ``formats`` of the steps it was made from."""

    def __init__(
        self,
        inputs: Sequence[Tensor],
        steps: Sequence[Step],
        precision: Mapping[str, Precision],
        names: Names,
        recorded: Mapping[str, Table] | None = None,
    ) -> None:
        """``precision``: of each linear step, by its target's name; ``recorded``: the tables of a finished
        model, by the names of their results, to use in place of those of the activations.
        """
        self._names = names
        self._precision = precision
        self._intervals = {tensor.name: tensor.format.interval for tensor in inputs}
        self.nodes: list[Node] = []
        self.constants: dict[str, IntArray] = {}
        self.layers: list[LayerReport] = []
        self.formats: dict[str, Format] = {}
        linear = [step for step in steps if isinstance(step, LinearStep)]
        accumulators = {step.target.name: self._rescaled(step) for step in linear}
        tables = recorded or self._tables(steps, accumulators)
        for step in steps:
            match step:
                case LinearStep():
                    name = step.target.name
                    self._linear(step, accumulators[name], tables[name])
                    self.formats[name] = step.target.format
                case PublicStep():
                    self._public(step)
                case TableStep():
                    table = tables[step.target.name]
                    self._requantise(step.node, step.source.name, step.target.name, 0, table, ())
                    self.formats[step.target.name] = step.target.format
                case NodeStep():
                    self._move(step)

    def _rescaled(self, step: LinearStep) -> _Accumulator:
        name = self._names.fresh(f"{step.target.name}.accumulator")
        unit = step.activation.unit / 2 ** self._precision[step.target.name].shift
        self.formats[name] = Format(Scale.of(unit), -LARGEST_SIGNED, LARGEST_SIGNED)
        return self._accumulator(step.sum, name, unit)

    def _accumulator(self, sum_: Accumulation, output: str, unit: float) -> _Accumulator:
        constant = integer_of(sum_.constant / unit)
        single = len(sum_.summands) == 1 and constant == 0
        parts = []
        for summand in sum_.summands:
            name = output if single else self._names.fresh(f"{output}.{summand.kind}")
            parts.append(summand.part(unit, name, self._names))
        nodes = [node for part in parts for node in part.nodes]
        constants = {name: values for part in parts for name, values in part.constants.items()}
        multipliers = tuple(part.multiplier for part in parts)
        if not (single and nodes):
            attributes: dict[str, Attribute] = {"multipliers": multipliers, "constant": constant}
            tensors = tuple(part.tensor for part in parts)
            nodes.append(Node("weighted_sum", sum_.name, tensors, output, attributes))
        intervals = {summand.source.name: summand.source.format.interval for summand in sum_.summands}
        intervals |= {name: (int(values.min()), int(values.max())) for name, values in constants.items()}
        for node in nodes:
            arguments = [intervals[name] for name in node.inputs]
            intervals[node.output] = OPERATORS[node.operator].interval(node, arguments, constants)
        factors = [*multipliers, *(int(np.abs(values).max()) for values in constants.values())]
        return _Accumulator(tuple(nodes), constants, max(map(abs, factors)), intervals[output])

    def _tables(self, steps: Sequence[Step], accumulators: Mapping[str, _Accumulator]) -> Mapping[str, Table]:
        """The table of each rescaling, by its target's name."""
        sharing: dict[int, list[LinearStep]] = defaultdict(list)
        tables = {}
        for step in steps:
            if isinstance(step, LinearStep):
                sharing[self._precision[step.target.name].table].append(step)
            elif isinstance(step, TableStep):
                tables[step.target.name] = _table(step.node, step.activation, step.source.format.interval)
        for members in sharing.values():
            quotients = [
                quotient(bound, self._precision[step.target.name].shift)
                for step in members
                for bound in accumulators[step.target.name].interval
            ]
            ends = min(quotients), max(quotients)
            table = _table(members[0].sum.name, members[0].shared, ends)
            tables |= {step.target.name: table for step in members}
        return tables

    def _linear(self, step: LinearStep, accumulator: _Accumulator, table: Table) -> None:
        precision, name = self._precision[step.target.name], step.sum.name
        self._add(accumulator)
        output = accumulator.nodes[-1].output
        self._requantise(name, output, step.target.name, precision.shift, table, precision.limbs)
        self._report(step.sum, step.target, accumulator, precision.shift, precision.limbs, table.size)

    def _public(self, step: PublicStep) -> None:
        accumulator = self._accumulator(step.sum, step.target.name, step.target.format.unit)
        self.formats[step.target.name] = step.target.format
        self._add(accumulator)
        self._intervals[step.target.name] = accumulator.interval
        self._report(step.sum, step.target, accumulator, 0, (), 0)

    def _move(self, step: NodeStep) -> None:
        sources = tuple(source.name for source in step.sources)
        attributes = dict(step.attributes)
        if step.operator == "max_pool":
            attributes["minimum"] = self._intervals[sources[0]][0]
            self._report_after_pool(step)
        node = Node(step.operator, step.node, sources, step.target.name, attributes)
        self.nodes.append(node)
        arguments = [self._intervals[source] for source in sources]
        self._intervals[node.output] = OPERATORS[node.operator].interval(node, arguments, {})

    def _report_after_pool(self, step: NodeStep) -> None:
        """A layer whose activation stands behind the pool in the float graph is compared there."""
        for place, layer in enumerate(self.layers):
            if layer.tensor == step.sources[0].name and not layer.reference:
                changed = replace(layer, tensor=step.target.name, reference=step.target.reference)
                self.layers[place] = changed

    def _requantise(
        self, name: str, source: str, target: str, shift: int, table: Table, limbs: tuple[int, ...]
    ) -> None:
        attributes: dict[str, Attribute] = {"shift": shift, "table": table, "limbs": limbs}
        self.nodes.append(Node("requantise", name, (source,), target, attributes))
        self._intervals[target] = table.interval()

    def _add(self, accumulator: _Accumulator) -> None:
        self.constants |= accumulator.constants
        self.nodes += accumulator.nodes

    def _report(
        self,
        sum_: Accumulation,
        target: Tensor,
        accumulator: _Accumulator,
        shift: int,
        limbs: tuple[int, ...],
        table_size: int,
    ) -> None:
        shapes = [summand.weight_shape for summand in sum_.summands]
        self.layers.append(
            LayerReport(
                name=sum_.name,
                kind=" + ".join(summand.kind for summand in sum_.summands),
                tensor=target.name,
                reference=target.reference,
                scale=target.format.unit,
                weight_shape=max(shapes, key=prod),
                weight_bits=accumulator.factors.bit_length() + 1,
                shift=shift,
                limbs=limbs,
                table_size=table_size,
                bound=max(map(abs, accumulator.interval)),
            )
        )


def _table(node: str, activation: Activation, domain: Interval) -> Table:
    """The activation's table. Raises QuantisationError, naming the node."""
    try:
        return activation.table(domain)
    except QuantisationError as error:
        raise QuantisationError(f"'{node}': {error}") from error
