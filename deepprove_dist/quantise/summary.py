"""What a report says of a quantised model's inputs, layers and outputs: numbers and names only."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.quantise.deviation import Deviation
from deepprove_dist.quantise.diagnosis import Diagnosis
from deepprove_dist.quantise.report import LayerError
from deepprove_dist.samples import Samples
from deepprove_dist.samples.rounding import real_range


@dataclass(frozen=True)
class InputSummary:
    """The real values that an input may have, over all its elements.

    ``margin_below`` and ``margin_above``: how much further that is than the calibrated values, over their
    width. Where elements have scales of their own, it is the least of them. ``scales``: how many there are.
    """

    name: str
    lowest: float
    highest: float
    margin_below: float
    margin_above: float
    scales: int


@dataclass(frozen=True)
class LayerSummary:
    """An accumulator: the integer model's sizes, and its error over the spread of the float values.

    ``channel`` is the worst one with ``channel_error``, where channels differ much in spread. Errors are None
    for a layer that no float tensor corresponds to.
    """

    layer: str
    kind: str
    weights: Shape
    bits: int
    shift: int
    limbs: tuple[int, ...]
    table: int
    bound: int
    error: float | None
    channel: int | None
    channel_error: float | None


@dataclass(frozen=True)
class OutputSummary:
    """An output on some samples: "calibration", "held out", "score", or "random" where none calibrated.

    The error is over the ``spread`` of the float values, or the share of wrong indices or labels. ``channel``
    is the worst one where channels differ much in spread. The share of equal answers is None for an output
    that is no vector of classes.
    """

    output: str
    samples: str
    error: float
    spread: float
    channel: int | None
    channel_error: float | None
    agreement: float | None


def summarise_inputs(model: IntegerModel, calibration: Samples) -> tuple[InputSummary, ...]:
    """Ranges of a model's inputs against the values of the samples that set them."""
    return tuple(_input(tensor, calibration.inputs[tensor.name]) for tensor in model.inputs)


def summarise_layer(error: LayerError) -> LayerSummary:
    """A layer of a report."""
    layer, deviation = error.layer, error.deviation
    return LayerSummary(
        layer.name,
        layer.kind,
        layer.weight_shape,
        layer.weight_bits,
        layer.shift,
        layer.limbs,
        layer.table_size,
        layer.bound,
        None if deviation is None else deviation.relative,
        *((None, None) if deviation is None else _worst(deviation)),
    )


def summarise_outputs(diagnosis: Diagnosis) -> Iterator[OutputSummary]:
    """Every output on every group of samples."""
    groups = {
        diagnosis.basis: diagnosis.calibration,
        "held out": diagnosis.held_out,
        "score": diagnosis.scored,
    }
    for samples, comparison in groups.items():
        for output in comparison.outputs if comparison is not None else ():
            deviation = output.deviation
            channel, error = _worst(deviation)
            yield OutputSummary(
                output.name, samples, output.error, deviation.spread, channel, error, output.agreement
            )


def _worst(deviation: Deviation) -> tuple[int | None, float | None]:
    channel = deviation.worst_channel
    return channel, None if channel is None else float(deviation.channels[channel])


def _input(tensor: ModelTensor, values: FloatArray) -> InputSummary:
    lowest, highest = real_range(tensor)
    scales = int(np.size(np.asarray(tensor.scale)))
    axes = 0 if scales > 1 else None
    calibrated_lowest = np.broadcast_to(values.min(axis=axes), tensor.shape)
    calibrated_highest = np.broadcast_to(values.max(axis=axes), tensor.shape)
    width = calibrated_highest - calibrated_lowest
    return InputSummary(
        tensor.name,
        float(lowest.min()),
        float(highest.max()),
        _least_share(calibrated_lowest - lowest, width),
        _least_share(highest - calibrated_highest, width),
        scales,
    )


def _least_share(room: FloatArray, width: FloatArray) -> float:
    """The least of room over width, of elements that vary; 0 where none does."""
    varies = width > 0
    # Calibration saw the values as float32: the ends may be that much nearer.
    return max(0.0, float((room[varies] / width[varies]).min())) if varies.any() else 0.0
