"""The error that quantisation makes, layer by layer, on given samples."""

from dataclasses import dataclass

import numpy as np

from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.quantise.emit import LayerReport
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import QuantisedModel
from deepprove_dist.samples import Samples, quantise_inputs


@dataclass(frozen=True)
class LayerError:
    """Differences between a layer's dequantised integers and its float values: root of their mean square, and
    largest.

    ``relative`` is the former over the root of the mean square of the float values (0 where they are all
    zero). All are None for a layer that no float tensor corresponds to.
    """

    layer: LayerReport
    mean: float | None
    relative: float | None
    largest: float | None


def layer_errors(quantised: QuantisedModel, float_model: FloatModel, samples: Samples) -> list[LayerError]:
    """Errors of every linear layer, in order; inputs beyond the calibrated range are clamped."""
    runner = IntegerRunner(quantised.model)
    compared = [(place, layer) for place, layer in enumerate(quantised.layers) if layer.reference]
    count = len(quantised.layers)
    squares, values, largest = np.zeros(count), np.zeros(count), np.zeros(count)
    sizes = np.zeros(count)
    for index, real in enumerate(float_model.run(samples)):
        integers = quantise_inputs(quantised.model, samples.select(index).inputs, clamp=True)
        trace = runner.run(integers)
        for place, layer in compared:
            expected = real[layer.reference].ravel()
            difference = trace.values[layer.tensor].ravel() * layer.scale - expected
            squares[place] += np.square(difference).sum()
            values[place] += np.square(expected).sum()
            sizes[place] += expected.size
            largest[place] = max(largest[place], np.abs(difference).max())
    relative = np.sqrt(np.divide(squares, values, out=np.zeros(count), where=values > 0))
    means = np.sqrt(squares / np.maximum(sizes, 1))
    return [
        LayerError(layer, float(means[place]), float(relative[place]), float(largest[place]))
        if layer.reference
        else LayerError(layer, None, None, None)
        for place, layer in enumerate(quantised.layers)
    ]
