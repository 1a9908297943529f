"""Ordinary samples: those whose inputs and outputs lie where nearly all others lie.

One wild value stretches the range of a tensor, and with it the spread that errors are compared with. The
error of all other samples would vanish beside it. So errors are measured on ordinary samples. Nine in ten
samples keep a distance from the median. One with a value further than FAR times that is not ordinary.
"""

from dataclasses import dataclass

import numpy as np

from deepprove_dist.arrays import FloatArray, IntArray, Mask
from deepprove_dist.quantise.channels import MOST_CHANNELS
from deepprove_dist.samples import Samples

FAR = 20.0
MOST_CENTILE = 90

# Where more samples than this share lie far off, that is how the data are.
RARE = 0.05


@dataclass(frozen=True)
class Marked:
    """Samples, and which of them are ordinary [N]."""

    samples: Samples
    ordinary: Mask

    @classmethod
    def by_inputs(cls, samples: Samples) -> "Marked":
        """Samples are ordinary if they are at every input."""
        return cls(samples, np.all([ordinary(values) for values in samples.inputs.values()], axis=0))

    def take(self, indices: IntArray) -> "Marked":
        """The samples at these indices."""
        return Marked(self.samples.take(indices), self.ordinary[indices])


def ordinary(values: FloatArray) -> Mask:
    """Which samples are ordinary [N], by a tensor's values [N, *shape]."""
    rows = values.reshape(len(values), -1)
    if rows.shape[1] > MOST_CHANNELS:
        rows = np.abs(rows).max(axis=1, keepdims=True)
    distances = np.abs(rows - np.median(rows, axis=0))
    usual = np.percentile(distances, MOST_CENTILE, axis=0)
    # An element that is nearly always the same is measured by the others.
    varying = distances[distances > 0]
    usual[usual == 0] = np.percentile(varying, MOST_CENTILE) if varying.size else 0.0
    far: Mask = np.any(distances > FAR * usual, axis=1)
    return ~far if far.sum() <= max(1, RARE * len(far)) else np.ones_like(far)
