"""Planning a quantised model: the steps in order, and the format of every integer tensor.

A layer's target scale is that of its calibrated values, made coarser where the interval bound would otherwise
allow more quotients than a table may have. An output that is an accumulator gets the scale at which the
rounding of the layer's weights is OUTPUT_PRECISION times smaller than the largest calibrated value, or the
finest that the field holds.
"""

from collections.abc import Mapping

from deepprove_dist.errors import QuantisationError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.importing.float_graph import FloatActivation, FloatDense, FloatGraph, FloatReshape
from deepprove_dist.quantise.activations import IDENTITY, NON_NEGATIVE
from deepprove_dist.quantise.calibrate import Statistics
from deepprove_dist.quantise.demands import PUBLIC, Demands, find_demands
from deepprove_dist.quantise.format import Format, choose_format
from deepprove_dist.quantise.linear import real_bounds, rounding_bound, rounding_error
from deepprove_dist.quantise.names import Names
from deepprove_dist.quantise.steps import LinearStep, PublicStep, ReshapeStep, Step, TableStep, Tensor

MAX_QUOTIENTS = 2**18
OUTPUT_PRECISION = 2**12


class Plan:
    """The ``steps`` in topological order, the ``inputs``, and each output's integer tensor by ONNX name."""

    def __init__(
        self, graph: FloatGraph, statistics: Mapping[str, Statistics], bits: int, names: Names
    ) -> None:
        self._statistics = statistics
        self._bits = bits
        self._names = names
        self._demands: Demands = find_demands(graph)
        self._made: dict[tuple[str, str], Tensor] = {}
        self.steps: list[Step] = []
        self.inputs = [self._input(name) for name in graph.inputs]
        for node in graph.nodes:
            for form, reference in self._demands[node.output].items():
                match node:
                    case FloatDense():
                        self._made[node.output, form] = self._dense(node, form, reference)
                    case FloatActivation():
                        self._made[node.output, form] = self._activation(node, form, reference)
                    case FloatReshape():
                        shape = graph.shapes[node.output]
                        self._made[node.output, form] = self._reshape(node, form, reference, shape)
        self.outputs = {name: self._made[tensor, PUBLIC] for name, tensor in graph.outputs.items()}

    def _input(self, name: str) -> Tensor:
        statistics = self._statistics[name]
        tensor = Tensor(name, name, self._format(name, statistics.lowest >= 0))
        for form, reference in self._demands[name].items():
            if form in (IDENTITY, PUBLIC):
                self._made[name, form] = tensor
            else:
                self._made[name, form] = self._table(name, tensor, form, reference)
        return tensor

    def _dense(self, layer: FloatDense, form: str, reference: str) -> Tensor:
        source = self._made[layer.input, IDENTITY]
        lowest, highest = real_bounds(layer, source.format)
        if form == PUBLIC:
            target = Tensor(self._names.fresh(reference), reference, self._public_format(layer, source))
            self.steps.append(PublicStep(layer, source, target))
            return target
        chosen = self._format(reference, form in NON_NEGATIVE)
        scale = max(chosen.scale, (highest - lowest) / MAX_QUOTIENTS)
        target = Tensor(self._names.fresh(reference), reference, Format(scale, chosen.lo, chosen.hi))
        self.steps.append(LinearStep(layer, source, target, form))
        return target

    def _public_format(self, layer: FloatDense, source: Tensor) -> Format:
        statistics = self._statistics[layer.output]
        bound = max(map(abs, real_bounds(layer, source.format)))
        room = LARGEST_SIGNED - rounding_bound(layer, source.format) - 1
        if room <= 0:
            raise QuantisationError(f"'{layer.name}' has too many inputs for sums to fit the field")
        largest = max(-statistics.lowest, statistics.highest)
        error = rounding_error(source.format, self._statistics[layer.input].mean_square)
        scale = max(largest / (error * OUTPUT_PRECISION), bound / room)
        return Format(scale if scale > 0 else 1.0, -LARGEST_SIGNED, LARGEST_SIGNED)

    def _activation(self, node: FloatActivation, form: str, reference: str) -> Tensor:
        tensor = self._made[node.input, node.kind]
        if form in (IDENTITY, PUBLIC):
            return tensor
        return self._table(node.name, tensor, form, reference)

    def _table(self, node: str, source: Tensor, form: str, reference: str) -> Tensor:
        # The source's scale serves the result too: identity and ReLU commute with scaling, and stay exact.
        lo = 0 if form in NON_NEGATIVE else source.format.lo
        target = Tensor(
            self._names.fresh(reference), reference, Format(source.format.scale, lo, source.format.hi)
        )
        self.steps.append(TableStep(node, source, target, form))
        return target

    def _reshape(self, node: FloatReshape, form: str, reference: str, shape: tuple[int, ...]) -> Tensor:
        source = self._made[node.input, form]
        target = Tensor(self._names.fresh(reference), reference, source.format)
        self.steps.append(ReshapeStep(node.name, source, target, shape))
        return target

    def _format(self, tensor: str, non_negative: bool) -> Format:
        statistics = self._statistics[tensor]
        return choose_format(statistics.lowest, statistics.highest, self._bits, non_negative)
