"""Quantisation: a float graph and the statistics of its calibration become an exact integer model.

Plan formats, choose precisions for all layers together, emit nodes, name the outputs. The result is then
analysed as any model is: no input in range can wrap.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from deepprove_dist.errors import QuantisationError
from deepprove_dist.importing.float_graph import FloatGraph
from deepprove_dist.model.integer_model import IntegerModel, PublicTensor
from deepprove_dist.model.validate import analyse, derive
from deepprove_dist.quantise.calibrate import Statistics
from deepprove_dist.quantise.emit import Emitter, LayerReport
from deepprove_dist.quantise.names import Names, name_outputs
from deepprove_dist.quantise.plan import Plan
from deepprove_dist.quantise.precision import choose_precision
from deepprove_dist.quantise.ranges import MAXIMUM, RANGE_RULES
from deepprove_dist.quantise.steps import LinearStep

ACTIVATION_BITS = range(8, 13)


@dataclass(frozen=True)
class QuantisedModel:
    """An integer model, the reports of its accumulators in order, and the rule that chose its ranges."""

    model: IntegerModel
    layers: tuple[LayerReport, ...]
    range_rule: str


def quantise(
    graph: FloatGraph,
    statistics: Mapping[str, Statistics],
    activation_bits: int = 8,
    range_rule: str = MAXIMUM,
) -> QuantisedModel:
    """Quantises a float graph with the statistics of its calibration; ``range_rule`` is one of RANGE_RULES.

    Raises QuantisationError for activation bits other than 8 to 12, and for a layer that no scale fits into
    the field.
    """
    if activation_bits not in ACTIVATION_BITS:
        raise QuantisationError(f"activations have 8 to 12 bits, not {activation_bits}")
    names = Names(graph.inputs)
    rule = RANGE_RULES[range_rule]
    ranges = {name: rule(found, activation_bits) for name, found in statistics.items()}
    plan = Plan(graph, statistics, ranges, activation_bits, names)
    linear = [step for step in plan.steps if isinstance(step, LinearStep)]
    chosen = choose_precision(linear, statistics)
    precision = {step.target.name: choice for step, choice in zip(linear, chosen, strict=True)}
    emitter = Emitter(plan.inputs, plan.steps, precision, names)
    nodes, renamed = name_outputs(
        emitter.nodes,
        {name: tensor.name for name, tensor in plan.outputs.items()},
        graph.inputs,
        {name: graph.shapes[tensor] for name, tensor in graph.outputs.items()},
        names,
    )
    inputs = tuple(
        PublicTensor(tensor.name, graph.shapes[tensor.name], *tensor.format.interval, tensor.format.scale)
        for tensor in plan.inputs
    )
    analysis = derive(inputs, emitter.constants, nodes)
    outputs = tuple(
        PublicTensor(name, analysis.shapes[name], *analysis.intervals[name], tensor.format.scale)
        for name, tensor in plan.outputs.items()
    )
    model = IntegerModel(inputs, outputs, emitter.constants, nodes)
    analyse(model)
    layers = (replace(layer, tensor=renamed.get(layer.tensor, layer.tensor)) for layer in emitter.layers)
    return QuantisedModel(model, tuple(layers), range_rule)
