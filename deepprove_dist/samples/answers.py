"""What a file says that a model should answer: labels of classes, or real targets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.errors import SamplesError
from deepprove_dist.samples.arrays import require_finite, require_numbers


@dataclass(frozen=True)
class Answers:
    """What may be labels or targets, and the key under which it stands in the file."""

    key: str
    values: npt.ArrayLike


def read_labels(path: Path, answers: Answers, count: int) -> IntArray:
    """Class indices, int64 [count], from integers or from one-hot rows.

    Raises:
        SamplesError: for anything else.
    """
    source = f"{path}: '{answers.key}'"
    array = require_numbers(source, answers.values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and ((array == 1).sum(1) == 1).all() and ((array != 0).sum(1) == 1).all():
        array = array.argmax(axis=1)
    whole = array.dtype.kind in "fiu" and np.isfinite(array).all() and (array == np.trunc(array)).all()
    if array.ndim != 1 or not whole:
        raise SamplesError(
            f"{source}: labels are integers or one-hot rows, not {array.dtype} of shape {array.shape}"
        )
    if len(array) != count:
        raise SamplesError(f"{path}: there are {len(array)} labels for {count} samples")
    return array.astype(np.int64)


def read_targets(path: Path, answers: Answers, count: int) -> FloatArray:
    """Real targets, finite float64 [count, n].

    Raises:
        SamplesError: for values that are no numbers, and for another number of rows.
    """
    source = f"{path}: '{answers.key}'"
    array = require_numbers(source, answers.values)
    if array.ndim == 0 or len(array) != count or not array.size:
        raise SamplesError(f"{source} has the shape {array.shape} for {count} samples")
    values = array.reshape(count, -1).astype(np.float64)
    require_finite(source, values)
    return values
