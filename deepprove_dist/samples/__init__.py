"""Samples: what a user gives to calibrate, to score and to prove."""

from deepprove_dist.samples.arrays import arrange, arrange_one_or_more
from deepprove_dist.samples.files import read_samples
from deepprove_dist.samples.samples import Samples

__all__ = ["Samples", "arrange", "arrange_one_or_more", "read_samples"]
