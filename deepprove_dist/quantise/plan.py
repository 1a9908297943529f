"""Planning a quantised model: the steps in order, and the format of every integer tensor.

A layer's target scale is that of its calibrated values, made coarser where the interval bound would otherwise
allow more quotients than a table may have. An output that is an accumulator gets the scale at which the
rounding of the layer's weights is OUTPUT_PRECISION times smaller than the largest calibrated value, or the
finest that the field holds.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import floor, log2, prod

from deepprove_dist.errors import QuantisationError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.importing.float_graph import (
    FloatActivation,
    FloatAveragePool,
    FloatConcat,
    FloatConv,
    FloatDense,
    FloatGraph,
    FloatMaxPool,
    FloatNode,
    FloatPad,
    FloatReshape,
    FloatSum,
    FloatTranspose,
)
from deepprove_dist.importing.pointwise import IDENTITY, Function
from deepprove_dist.model.integer_model import Attribute
from deepprove_dist.quantise.activations import (
    Activation,
    choose_activation,
    homogeneous,
    keeps_format,
    non_negative,
)
from deepprove_dist.quantise.calibrate import Statistics
from deepprove_dist.quantise.demands import PUBLIC, Demands, Form, find_demands, find_summands, read_form
from deepprove_dist.quantise.format import Format, choose_format
from deepprove_dist.quantise.names import Names
from deepprove_dist.quantise.ranges import Range
from deepprove_dist.quantise.steps import Accumulation, LinearStep, NodeStep, PublicStep, Step, TableStep
from deepprove_dist.quantise.summands import Average, Layer, Multiple, Summand
from deepprove_dist.quantise.tensor import Tensor

MAX_QUOTIENTS = 2**18
OUTPUT_PRECISION = 2**12

# An average keeps its source's scale, or a half or quarter of it and so on, where it loses less range than
# this: its multiplier is exact then with a small shift.
SNAP = 1.4


class Plan:
    """The ``steps`` in topological order, the ``inputs``, and each output's integer tensor by ONNX name."""

    def __init__(
        self,
        graph: FloatGraph,
        statistics: Mapping[str, Statistics],
        ranges: Mapping[str, Range],
        bits: int,
        names: Names,
    ) -> None:
        """``ranges``: of the values of each tensor that its format has to hold."""
        self._graph = graph
        self._statistics = statistics
        self._ranges = ranges
        self._bits = bits
        self._names = names
        self._demands: Demands = find_demands(graph)
        self._summands = find_summands(graph)
        self._made: dict[tuple[str, Form], Tensor] = {}
        self.steps: list[Step] = []
        self.inputs = [self._input(name) for name in graph.inputs]
        for node in graph.nodes:
            for form, reference in self._demands[node.output].items():
                if (node.output, form) not in self._made:
                    self._made[node.output, form] = self._make(node, form, reference)
        self.outputs = {name: self._made[tensor, PUBLIC] for name, tensor in graph.outputs.items()}

    def _make(self, node: FloatNode, form: Form, reference: str) -> Tensor:
        match node:
            case FloatActivation():
                tensor = self._made[node.input, node.function]
                return self._activated(node.name, tensor, form, reference)
            case FloatReshape() | FloatTranspose():
                return self._moved(node, (self._made[node.input, form],), reference)
            case FloatMaxPool() | FloatConcat() | FloatPad():
                return self._gathered(node, form, reference)
            case _:
                return self._linear(node, form, reference)

    def _input(self, name: str) -> Tensor:
        statistics = self._statistics[name]
        # A value beyond an input's range is refused, not clamped: it has to hold all that calibration saw.
        format = choose_format(statistics.lowest, statistics.highest, self._bits, statistics.lowest >= 0)
        tensor = Tensor(name, name, format)
        for form, reference in self._demands[name].items():
            self._made[name, form] = self._activated(name, tensor, form, reference)
        return tensor

    def _linear(self, node: FloatNode, form: Form, reference: str) -> Tensor:
        summands, constant = self._summands_of(node, 1.0)
        elements = prod(self._graph.shapes[node.output])
        sum_ = Accumulation(node.name, tuple(summands), constant, elements)
        if not isinstance(form, Function):
            target = self._target(reference, self._public_format(node, sum_))
            self.steps.append(PublicStep(sum_, target))
            return target
        lowest, highest = sum_.bounds()
        format = self._format(reference, form, lowest, highest)
        if len(summands) == 1 and isinstance(node, FloatAveragePool) and homogeneous(form):
            format = _snapped(format, summands[0].source.format)
        activation = choose_activation(form, *self._ranges[node.output], format, highest - lowest)
        coarser = max(1.0, (highest - lowest) / MAX_QUOTIENTS / activation.unit)
        if homogeneous(form):
            format = replace(format, scale=coarser * format.scale)
        activation = Activation(form, coarser * activation.unit, format)
        held = node.output if form == IDENTITY else reference
        target = self._target(held, format, elements)
        self.steps.append(LinearStep(sum_, target, activation.unit, activation.normalised(lowest, highest)))
        return target

    def _summands_of(self, node: FloatNode, factor: float) -> tuple[list[Summand], float]:
        """The summands of factor * node, and a constant; sums of sums are one."""
        match node:
            case FloatDense() | FloatConv():
                scaled = replace(node, weight=factor * node.weight, bias=factor * node.bias)
                return [Layer(self._made[node.input, IDENTITY], node.input, scaled)], 0.0
            case FloatAveragePool():
                return [Average(self._made[node.input, IDENTITY], node.input, factor, node)], 0.0
        assert isinstance(node, FloatSum), "a linear node"
        summands: list[Summand] = []
        constant = factor * node.constant
        for name, coefficient in zip(node.inputs, node.coefficients, strict=True):
            if name in self._summands:
                inner, further = self._summands_of(self._summands[name], factor * coefficient)
                summands += inner
                constant += further
            else:
                summands.append(Multiple(self._made[name, IDENTITY], name, factor * coefficient))
        return summands, constant

    def _public_format(self, node: FloatNode, sum_: Accumulation) -> Format:
        statistics = self._statistics[node.output]
        bound = max(map(abs, sum_.bounds()))
        room = LARGEST_SIGNED - sum_.rounding_bound() - 1
        if room <= 0:
            raise QuantisationError(f"'{node.name}' has too many inputs for sums to fit the field")
        largest = max(-statistics.lowest, statistics.highest)
        error = max(sum_.rounding_error(self._statistics, None), 0.5)
        scale = max(largest / (error * OUTPUT_PRECISION), bound / room)
        return Format(scale if scale > 0 else 1.0, -LARGEST_SIGNED, LARGEST_SIGNED)

    def _activated(self, node: str, source: Tensor, form: Form, reference: str) -> Tensor:
        """A form of a tensor that is quantised already."""
        if not isinstance(form, Function) or form == IDENTITY:
            return source
        format = keeps_format(form, source.format) or self._format(reference, form, *source.format.reals)
        target = self._target(reference, format)
        self.steps.append(TableStep(node, source, target, Activation(form, source.format.scale, format)))
        return target

    def _gathered(self, node: FloatNode, form: Form, reference: str) -> Tensor:
        """A form of what a node computes from several places of its inputs, all in one format."""
        inner = read_form(node, form)
        if inner != form:
            if (node.output, inner) not in self._made:
                self._made[node.output, inner] = self._gathered(node, inner, node.output)
            return self._activated(node.name, self._made[node.output, inner], form, reference)
        sources = [self._made[name, inner] for name in node.inputs]
        if len({source.format for source in sources}) > 1:
            positive = all(source.format.lo == 0 for source in sources)
            format = choose_format(*self._ranges[reference], self._bits, positive)
            sources = [self._reformatted(node.name, source, format) for source in sources]
        return self._moved(node, tuple(sources), reference)

    def _reformatted(self, node: str, source: Tensor, format: Format) -> Tensor:
        if source.format == format:
            return source
        target = Tensor(self._names.fresh(source.name), source.reference, format)
        activation = Activation(IDENTITY, source.format.scale, format)
        self.steps.append(TableStep(node, source, target, activation))
        return target

    def _moved(self, node: FloatNode, sources: tuple[Tensor, ...], reference: str) -> Tensor:
        operator, attributes = self._operator(node)
        target = self._target(reference, sources[0].format, prod(self._graph.shapes[node.output]))
        self.steps.append(NodeStep(operator, node.name, sources, target, attributes))
        return target

    def _operator(self, node: FloatNode) -> tuple[str, dict[str, Attribute]]:
        match node:
            case FloatReshape():
                return "reshape", {"shape": self._graph.shapes[node.output]}
            case FloatTranspose(permutation=permutation):
                return "transpose", {"permutation": permutation}
            case FloatConcat(axis=axis):
                return "concat", {"axis": axis}
            case FloatPad(pads=pads):
                return "pad", {"pads": pads}
        assert isinstance(node, FloatMaxPool), "a node that moves values"
        window = node.window
        return "max_pool", {
            "kernel": window.kernel,
            "strides": window.strides,
            "pads": window.pads,
            "dilations": window.dilations,
        }

    def _target(self, reference: str, format: Format, elements: int | None = None) -> Tensor:
        """A new tensor; it holds the reference if it has as many elements."""
        held = elements is None or prod(self._graph.shapes[reference]) == elements
        return Tensor(self._names.fresh(reference), reference if held else "", format)

    def _format(self, reference: str, function: Function, lowest: float, highest: float) -> Format:
        """The format of a function of arguments in [lowest, highest]."""
        positive = self._statistics[reference].lowest >= 0 and non_negative(function, lowest, highest)
        return choose_format(*self._ranges[reference], self._bits, positive)


def _snapped(format: Format, source: Format) -> Format:
    """The format with the source's scale over a power of two, if that is little more than its own."""
    # Equal scales may differ in their last bits.
    halvings = floor(log2(source.scale / format.scale) + 1e-9)
    scale = source.scale / 2**halvings
    return replace(format, scale=scale) if halvings >= 0 and scale <= SNAP * format.scale else format
