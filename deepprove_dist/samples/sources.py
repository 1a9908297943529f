"""All forms in which a user may give samples: a file's path, `Samples`, an array, or arrays by input name."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import SamplesError
from deepprove_dist.samples.files import read_samples
from deepprove_dist.samples.samples import Samples

SampleSource = str | PathLike[str] | Samples | npt.NDArray[Any] | Mapping[str, npt.ArrayLike]
"""A file's path, samples, an array [N, *shape] for a model of one input, or one for each input by name."""


def gather_samples(source: SampleSource, shapes: Mapping[str, Shape], *, scored: bool = False) -> Samples:
    """The samples that were given, arranged for graph inputs of these shapes.

    Answers in a file are read as `read_samples` reads them where samples are to be `scored`.

    Raises:
        SamplesError: for anything that is no samples, or does not fit the inputs.
    """
    if isinstance(source, Samples):
        return source.checked(shapes)
    if isinstance(source, (str, PathLike)):
        return read_samples(Path(source), shapes, scored=scored)
    if isinstance(source, (np.ndarray, Mapping)):
        return Samples.from_arrays(source, shapes)
    raise SamplesError(
        f"samples are a file's path, dp.Samples, an array, or arrays by input name, "
        f"not {type(source).__name__}"
    )
