"""The formats of a model's inputs.

A value beyond an input's range is refused, not clamped. So the range holds all that calibration saw, and a
margin beyond it. An end that several samples reach exactly has no margin. It is a hard limit, such as that of
a pixel. Values of one sign keep it.

Inputs are public integers, which cost little. So a format takes as many bits as it needs for rounding to be
lost in the spread of the outputs. It is tried with one scale first. Then each channel has one, or each
element of an input without other axes.

An input of integers or truth values is exact, with the scale 1. Of 8 bits it has the range of its type.
Otherwise the samples say how far it reaches, with the same margin.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import ceil, floor

import numpy as np

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import QuantisationError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.operators.formats import Format
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Interval
from deepprove_dist.quantise.deviation import spread_of
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.format import choose_format
from deepprove_dist.quantise.needs import fixed_inputs
from deepprove_dist.samples import Samples

MARGIN = 0.25
"""How far a range reaches beyond the calibrated values, over their width."""
WIDE_BITS = (12, 16)
"""What an input takes where the bits of activations are too few."""
COMPARED_BITS = 20
"""What an input takes that is only compared with thresholds: few values lie within a step of one."""
# Of an input of its own scales, since fewer values say how far each may reach.
CHANNEL_MARGIN = 1.0

# How large the error of the outputs by rounding the inputs alone may be, over the outputs' spread.
ROUNDING_ERROR = 2**-8
# Samples that it is measured on; fewer of a large model.
COMPARED = 32

NARROW_TYPE = 2**8
"""How many values a type of integers has whose range is taken as a whole."""

HARD_SHARE = 0.1
"""The share of samples, two at least, that reach an end exactly where it is taken for a hard limit."""


def choose_inputs(
    graph: FloatGraph, float_model: FloatModel, samples: Samples, bits: int
) -> Mapping[str, Format]:
    """The coarsest of the candidate formats, for all inputs at once, that lose nothing at the outputs.

    Where all lose something, the finest. An input for which the model states a format has that one.
    """
    return input_formats(graph, samples, bits, find_candidate(graph, float_model, samples, bits))


def find_candidate(
    graph: FloatGraph,
    float_model: FloatModel,
    samples: Samples,
    bits: int,
    expected: Sequence[FloatArray] | None = None,
) -> int:
    """Which candidate `choose_inputs` takes, by the samples.

    ``expected``: the outputs [COMPARED, n] of the first samples, where they are known.
    """
    known = _known(graph, samples)
    if len(known) == len(graph.inputs):
        return 0
    compared = samples.first(COMPARED)
    if expected is None:
        expected = _outputs(graph, float_model, compared)
    candidates = list(_candidates(graph, samples, bits))
    for index, candidate in enumerate(candidates[:-1]):
        if _loses_nothing(graph, float_model, compared, {**candidate, **known}, expected):
            return index
    return len(candidates) - 1


def input_formats(graph: FloatGraph, samples: Samples, bits: int, candidate: int) -> Mapping[str, Format]:
    """The formats of a candidate, with the ranges of these samples."""
    known = _known(graph, samples)
    if len(known) == len(graph.inputs):
        return known
    return {**next(islice(_candidates(graph, samples, bits), candidate, None)), **known}


def _known(graph: FloatGraph, samples: Samples) -> dict[str, Format]:
    """The formats of inputs that have one way to be held."""
    known = {name: _whole(samples.inputs[name], name, ends) for name, ends in graph.wholes.items()}
    for name in find_compared(graph):
        if name not in known:
            known[name] = _by_channel(samples.inputs[name], graph.shapes[name], COMPARED_BITS)
    return {**known, **fixed_inputs(graph)}


def _loses_nothing(
    graph: FloatGraph,
    float_model: FloatModel,
    samples: Samples,
    formats: Mapping[str, Format],
    expected: Sequence[FloatArray],
) -> bool:
    """Whether rounding of the inputs is lost in the outputs' spread."""
    count = min(len(expected[0]), float_model.most_compared)
    rounded = {name: _rounded(formats[name], samples.inputs[name][:count]) for name in formats}
    outputs = list(graph.outputs.values())
    allowed = [count * values[0].size * (ROUNDING_ERROR * spread_of(values)) ** 2 for values in expected]
    squares = np.zeros(len(outputs))
    for index, run in enumerate(float_model.run(Samples(rounded, None), outputs)):
        errors = (values[index] - run[name].ravel() for values, name in zip(expected, outputs, strict=True))
        squares += [np.square(error).sum() for error in errors]
        # What is far too coarse is so on a sample or two. Of NaN neither holds.
        if not (squares <= allowed).all():
            return False
    return True


def widened(
    formats: Mapping[str, Format], graph: FloatGraph, samples: Samples, bits: int
) -> Mapping[str, Format]:
    """The inputs' formats beside activations of more bits than those that they were chosen with.

    One with fewer bits than activations gets as many. What is exact, compared or stated stays.
    """
    kept = {*graph.wholes, *find_compared(graph), *fixed_inputs(graph)}
    return {
        name: _one_scale(samples.inputs[name], bits)
        if name not in kept and format.hi - format.lo < 2**bits - 1
        else format
        for name, format in formats.items()
    }


