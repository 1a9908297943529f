"""Choosing how ranges are calibrated: the rule whose integer model comes closest on calibration samples."""

from collections.abc import Mapping

import numpy as np

from deepprove_dist.errors import QuantisationError
from deepprove_dist.importing.float_graph import FloatGraph
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.inputs import choose_inputs
from deepprove_dist.quantise.quantise import QuantisedModel, quantise
from deepprove_dist.quantise.ranges import METHODS
from deepprove_dist.samples import FloatArray, Samples, quantise_inputs

# Samples that candidates are compared on.
COMPARED = 32

# A rule that clamps values has to be this much better than one before it that clamps fewer.
IMPROVEMENT = 0.95


def quantise_best(
    graph: FloatGraph,
    float_model: FloatModel,
    samples: Samples,
    activation_bits: int = 8,
    method: str = "auto",
) -> QuantisedModel:
    """Quantises by each rule of a calibration method, and takes the one with the smallest error of outputs.

    Raises QuantisationError for an unknown method and as `quantise` does.
    """
    if method not in METHODS:
        raise QuantisationError(f"calibration methods are {', '.join(METHODS)}, not '{method}'")
    statistics = calibrate(float_model, samples)
    inputs = choose_inputs(graph, float_model, samples, activation_bits)
    first, *others = (quantise(graph, statistics, activation_bits, rule, inputs) for rule in METHODS[method])
    if not others:
        return first
    compared = samples.first(COMPARED)
    real = list(float_model.run(compared))
    expected = {name: np.stack([values[tensor] for values in real]) for name, tensor in graph.outputs.items()}
    best, least = first, output_error(first, compared, expected)
    for candidate in others:
        error = output_error(candidate, compared, expected)
        if error < IMPROVEMENT * least:
            best, least = candidate, error
    return best


def output_error(quantised: QuantisedModel, samples: Samples, expected: Mapping[str, FloatArray]) -> float:
    """Sum over outputs of their squared error, relative to their squared values [samples, *shape]."""
    integers = quantise_inputs(quantised.model, samples.inputs, clamp=True)
    outputs = IntegerRunner(quantised.model).outputs(integers)
    error = 0.0
    for tensor in quantised.model.outputs:
        real = expected[tensor.name]
        squares = np.square(outputs[tensor.name] * tensor.scale - real).sum()
        error += float(squares) / (float(np.square(real).sum()) or 1.0)
    return error
