"""Emitting integer nodes and constants for the steps of a plan.

With quotients in units of u_q and a shift s the accumulator counts units of u_q / 2^s, and the table applies
activation and clamp. Tables come last, since layers that share one need the union of their quotients.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from deepprove_dist.errors import QuantisationError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.registry import OPERATORS
from deepprove_dist.operators.requantise import quotient, requantise_node
from deepprove_dist.operators.summand import Names
from deepprove_dist.protocol.system.bounds import rounded_interval
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Interval, Table
from deepprove_dist.quantise.accumulator import Accumulator, LayerReport
from deepprove_dist.quantise.activations import Activation
from deepprove_dist.quantise.precision import Precision
from deepprove_dist.quantise.steps import LinearStep, NodeStep, PublicStep, Step, TableStep


class Emitter:
    """Holds the ``nodes``, ``constants``, ``layers`` and ``formats`` of the steps it was made from.

    ``undefined``: layers with a function that is not defined everywhere in range, and such an argument.
    """

    def __init__(
        self,
        inputs: Sequence[QuantisedTensor],
        steps: Sequence[Step],
        precision: Mapping[str, Precision],
        names: Names,
        recorded: Mapping[str, Table] | None = None,
        *,
        rounded: bool = False,
    ) -> None:
        """``precision``: of each linear step, by its target's name.

        ``rounded``: domains that follow from weights are rounded outwards, and tables larger.

        ``recorded``: the tables of a finished model, by the names of their results. They are used in place of
        those of the activations.
        """
        self._names = names
        self._precision = precision
        self._rounded = rounded
        self._intervals = {tensor.name: tensor.format.interval for tensor in inputs}
        self.nodes: list[Node] = []
        self.constants: dict[str, Integers] = {}
        self.layers: list[LayerReport] = []
        self.formats: dict[str, Format] = {}
        self.undefined: dict[str, float] = {}
        linear = [step for step in steps if isinstance(step, LinearStep)]
        accumulators = {step.target.name: self._accumulator(step) for step in linear}
        tables = recorded or self._tables(steps, accumulators)
        for step in steps:
            match step:
                case LinearStep():
                    self._linear(step, accumulators[step.target.name], tables[step.target.name])
                case PublicStep():
                    self._public(step)
                case TableStep():
                    self._table(step, tables[step.target.name])
                case NodeStep():
                    self._node(step)

    def _accumulator(self, step: LinearStep) -> Accumulator:
        name = self._names.fresh(f"{step.target.name}.accumulator")
        unit = step.activation.unit / 2 ** self._precision[step.target.name].shift
        self.formats[name] = Format(Scale.of(unit), -LARGEST_SIGNED, LARGEST_SIGNED)
        return Accumulator.of(step.sum, name, unit, self._names)

    def _tables(self, steps: Sequence[Step], accumulators: Mapping[str, Accumulator]) -> Mapping[str, Table]:
        """The table of each rescaling, by its target's name."""
        sharing: dict[int, list[LinearStep]] = defaultdict(list)
        tables = {}
        for step in steps:
            if isinstance(step, LinearStep):
                sharing[self._precision[step.target.name].table].append(step)
            elif isinstance(step, TableStep):
                ends = step.source.format.interval
                self._note_undefined(step.node, step.activation, ends)
                tables[step.target.name] = _table(step.node, step.activation, ends)
        for members in sharing.values():
            quotients = [
                quotient(bound, self._precision[step.target.name].shift)
                for step in members
                for bound in accumulators[step.target.name].interval
            ]
            ends = min(quotients), max(quotients)
            self._note_undefined(members[0].sum.name, members[0].shared, ends)
            table = self._domain_table(members[0], ends)
            tables |= {step.target.name: table for step in members}
        return tables

    def _note_undefined(self, layer: str, activation: Activation, domain: Interval) -> None:
        argument = activation.undefined(domain)
        if argument is not None:
            self.undefined[layer] = argument

    def _domain_table(self, step: LinearStep, ends: Interval) -> Table:
        return _table(step.sum.name, step.shared, rounded_interval(*ends) if self._rounded else ends)

    def _linear(self, step: LinearStep, accumulator: Accumulator, table: Table) -> None:
        precision, target = self._precision[step.target.name], step.target
        self._add(accumulator)
        source = accumulator.nodes[-1].output
        self._requantise(step.sum.name, source, target, precision.shift, table, precision.limbs)
        self.layers.append(accumulator.report(target, precision.shift, precision.limbs, table.size))

    def _public(self, step: PublicStep) -> None:
        target = step.target
        accumulator = Accumulator.of(step.sum, target.name, target.format.unit, self._names)
        self.formats[target.name] = target.format
        self._add(accumulator)
        self._intervals[target.name] = accumulator.interval
        self.layers.append(accumulator.report(target, 0, (), 0))

    def _table(self, step: TableStep, table: Table) -> None:
        self._requantise(step.node, step.source.name, step.target, 0, table, ())

    def _node(self, step: NodeStep) -> None:
        if step.node.represents_layer:
            self._report_at_node(step)
        intervals = [self._intervals[source.name] for source in step.sources]
        part = step.node.integer_part(step.sources, step.target.name, intervals, self._names)
        self.constants |= part.constants
        known = {name: (int(values.min()), int(values.max())) for name, values in part.constants.items()}
        known |= self._intervals
        for node in part.nodes:
            arguments = [known[name] for name in node.inputs]
            known[node.output] = OPERATORS[node.operator].interval(node, arguments, part.constants)
            self.nodes.append(node)
        self._intervals[step.target.name] = known[step.target.name]

    def _report_at_node(self, step: NodeStep) -> None:
        """A layer whose activation comes after the node in the float graph is compared there."""
        for index, layer in enumerate(self.layers):
            if layer.tensor == step.sources[0].name and not layer.reference:
                changed = replace(layer, tensor=step.target.name, reference=step.target.reference)
                self.layers[index] = changed

    def _requantise(
        self,
        node: str,
        source: str,
        target: QuantisedTensor,
        shift: int,
        table: Table,
        limbs: tuple[int, ...],
    ) -> None:
        self.nodes.append(requantise_node(node, source, target.name, shift, table, limbs))
        self._intervals[target.name] = table.interval()
        self.formats[target.name] = target.format

    def _add(self, accumulator: Accumulator) -> None:
        self.constants |= accumulator.constants
        self.nodes += accumulator.nodes


def _table(node: str, activation: Activation, domain: Interval) -> Table:
    """The activation's table. Raises QuantisationError, naming the node."""
    try:
        return activation.table(domain)
    except QuantisationError as error:
        raise QuantisationError(f"'{node}': {error}") from error
