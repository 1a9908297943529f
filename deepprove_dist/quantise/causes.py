"""Why an output is inexact: causes, each with the measurement that tells it, the plainest ones first."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

import numpy as np

from deepprove_dist.arrays import Mask
from deepprove_dist.errors import Cause
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.quantise.activation_bits import ACTIVATION_BITS, INEXACT
from deepprove_dist.quantise.calibration import Calibration
from deepprove_dist.quantise.inquiry import CURED, NOISE, Inquiry
from deepprove_dist.quantise.ranges import MAXIMUM
from deepprove_dist.quantise.table_sizes import MOST, MOST_BENDS

# A tensor's largest value over the centile of its others, from where it is an outlier.
OUTLYING = 10.0
CENTILE = 99

# An error over the spread that is none to explain.
FINE = 0.1

# A range in use of fewer levels than this share of those that the bits allow is coarse.
COARSE = 0.25

# A sum as an output, whose weights' rounding adds up, should have more levels than this.
FEWEST_LEVELS = 2**13

# A channel that one scale for all of them gives fewer levels than this is lost.
LOST = 8


@dataclass(frozen=True)
class Explanation:
    """A cause at a layer or tensor: ``reason`` and ``remedy`` are sentences without and with a full stop."""

    layer: str
    cause: Cause
    reason: str
    remedy: str


def explain(inquiry: Inquiry) -> Explanation:
    """The first cause that measurements confirm; rounding that a layer amplifies where none is."""
    for test in _TESTS:
        explanation = test(inquiry)
        if explanation is not None:
            return explanation
    name = inquiry.jump.at.name
    if not inquiry.jump.sources:
        return Explanation(
            name,
            Cause.FEW_BITS,
            "its integers are too coarse for values that vary so little beside their size",
            "Subtract the mean and scale to like ranges in front of the model. Or raise the activation bits "
            f"(activation_bits={max(ACTIVATION_BITS)}).",
        )
    return Explanation(
        name,
        Cause.AMPLIFICATION,
        "its function, or sums that cancel, make the rounding of its inputs larger",
        f"Let the model end in front of '{name}' and apply what follows to proven values. Or train it with "
        "smaller weights.",
    )


def _dead(inquiry: Inquiry) -> Explanation | None:
    """A tensor that was zero on all samples of calibration, and is not on others."""
    dead = [
        name
        for name, statistics in inquiry.judged.model.calibration.statistics.items()
        if statistics.lowest == statistics.highest == 0 and name in _upstream(inquiry)
    ]
    alive: dict[str, float] = dict.fromkeys(dead, 0.0)
    if dead:
        for values in inquiry.float_model.run(inquiry.judged.samples.samples):
            for name in dead:
                alive[name] = max(alive[name], float(np.abs(values[name]).max()))
    for name in dead:
        if alive[name] > 0:
            constant = name in inquiry.graph.inputs
            return Explanation(
                name,
                Cause.CONSTANT_INPUT if constant else Cause.DEAD_TENSOR,
                f"calibration saw only zeros in '{name}', which reaches {alive[name]:.3g} on other samples",
                "Add calibration samples on which it is not zero.",
            )
    return None


def _upstream(inquiry: Inquiry) -> set[str]:
    """All float tensors that the output depends on."""
    needed = {inquiry.graph.outputs[inquiry.output.name]}
    for node in reversed(inquiry.graph.nodes):
        if node.output in needed:
            needed.update(node.inputs)
    return needed


def _clipping(inquiry: Inquiry) -> Explanation | None:
    """A rule that clamps values, where the extremes do better."""
    rule = inquiry.judged.model.quantised.range_rule
    if rule == MAXIMUM or not inquiry.cured_by(inquiry.again(rule=MAXIMUM)):
        return None
    return Explanation(
        inquiry.jump.at.name,
        Cause.CLIPPING,
        f"the rule '{rule}' clamps values that matter",
        "Set ranges by the extremes: calibration_method='max'.",
    )


def _outlying_sample(inquiry: Inquiry) -> Explanation | None:
    """Samples far from all others, without which the range is narrower and the others exact."""
    marked = inquiry.judged.model.calibration.basis
    basis, ordinary = marked.samples, marked.ordinary
    if ordinary.all():
        return None
    others, outliers = marked.take(np.flatnonzero(ordinary)), basis.take(np.flatnonzero(~ordinary))
    if not inquiry.cured_by(
        inquiry.again(Calibration.of(inquiry.float_model, others, inquiry.activation_bits))
    ):
        return None
    usual, wild = (
        max(float(np.abs(values).max()) for values in samples.inputs.values())
        for samples in (others.samples, outliers)
    )
    return Explanation(
        inquiry.jump.at.name,
        Cause.OUTLIER,
        f"{len(outliers)} of {len(basis)} calibration samples lie far from all others (inputs up to "
        f"{wild:.3g}, others {usual:.3g}) and stretch its range",
        "Leave them out if they are mistakes; else scale or clip that feature in front of the model.",
    )


def _few_samples(inquiry: Inquiry) -> Explanation | None:
    """Samples that calibrated the model are exact, others are not."""
    basis, comparison = inquiry.judged.model.calibration.basis, inquiry.judged.comparison
    if inquiry.judged.samples is basis:
        return None
    if inquiry.error_on_basis() > min(CURED * inquiry.error, FINE):
        return None
    clamped = f", and {comparison.clamped} of {comparison.samples} were out of range"
    return Explanation(
        inquiry.jump.at.name,
        Cause.FEW_SAMPLES,
        f"the {len(basis.samples)} samples that set the ranges do not stand for others, which reach further"
        f"{clamped if comparison.clamped else ''}",
        "Calibrate on more samples, like those that the model will be asked for.",
    )


def _coarse_tables(inquiry: Inquiry) -> Explanation | None:
    """Tables that bend less often than they should, since a key has no room for them."""
    coarse = inquiry.judged.model.quantised.coarse_tables
    if not coarse or not inquiry.cured_by(inquiry.again(limited=False)):
        return None
    return Explanation(
        inquiry.jump.at.name,
        Cause.COARSE_TABLES,
        f"tables of functions ({coarse}) were made coarser, since a key has room for {MOST_BENDS:,} changes "
        "of slopes",
        "Use functions that are linear by pieces (Relu) in some layers, or prove the model in two parts.",
    )


def _bound(inquiry: Inquiry) -> Explanation | None:
    """A layer whose worst case takes so much room that few levels are left for the values it has."""
    layer = inquiry.jump.at.layer
    if layer is None:
        return None
    lowest, highest = inquiry.ranges(layer.reference)
    levels = float((highest.max() - lowest.min()) / np.max(layer.scale))
    if layer.table_size:
        quotients = layer.bound >> layer.shift
        coarse = levels < COARSE * 2**inquiry.activation_bits and quotients > MOST[0] // 8
        limited = coarse or layer.table_size > MOST[0] // 2
    else:
        limited = layer.bound > LARGEST_SIGNED // 4 and levels < FEWEST_LEVELS
    if not limited:
        return None
    return Explanation(
        layer.name,
        Cause.BOUND,
        f"its values get {max(1, round(levels))} levels only, since its sums could be much larger in the "
        "worst case",
        "Make its largest weights smaller (weight decay, or clip them), or give it fewer inputs.",
    )


def _unlike_sources(inquiry: Inquiry) -> Explanation | None:
    """What the layer reads has channels so small beside others that one scale loses them."""
    for name in reversed(inquiry.jump.between[1:]):
        lost = _lost_channels(inquiry, name)
        if lost.any():
            return _unlike(inquiry, name, lost)
    return None


def _unlike_channels(inquiry: Inquiry) -> Explanation | None:
    """The layer itself has such channels, and the error is theirs."""
    jump, deviation = inquiry.jump, inquiry.jump.at.deviation
    lost = _lost_channels(inquiry, jump.at.tensor)
    squares = deviation.errors**2
    theirs = squares[lost].sum() > CURED * squares.sum() or deviation.relative < FINE
    return _unlike(inquiry, jump.at.tensor, lost) if lost.any() and theirs else None


def _lost_channels(inquiry: Inquiry, tensor: str) -> Mask:
    """Which channels [C] a scale for the whole tensor gives few levels, while others have many."""
    lowest, highest = inquiry.ranges(tensor)
    widths = highest - lowest
    step = float(highest.max() - lowest.min()) / 2**inquiry.activation_bits
    lost: Mask = (widths > 0) & (widths < LOST * step) & (widths.max() > LOST * LOST * step)
    for known in (*inquiry.jump.sources, inquiry.jump.at):
        if known.tensor == tensor:
            # A tensor with a scale for each channel is exact in all of them.
            lost &= known.deviation.channels > 1 / (LOST * LOST)
    return lost


def _unlike(inquiry: Inquiry, tensor: str, lost: Mask) -> Explanation:
    lowest, highest = inquiry.ranges(tensor)
    widths = (highest - lowest)[highest > lowest]
    return Explanation(
        inquiry.jump.at.name,
        Cause.UNLIKE_CHANNELS,
        f"tensor '{tensor}' has one scale for channels from {widths.min():.2g} to {widths.max():.2g} wide, "
        f"which loses {int(lost.sum())} of {len(lost)}",
        "Bring them to like ranges in front of the model, or in the layers before.",
    )


def _outlying_value(inquiry: Inquiry) -> Explanation | None:
    """A tensor at the jump with a few values far beyond nearly all others."""
    for name in inquiry.jump.between:
        elements = np.abs(inquiry.judged.model.calibration.statistics[name].elements)
        others = elements[elements > 0]
        if not others.size:
            continue
        usual = float(np.percentile(others, CENTILE))
        largest = max(
            -inquiry.judged.model.calibration.statistics[name].lowest,
            inquiry.judged.model.calibration.statistics[name].highest,
        )
        if largest > OUTLYING * usual:
            return Explanation(
                inquiry.jump.at.name,
                Cause.OUTLIER,
                f"'{name}' reaches {largest:.3g}, but {CENTILE} % of its values stay within {usual:.3g}",
                "Try calibration_method='percentile', or bound the values in the model (clip, smaller "
                "weights).",
            )
    return None


def _few_bits(inquiry: Inquiry) -> Explanation | None:
    """More bits help."""
    most = max(ACTIVATION_BITS)
    if inquiry.activation_bits == most or not inquiry.cured_by(inquiry.again(bits=most)):
        return None
    return Explanation(
        inquiry.jump.at.name,
        Cause.FEW_BITS,
        f"{inquiry.activation_bits} activation bits are too few for it; {most} at least halve the error",
        f"Raise the activation bits, up to activation_bits={most}.",
    )


def _noisy(inquiry: Inquiry) -> Explanation | None:
    """A float model that makes noise larger from layer to layer, as networks do that were not trained."""
    if not inquiry.jump.is_gradual:
        return None
    error = inquiry.error_of_noise()
    if not isfinite(error) or error < min(CURED * inquiry.error, INEXACT):
        return None
    return Explanation(
        inquiry.jump.at.name,
        Cause.AMPLIFICATION,
        f"in the float model too, noise of {100 * NOISE:.1g} % of the inputs' deviation moves the output by "
        f"{100 * error:.3g} % of its spread",
        "Train the model, if its weights are random. Else look whether these samples differ in what it tells "
        "apart.",
    )


_TESTS: tuple[Callable[[Inquiry], Explanation | None], ...] = (
    _dead,
    _clipping,
    _outlying_sample,
    _few_samples,
    _coarse_tables,
    _unlike_sources,
    _outlying_value,
    _bound,
    _unlike_channels,
    _few_bits,
    _noisy,
)
