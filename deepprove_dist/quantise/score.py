"""Accuracy of the float and of the integer model on labelled samples."""

from dataclasses import dataclass

import numpy as np

from deepprove_dist.errors import SamplesError
from deepprove_dist.importing.float_graph import FloatGraph
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.samples import Samples, count_outside, quantise_inputs


@dataclass(frozen=True)
class Score:
    """Fractions of the samples: right by the float model, right by the integer model, both of the same class.

    ``clamped`` counts the samples that have values beyond the calibrated input range.
    """

    float_accuracy: float
    quantised_accuracy: float
    agreement: float
    samples: int
    clamped: int


def score(model: IntegerModel, graph: FloatGraph, float_model: FloatModel, samples: Samples) -> Score:
    """Classifies each sample by its largest output (the first of equals), inputs clamped to the model's
    range.

    Raises SamplesError for samples without labels, and for a model with several outputs.
    """
    if samples.labels is None:
        raise SamplesError("the samples to score have no labels")
    if len(model.outputs) != 1:
        raise SamplesError("only a model with one output classifies samples")
    output = model.outputs[0].name
    integers = quantise_inputs(model, samples.inputs, clamp=True)
    scores = IntegerRunner(model).outputs(integers)[output]
    quantised = scores.reshape(len(samples), -1).argmax(axis=1)
    real = np.array([int(values[graph.outputs[output]].argmax()) for values in float_model.run(samples)])
    return Score(
        float_accuracy=float(np.mean(real == samples.labels)),
        quantised_accuracy=float(np.mean(quantised == samples.labels)),
        agreement=float(np.mean(real == quantised)),
        samples=len(samples),
        clamped=count_outside(model, samples.inputs),
    )
