"""Samples: what a user gives to calibrate, to score and to prove."""

from deepprove_dist.arrays import FloatArray, Mask
from deepprove_dist.samples.arrays import arrange, arrange_one_or_more
from deepprove_dist.samples.files import read_samples
from deepprove_dist.samples.rounding import outside, quantise_inputs, real_range
from deepprove_dist.samples.samples import Samples

__all__ = [
    "FloatArray",
    "Mask",
    "Samples",
    "arrange",
    "arrange_one_or_more",
    "outside",
    "quantise_inputs",
    "read_samples",
    "real_range",
]
