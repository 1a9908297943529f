"""Quantisation: a float graph and the statistics of its calibration become an exact integer model.

Plan formats, choose precisions for all layers together, emit nodes, name the outputs. The result is then
analysed as any model is: no input in range can wrap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from deepprove_dist.arrays import Shape
from deepprove_dist.choices import require_choice
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.validate import derive, require_whole
from deepprove_dist.narrow_integers import narrow
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.function_properties import homogeneous
from deepprove_dist.operators.reshape import reshape_node
from deepprove_dist.quantise.accumulator import LayerReport
from deepprove_dist.quantise.activation_bits import ACTIVATION_BITS
from deepprove_dist.quantise.calibrate import Statistics
from deepprove_dist.quantise.emit import Emitter
from deepprove_dist.quantise.format import choose_format
from deepprove_dist.quantise.format_choices import CalibratedChoices
from deepprove_dist.quantise.inputs import whole_format
from deepprove_dist.quantise.integer_runs import IntegerRuns
from deepprove_dist.quantise.names import NewNames
from deepprove_dist.quantise.plan import Plan
from deepprove_dist.quantise.precision import choose_precision
from deepprove_dist.quantise.ranges import MAXIMUM, RANGE_RULES
from deepprove_dist.quantise.shared_constants import share_constants
from deepprove_dist.quantise.shared_nodes import share_nodes
from deepprove_dist.quantise.steps import LinearStep, Step
from deepprove_dist.quantise.table_sizes import TableSizes
from deepprove_dist.quantise.widths import choose_widths


@dataclass(frozen=True)
class QuantisedModel:
    """An integer model, the reports of its accumulators in order, and the rule that chose its ranges.

    ``undefined``: layers with a function that is not defined everywhere in range, and such an argument.
    ``coarse_tables``: how many tables were made coarser, since all of them together bend too often for a key.
    """

    model: IntegerModel
    layers: tuple[LayerReport, ...]
    range_rule: str
    undefined: Mapping[str, float] = field(default_factory=dict)
    coarse_tables: int = 0

    @cached_property
    def runs(self) -> IntegerRuns:
        """The model's runs on samples."""
        return IntegerRuns(self.model)


def quantise(
    graph: FloatGraph,
    statistics: Mapping[str, Statistics],
    activation_bits: int = 8,
    range_rule: str = MAXIMUM,
    inputs: Mapping[str, Format] | None = None,
    *,
    rounded: bool = False,
    limited: bool = True,
) -> QuantisedModel:
    """Quantises a float graph with the statistics of its calibration; ``range_rule`` is one of RANGE_RULES.

    ``inputs`` are the inputs' formats; without them each holds what the statistics say in activation bits.
    ``rounded`` makes tables whose sizes tell little of the weights, for keys that hide these. Without
    ``limited`` tables may bend more often than a key has room for.

    Raises ChoiceError for activation bits other than 8 to 12, and for an unknown rule. Raises
    QuantisationError for a layer that no scale fits into the field.
    """
    require_choice("activation bits", activation_bits, ACTIVATION_BITS)
    require_choice("range rule", range_rule, RANGE_RULES)
    if inputs is None:
        ends = {name: (statistics[name].lowest, statistics[name].highest) for name in graph.inputs}
        inputs = {name: choose_format(*ends[name], activation_bits, ends[name][0] >= 0) for name in ends}
        inputs |= {name: whole_format(name, ends[name], limits) for name, limits in graph.wholes.items()}
    rule, sizes = RANGE_RULES[range_rule], TableSizes.of(graph, activation_bits)
    choices = CalibratedChoices(statistics, inputs, rule, activation_bits, sizes)
    planned = _Planned.of(graph, choices)
    widths = choose_widths(planned.plan.steps, statistics, activation_bits)
    if widths:
        choices = replace(choices, widths=widths)
        planned = _Planned.of(graph, choices)
    bends = _bends(planned.plan.steps) if limited else []
    shared = sizes.shared_by(bends)
    if shared == sizes:
        return _quantise(planned, graph, range_rule, rounded=rounded)
    planned = _Planned.of(graph, replace(choices, sizes=shared))
    quantised = _quantise(planned, graph, range_rule, rounded=rounded)
    return replace(quantised, coarse_tables=sum(needed > shared.bends for needed in bends))


def _bends(steps: Sequence[Step]) -> Sequence[int]:
    """How often each table of a function that is not linear by pieces bends."""
    linear = [step for step in steps if isinstance(step, LinearStep)]
    curved = {step.shared: step for step in linear if not homogeneous(step.activation.function)}
    return [step.activation.bends(*step.sum.bounds()) for step in curved.values()]


def quantise_by(
    choices: CalibratedChoices, graph: FloatGraph, range_rule: str, *, rounded: bool = False
) -> QuantisedModel:
    """Quantises a float graph by these choices; ``range_rule`` names them. Raises as `quantise` does."""
    return _quantise(_Planned.of(graph, choices), graph, range_rule, rounded=rounded)


@dataclass(frozen=True)
class _Planned:
    """A plan by choices, and the names that it has given."""

    choices: CalibratedChoices
    plan: Plan
    names: NewNames

    @classmethod
    def of(cls, graph: FloatGraph, choices: CalibratedChoices) -> "_Planned":
        """The plan of a graph."""
        names = NewNames((*graph.inputs, *graph.outputs))
        return cls(choices, Plan(graph, choices, names), names)


def _quantise(planned: _Planned, graph: FloatGraph, range_rule: str, *, rounded: bool) -> QuantisedModel:
    plan, names = planned.plan, planned.names
    linear = [step for step in plan.steps if isinstance(step, LinearStep)]
    chosen = choose_precision(linear, planned.choices.statistics, rounded=rounded)
    precision = {step.target.name: choice for step, choice in zip(linear, chosen, strict=True)}
    emitter = Emitter(plan.inputs, plan.steps, precision, names, rounded=rounded)
    model = assemble(graph, plan, emitter)
    return QuantisedModel(model, tuple(emitter.layers), range_rule, emitter.undefined)


def assemble(graph: FloatGraph, plan: Plan, emitter: Emitter) -> IntegerModel:
    """The integer model of a plan and what was emitted for it; outputs that are other tensors become views.

    Raises ModelError where the nodes are ill-formed or could wrap.
    """
    nodes = list(emitter.nodes)
    for output, tensor in plan.outputs.items():
        if tensor.name != output:
            shape = graph.shapes[graph.outputs[output]]
            nodes.append(reshape_node(output, tensor.name, output, shape))
    inputs = tuple(_public(tensor.name, graph.shapes[tensor.name], tensor.format) for tensor in plan.inputs)
    narrowed = {name: narrow(values) for name, values in emitter.constants.items()}
    constants, nodes = share_constants(narrowed, nodes)
    chosen = {*plan.outputs, *(step.target.name for step in plan.steps)}
    nodes, formats = share_nodes(nodes, emitter.formats, chosen)
    read = {name for node in nodes for name in node.inputs}
    constants = {name: values for name, values in constants.items() if name in read}
    analysis = derive(inputs, constants, nodes)
    outputs = tuple(
        ModelTensor(name, analysis.shapes[name], *analysis.intervals[name], tensor.format.scale)
        for name, tensor in plan.outputs.items()
    )
    model = IntegerModel(inputs, outputs, constants, tuple(nodes), formats)
    require_whole(model, analysis)
    return model


def _public(name: str, shape: Shape, format: Format) -> ModelTensor:
    return ModelTensor(name, shape, *format.interval, format.scale)
