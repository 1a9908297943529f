"""Functions that are not defined at all arguments which inputs in range may reach."""

from __future__ import annotations

from collections.abc import Iterator

from deepprove_dist.errors import AccuracyWarning, Cause
from deepprove_dist.quantise.quantise import QuantisedModel


def undefined_warnings(quantised: QuantisedModel) -> Iterator[AccuracyWarning]:
    """One for each layer with such a function."""
    for layer, argument in quantised.undefined.items():
        yield AccuracyWarning(
            layer=layer,
            cause=Cause.UNDEFINED,
            message=(
                f"the function of layer '{layer}' is not defined at {argument:g}, which no calibration "
                "sample reached, but inputs in range may. It counts as the nearest value at which it is"
            ),
            remedy="If such inputs matter, bound its argument in the model (Relu, Clip, Abs).",
        )
