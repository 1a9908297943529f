"""Whether samples can calibrate a model at all: they have to differ, and there have to be a few of them."""

from deepprove_dist.arrays import FloatArray
from deepprove_dist.errors import AccuracyWarning, Cause, SamplesError
from deepprove_dist.quantise.select import FEWEST
from deepprove_dist.samples import Samples

_ADVICE = "give a hundred or more samples, like those that the model will be asked for"


def require_usable(samples: Samples) -> tuple[AccuracyWarning, ...]:
    """Warnings for few samples, and for an input of several that never changes.

    Raises SamplesError for one sample, and where all samples are equal.
    """
    count = len(samples)
    if count == 1:
        raise SamplesError(f"one sample does not tell the ranges of a model's tensors: {_ADVICE}")
    constant = [name for name, values in samples.inputs.items() if _constant(values)]
    if len(constant) == len(samples.inputs):
        zeros = not any(values.any() for values in samples.inputs.values())
        how = "all zero" if zeros else "all equal"
        raise SamplesError(f"the {count} calibration samples are {how}, so they tell no ranges: {_ADVICE}")
    warnings = [_constant_input(name, samples.inputs[name]) for name in constant]
    if count < FEWEST:
        warnings.append(
            AccuracyWarning(
                layer="",
                cause=Cause.FEW_SAMPLES,
                message=(
                    f"{count} calibration samples are too few to hold some out. So rules for ranges were not "
                    "compared, and the error on other samples is not known"
                ),
                remedy=f"{_ADVICE.capitalize()}.",
            )
        )
    return tuple(warnings)


def _constant(values: FloatArray) -> bool:
    return bool((values == values[:1]).all())


def _constant_input(name: str, values: FloatArray) -> AccuracyWarning:
    what = "the same in all calibration samples" if values.any() else "zero in all calibration samples"
    return AccuracyWarning(
        layer=name,
        cause=Cause.CONSTANT_INPUT,
        message=f"input '{name}' is {what}: other values of it are out of range, or inexact",
        remedy="Let it vary in the calibration samples, unless it is always the same.",
    )
