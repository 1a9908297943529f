"""How far an integer model's outputs are from those of the float model it is said to be a quantisation of.

The structure of a quantised model follows from its formats, but the formats are its maker's: with scales far
too coarse every weight is zero. So both models are run, on samples given or on random ones.
"""

from collections.abc import Iterator

import numpy as np

from deepprove_dist.importing.float_graph import FloatGraph
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel, PublicTensor
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.samples import FloatArray, Samples, quantise_inputs

LARGEST_ERROR = 0.2
"""Of the outputs' spread, on samples of the model's kind: what set-up refuses beyond."""
LARGEST_RANDOM_ERROR = 0.75
"""On random inputs, which reach further beyond what activations were calibrated for than real ones do."""

RANDOM_SAMPLES = 16
# Random inputs are normal around the middle of their range, which reaches so many deviations to either side.
DEVIATIONS = 4.0


def strange_outputs(
    model: IntegerModel, graph: FloatGraph, float_model: FloatModel, samples: Samples | None
) -> list[str]:
    """The outputs whose error is too large; inputs beyond the model's range are clamped.

    The error is the root of the mean square, over how far the float model's elements vary between samples.
    """
    limit, kind = LARGEST_ERROR, "the samples"
    if samples is None:
        samples, limit, kind = random_samples(model), LARGEST_RANDOM_ERROR, "random inputs"
    real = list(float_model.run(samples))
    outputs = IntegerRunner(model).outputs(quantise_inputs(model, samples.inputs, clamp=True))
    strange = []
    for tensor in model.outputs:
        expected = np.stack([values[graph.outputs[tensor.name]] for values in real])
        error = spread_error(expected, tensor.scale.array * outputs[tensor.name])
        if error > limit:
            strange.append(
                f"on {kind}, output '{tensor.name}' is off by {error:.0%} of its spread in the ONNX model"
            )
    return strange


def random_samples(model: IntegerModel) -> Samples:
    """Inputs in the model's range, the same at each call."""
    generator = np.random.default_rng(0)
    return Samples(dict(_random_inputs(model.inputs, generator)), None)


def _random_inputs(
    tensors: tuple[PublicTensor, ...], generator: np.random.Generator
) -> Iterator[tuple[str, FloatArray]]:
    for tensor in tensors:
        middle, half = (tensor.hi + tensor.lo) / 2, (tensor.hi - tensor.lo) / 2
        drawn = generator.normal(middle, half / DEVIATIONS, size=(RANDOM_SAMPLES, *tensor.shape))
        yield tensor.name, np.clip(drawn, tensor.lo, tensor.hi) * tensor.scale.array


def spread_error(expected: FloatArray, actual: FloatArray) -> float:
    """Root of the mean squared error of [samples, ...] over the root of the mean variance of the expected
    elements between samples; over the size of the values where nothing varies.
    """
    error = float(np.sqrt(np.mean(np.square(expected - actual))))
    spread = float(np.sqrt(expected.var(axis=0).mean())) or float(np.sqrt(np.mean(np.square(expected))))
    return error / (spread or 1.0)
