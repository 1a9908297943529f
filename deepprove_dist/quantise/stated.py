"""Quantising a model that states the formats of its tensors itself: no calibration is needed.

Random inputs, within the ranges that the model states, stand for samples. They decide nothing about formats.
How finely factors are held follows from them, and what a report compares.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import SamplesError
from deepprove_dist.operators.formats import HIDDEN, Form, Format, Reference
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.quantise.activation_bits import ACTIVATION_BITS
from deepprove_dist.quantise.activations import Activation
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.calibration import Calibrated, Calibration
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.format import choose_format
from deepprove_dist.quantise.format_choices import CalibratedChoices
from deepprove_dist.quantise.names import NewNames
from deepprove_dist.quantise.needs import fixed_inputs
from deepprove_dist.quantise.ordinary import Marked
from deepprove_dist.quantise.plan import Plan
from deepprove_dist.quantise.quantise import quantise_by
from deepprove_dist.quantise.ranges import MAXIMUM, RANGE_RULES
from deepprove_dist.quantise.select import Selection
from deepprove_dist.quantise.steps import Accumulation
from deepprove_dist.samples import Samples

RANDOM_SAMPLES = 16
STATED = "the model's file"
NAMED = 3

# Of a tensor of 16 bits, and what is left of them where tables cannot be as wide.
WIDEST = 2**16 - 1
NARROW_BITS = 12


@dataclass(frozen=True)
class StatedChoices(CalibratedChoices):
    """Notes in ``missing`` the tensors for which calibration would have to choose a format."""

    missing: set[str] = field(default_factory=set)

    def activation(
        self, target: str, sum_: Accumulation, form: Form, reference: Reference, argument: Reference
    ) -> Activation:
        """As stated. An output under a function takes its width from samples.

        A tensor of 16 bits is rescaled for operators whose tables cannot be as wide.
        """
        if form.public:
            self.missing.add(reference.tensor)
        sources = [summand.source.format for summand in sum_.summands]
        if form == HIDDEN and [format.hi - format.lo for format in sources] == [WIDEST]:
            narrow = choose_format(*sum_.bounds(), NARROW_BITS, non_negative=sources[0].lo == 0)
            return Activation(form.function, narrow.unit, narrow)
        return super().activation(target, sum_, form, reference, argument)

    def _format(self, reference: Reference, form: Form, bits: int, lowest: float, highest: float) -> Format:
        self.missing.add(reference.tensor)
        return choose_format(-1.0, 1.0, bits, non_negative=False)


def quantise_as_stated(float_model: FloatModel, *, rounded: bool = False) -> Selection:
    """The model in its own formats; `rounded` as for `quantise`.

    Raises SamplesError, naming tensors, where the model does not state all formats.
    """
    graph = float_model.graph
    exact = Format(Scale.of(1.0), 0, 0)
    wholes = {
        name: replace(exact, lo=lowest, hi=highest)
        for name, (lowest, highest) in graph.wholes.items()
        if highest - lowest <= WIDEST
    }
    inputs = {**wholes, **fixed_inputs(graph)}
    _require(name for name in graph.inputs if name not in inputs)
    samples = _random(inputs, {name: graph.shapes[name] for name in inputs})
    statistics = calibrate(float_model, samples)
    choices = StatedChoices(statistics, inputs, RANGE_RULES[MAXIMUM], ACTIVATION_BITS[0])
    Plan(graph, choices, NewNames((*graph.inputs, *graph.outputs)))
    _require(choices.missing)
    quantised = quantise_by(choices, graph, STATED, rounded=rounded)
    calibration = Calibration(Marked.by_inputs(samples), statistics, inputs)
    return Selection(Calibrated(quantised, calibration, rounded), stated=True)


def _require(missing: Iterable[str]) -> None:
    """Raises SamplesError where formats are missing."""
    names = sorted(missing)
    if names:
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        listed = ", ".join(f"'{name}'" for name in names[:NAMED])
        raise SamplesError(
            f"calibration samples are needed: the model states no format for {listed}{more}. "
            "Give samples, or quantise these tensors too (QuantizeLinear, then DequantizeLinear)"
        )


def _random(formats: Mapping[str, Format], shapes: Mapping[str, Shape]) -> Samples:
    generator = np.random.default_rng(0)
    values = {
        name: generator.integers(format.lo, format.hi, (RANDOM_SAMPLES, *shapes[name]), endpoint=True)
        * format.scale.array
        for name, format in formats.items()
    }
    return Samples(values, None)
