"""How far an integer model's outputs are from those of the float model it is said to be a quantisation of.

The structure of a quantised model follows from its formats, but the formats are its maker's. With scales far
too coarse every weight is zero. So both models are run, on samples given or on random ones.
"""

from collections.abc import Iterator

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.quantise.diagnosis import REFUSED
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.ordinary import Marked
from deepprove_dist.quantise.quantise import QuantisedModel
from deepprove_dist.quantise.report import compare
from deepprove_dist.samples import Samples

LARGEST_RANDOM_ERROR = 0.75
"""On random inputs, which reach further beyond what activations were calibrated for than real ones do."""

RANDOM_SAMPLES = 16
# Random inputs are normal around the middle of their range, which reaches so many deviations to either side.
DEVIATIONS = 4.0


def strange_outputs(model: IntegerModel, float_model: FloatModel, samples: Samples | None) -> list[str]:
    """The outputs whose error over spread, measured as set-up does, is too large or not known."""
    limit, kind = REFUSED, "the samples"
    if samples is None:
        samples, limit, kind = random_samples(model), LARGEST_RANDOM_ERROR, "random inputs"
    with np.errstate(all="ignore"):
        compared = compare(QuantisedModel(model, (), ""), float_model, Marked.by_inputs(samples))
    strange = []
    for output in compared.outputs:
        where, error = f"on {kind}, output '{output.name}'", output.error
        if not np.isfinite(output.deviation.errors).all():
            strange.append(f"{where} is not finite in the ONNX model, so nothing can be compared")
        elif error > limit and output.index:
            strange.append(f"{where} has other indices than the ONNX model in {error:.0%} of its elements")
        elif error > limit:
            strange.append(f"{where} is off by {error:.0%} of its spread in the ONNX model")
    return strange


def random_samples(model: IntegerModel) -> Samples:
    """Inputs in the model's range, the same at each call."""
    generator = np.random.default_rng(0)
    return Samples(dict(_random_inputs(model.inputs, generator)), None)


def _random_inputs(
    tensors: tuple[ModelTensor, ...], generator: np.random.Generator
) -> Iterator[tuple[str, FloatArray]]:
    for tensor in tensors:
        middle, half = (tensor.hi + tensor.lo) / 2, (tensor.hi - tensor.lo) / 2
        drawn = generator.normal(middle, half / DEVIATIONS, size=(RANDOM_SAMPLES, *tensor.shape))
        # Whole numbers of steps: an input may be of integers.
        yield tensor.name, np.clip(np.rint(drawn), tensor.lo, tensor.hi) * tensor.scale.array
