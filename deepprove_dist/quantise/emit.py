"""Emitting integer nodes and constants for the steps of a plan.

Linear layer with target scale s_y and shift s: the accumulator counts units of s_y / 2^s, the quotient units
of s_y, and the table applies activation and clamp. Tables come last, since layers that share one need the
union of their quotients.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepprove_dist.importing.float_graph import FloatDense
from deepprove_dist.model.integer_model import Attribute, Node, Shape
from deepprove_dist.operators.registry import OPERATORS
from deepprove_dist.operators.requantise import quotient
from deepprove_dist.protocol.table import IntArray, Interval, Table
from deepprove_dist.quantise.activations import activation_table
from deepprove_dist.quantise.format import Format
from deepprove_dist.quantise.linear import integer_weights
from deepprove_dist.quantise.names import Names
from deepprove_dist.quantise.precision import Precision
from deepprove_dist.quantise.steps import LinearStep, PublicStep, ReshapeStep, Step, TableStep, Tensor


@dataclass(frozen=True)
class LayerReport:
    """How one linear layer was quantised.

    ``tensor`` and ``reference`` name the layer's result in the integer model and in the float graph, real =
    ``scale`` * integer. ``bound`` is the proven maximum of |acc|. An output accumulator has no shift, limbs
    or table (0 entries).
    """

    name: str
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
    """A dense node, its weights, and its output's interval for inputs anywhere in their format's range."""

    node: Node
    weight: IntArray
    interval: Interval


class Emitter:
    """Holds the ``nodes``, ``constants`` and ``layers`` of the steps it was made from."""

    def __init__(self, steps: Sequence[Step], precision: Mapping[str, Precision], names: Names) -> None:
        """``precision``: of each linear step, by its target's name."""
        self._names = names
        self._precision = precision
        self.nodes: list[Node] = []
        self.constants: dict[str, IntArray] = {}
        self.layers: list[LayerReport] = []
        linear = [step for step in steps if isinstance(step, LinearStep)]
        accumulators = {step.target.name: self._accumulator(step) for step in linear}
        tables = self._tables(linear, accumulators)
        for step in steps:
            match step:
                case LinearStep():
                    self._linear(
                        step, accumulators[step.target.name], tables[precision[step.target.name].table]
                    )
                case PublicStep():
                    self._public(step)
                case TableStep():
                    table = activation_table(
                        step.activation,
                        step.source.format.interval,
                        step.source.format.scale,
                        step.target.format,
                    )
                    self._requantise(step.node, step.source.name, step.target.name, 0, table, ())
                case ReshapeStep():
                    attributes = {"shape": step.shape}
                    name = step.target.name
                    self.nodes.append(Node("reshape", step.node, (step.source.name,), name, attributes))

    def _accumulator(self, step: LinearStep) -> _Accumulator:
        unit = step.target.format.scale / 2 ** self._precision[step.target.name].shift
        return self._dense(
            step.layer, step.source, self._names.fresh(f"{step.target.name}.accumulator"), unit
        )

    def _dense(self, layer: FloatDense, source: Tensor, output: str, unit: float) -> _Accumulator:
        weight, bias = integer_weights(layer, source.format, unit)
        constants = {self._names.fresh(f"{output}.weight"): weight}
        if bias.any():
            constants[self._names.fresh(f"{output}.bias")] = bias
        self.constants |= constants
        node = Node("dense", layer.name, (source.name, *constants), output, {})
        intervals = [source.format.interval, *((int(c.min()), int(c.max())) for c in constants.values())]
        return _Accumulator(node, weight, OPERATORS["dense"].interval(node, intervals, constants))

    def _tables(
        self, steps: Sequence[LinearStep], accumulators: Mapping[str, _Accumulator]
    ) -> Mapping[int, Table]:
        sharing: dict[int, list[LinearStep]] = defaultdict(list)
        for step in steps:
            sharing[self._precision[step.target.name].table].append(step)
        tables = {}
        for table, members in sharing.items():
            quotients = [
                quotient(bound, self._precision[step.target.name].shift)
                for step in members
                for bound in accumulators[step.target.name].interval
            ]
            # Quotients count units of the target, in which the layers that share a table agree.
            target = Format(1.0, members[0].target.format.lo, members[0].target.format.hi)
            domain = min(quotients), max(quotients)
            tables[table] = activation_table(members[0].activation, domain, 1.0, target)
        return tables

    def _linear(self, step: LinearStep, accumulator: _Accumulator, table: Table) -> None:
        precision = self._precision[step.target.name]
        self.nodes.append(accumulator.node)
        self._requantise(
            step.layer.name,
            accumulator.node.output,
            step.target.name,
            precision.shift,
            table,
            precision.limbs,
        )
        self._report(step.layer, step.target, accumulator, precision.shift, precision.limbs, table.size)

    def _public(self, step: PublicStep) -> None:
        accumulator = self._dense(step.layer, step.source, step.target.name, step.target.format.scale)
        self.nodes.append(accumulator.node)
        self._report(step.layer, step.target, accumulator, 0, (), 0)

    def _requantise(
        self, name: str, source: str, target: str, shift: int, table: Table, limbs: tuple[int, ...]
    ) -> None:
        attributes: dict[str, Attribute] = {"shift": shift, "table": table, "limbs": limbs}
        self.nodes.append(Node("requantise", name, (source,), target, attributes))

    def _report(
        self,
        layer: FloatDense,
        target: Tensor,
        accumulator: _Accumulator,
        shift: int,
        limbs: tuple[int, ...],
        table_size: int,
    ) -> None:
        self.layers.append(
            LayerReport(
                name=layer.name,
                tensor=target.name,
                reference=target.reference,
                scale=target.format.scale,
                weight_shape=layer.weight.shape,
                weight_bits=int(np.abs(accumulator.weight).max()).bit_length() + 1,
                shift=shift,
                limbs=limbs,
                table_size=table_size,
                bound=max(map(abs, accumulator.interval)),
            )
        )