def find_compared(graph: FloatGraph) -> list[str]:
    """The inputs that are only compared with thresholds, as they are or through views."""
    compared, others = set[str](), set(graph.outputs.values())
    for node in reversed(graph.nodes):
        view = node.is_affine and node.as_linear() is None and node.elementwise is None
        through = node.has_thresholds or (view and node.output in compared - others)
        (compared if through else others).update(node.inputs)
    return [name for name in graph.inputs if name in compared - others]


def _candidates(graph: FloatGraph, samples: Samples, bits: int) -> Iterator[Mapping[str, Format]]:
    values = {name: samples.inputs[name] for name in graph.inputs}
    for width in (bits, *WIDE_BITS):
        yield {name: _one_scale(array, width) for name, array in values.items()}
    for width in WIDE_BITS:
        yield {name: _by_channel(array, graph.shapes[name], width) for name, array in values.items()}


def _whole(values: FloatArray, name: str, ends: Interval) -> Format:
    """The exact format of an input, in the range of its type.

    Raises QuantisationError where the samples have larger values than the field's integers.
    """
    lowest, highest = _with_margin(values.reshape(len(values), -1), MARGIN)
    return whole_format(name, (lowest, highest), ends)


def whole_format(name: str, calibrated: tuple[float, float], ends: Interval) -> Format:
    """The exact format for values that reach to ``calibrated``, in the range ``ends`` of their type.

    Raises QuantisationError where they are larger than the field's integers.
    """
    if ends[1] - ends[0] < NARROW_TYPE:
        return Format(Scale.of(1.0), *ends)
    lowest, highest = min(0, floor(calibrated[0])), max(0, ceil(calibrated[1]))
    if max(-lowest, highest) > LARGEST_SIGNED:
        raise QuantisationError(
            f"input '{name}' has integers up to {max(-lowest, highest)}, but exact ones end at "
            f"{LARGEST_SIGNED}. Export the model with this input as float32"
        )
    return Format(Scale.of(1.0), max(lowest, ends[0]), min(highest, ends[1]))


def _one_scale(values: FloatArray, bits: int) -> Format:
    lowest, highest = _with_margin(values.reshape(len(values), -1), MARGIN)
    return choose_format(float(lowest), float(highest), bits, bool(lowest >= 0))


def _by_channel(values: FloatArray, shape: Shape, bits: int) -> Format:
    """A scale for each index of the axis of channels: axis 1, or the last one of sequences."""
    if len(shape) < 2:
        return _one_scale(values, bits)
    axis = len(shape) - 1 if len(shape) == 3 else 1
    channels = np.moveaxis(values, 1 + axis, 0).reshape(shape[axis], len(values), -1)
    ends = np.array([_with_margin(channel, CHANNEL_MARGIN) for channel in channels])
    # Of a channel that is constant, other channels say how large it may become.
    constant = np.ptp(channels.reshape(len(channels), -1), axis=1) == 0
    ends[constant] = np.stack(_with_margin(values.reshape(len(values), -1), MARGIN))
    lo, hi = (0, 2**bits - 1) if (ends >= 0).all() else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    scales = np.maximum(ends[:, 1] / hi, ends[:, 0] / lo if lo else 0.0)
    scales[scales <= 0] = scales.max() if scales.max() > 0 else 1.0 / hi
    sizes = [shape[axis] if index == axis else 1 for index in range(len(shape))]
    return Format(Scale.from_array(scales.reshape(sizes)), lo, hi)


def _with_margin(values: FloatArray, margin: float) -> tuple[float, float]:
    """The ends of the range for values [samples, n]."""
    lowest, highest = float(values.min()), float(values.max())
    further = margin * (highest - lowest)
    hard = max(2, HARD_SHARE * len(values))
    hard_lowest, hard_highest = ((values == end).any(axis=1).sum() >= hard for end in (lowest, highest))
    low, high = lowest - (0.0 if hard_lowest else further), highest + (0.0 if hard_highest else further)
    # Values of one sign keep it: functions may not be defined for others.
    return low if lowest < 0 else max(low, 0.0), high if highest > 0 else min(high, 0.0)


def _rounded(format: Format, values: FloatArray) -> FloatArray:
    scale = format.scale.array
    rounded: FloatArray = np.clip(np.rint(values / scale), format.lo, format.hi) * scale
    return rounded


def _outputs(graph: FloatGraph, float_model: FloatModel, samples: Samples) -> list[FloatArray]:
    """Each output's values [samples, n]."""
    runs = list(float_model.run(samples, graph.outputs.values()))
    return [np.stack([values[tensor].ravel() for values in runs]) for tensor in graph.outputs.values()]
