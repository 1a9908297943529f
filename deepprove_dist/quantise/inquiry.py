"""What is known about an inexact output, and experiments on it: another calibration, rule or width."""

from dataclasses import dataclass

import numpy as np

from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.quantise.calibrate import ChannelEnds
from deepprove_dist.quantise.calibration import Calibrated, Calibration
from deepprove_dist.quantise.channels import Channels
from deepprove_dist.quantise.deviation import DeviationSum
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.localise import Jump
from deepprove_dist.quantise.ordinary import Marked
from deepprove_dist.quantise.quantise import QuantisedModel
from deepprove_dist.quantise.report import Comparison, OutputError, compare
from deepprove_dist.samples import Samples

# What takes away this share of an error was its cause.
CURED = 0.5

NOISE = 2.0**-10
"""Noise at the inputs over their deviation: less than most models would notice."""


@dataclass(frozen=True)
class Judged:
    """A model and its comparison on samples that it is judged by; ``source`` says what these are.

    Above ``limit`` of its spread, an output's error is too large.
    """

    model: Calibrated
    samples: Marked
    comparison: Comparison
    source: str
    limit: float


@dataclass(frozen=True)
class Inquiry:
    """An output of a judged model that is inexact, and where that begins.

    Where ``channel`` is not None, only that channel is inexact.
    """

    float_model: FloatModel
    activation_bits: int
    judged: Judged
    output: OutputError
    channel: int | None
    jump: Jump

    @property
    def graph(self) -> FloatGraph:
        """The float graph."""
        return self.float_model.graph

    def ranges(self, tensor: str) -> ChannelEnds:
        """The lowest and the highest values [C] of a float tensor's channels, as calibration saw them."""
        return self.judged.model.calibration.statistics[tensor].channels

    def again(
        self,
        calibration: Calibration | None = None,
        bits: int | None = None,
        rule: str | None = None,
        *,
        limited: bool = True,
    ) -> QuantisedModel:
        """The model with another calibration, width or rule; without a key's limit on tables."""
        model = self.judged.model
        calibrated = (calibration or model.calibration).quantise(
            self.graph,
            bits or self.activation_bits,
            rule or model.quantised.range_rule,
            rounded=model.rounded,
            limited=limited,
        )
        return calibrated.quantised

    def cured_by(self, quantised: QuantisedModel) -> bool:
        """Whether another model's error at the output is less than half."""
        return self._error(quantised, self.judged.samples) < CURED * self.error

    @property
    def error(self) -> float:
        """The relative error at the output."""
        return error_of(self.output, self.channel)

    def error_of_noise(self) -> float:
        """The error at the output that NOISE at the inputs makes in the float model, without any rounding.

        It is 0 for a model whose inputs are all whole numbers.
        """
        marked = self._tried(self.judged.samples)
        samples = marked.samples.take(np.flatnonzero(marked.ordinary))
        tensor, channels = self.graph.outputs[self.output.name], Channels(self.graph)
        generator, total = np.random.default_rng(0), DeviationSum()
        noisy = {
            name: values
            if name in self.graph.wholes
            else values + NOISE * values.std() * generator.normal(size=values.shape)
            for name, values in samples.inputs.items()
        }
        runs = (self.float_model.run(Samples(inputs, None), [tensor]) for inputs in (samples.inputs, noisy))
        for real, moved in zip(*runs, strict=True):
            total.add(*(channels.split(tensor, values[tensor]) for values in (real, moved)))
        deviation = total.result()
        return deviation.relative if self.channel is None else float(deviation.channels[self.channel])

    def error_on_basis(self) -> float:
        """The error at the output on the samples that calibrated the model."""
        return self._error(self.judged.model.quantised, self.judged.model.calibration.basis)

    def _error(self, quantised: QuantisedModel, marked: Marked) -> float:
        outputs = compare(quantised, self.float_model, self._tried(marked), with_layers=False).outputs
        return next(error_of(output, self.channel) for output in outputs if output.name == self.output.name)

    def _tried(self, marked: Marked) -> Marked:
        most = min(self.float_model.most_tried, self.float_model.most_compared)
        return marked.take(np.arange(min(most, len(marked.samples))))


def error_of(output: OutputError, channel: int | None) -> float:
    """The relative error of an output, or of one channel of it."""
    deviation = output.deviation
    return deviation.relative if channel is None else float(deviation.channels[channel])
