"""Whether a network's answer is right."""

from __future__ import annotations

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.samples import Samples


def is_right(output: FloatArray, samples: Samples, sample: int) -> bool | None:
    """Whether the largest of a sample's outputs is its label's; None for samples without labels."""
    return None if samples.labels is None else int(np.argmax(output)) == int(samples.labels[sample])
