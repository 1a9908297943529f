"""Arrays of samples as finite float64 [N, *shape]: the first axis counts samples.

A row may be flat, or have the tensor's shape up to axes of size 1. Nothing else is ever reshaped: values in
another order would be another input.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import InputError, SamplesError


def arrange(source: str, values: npt.ArrayLike, shape: Shape) -> FloatArray:
    """Values as float64 [N, *shape].

    Raises:
        SamplesError: for other shapes, values that are no numbers, NaN and infinity. Its text begins with
            `source`.
    """
    array = require_numbers(source, values)
    if array.ndim == 0 or len(array) == 0:
        raise SamplesError(f"{source} holds no samples; the first axis counts them")
    row = array.shape[1:]
    if not _fits(row, shape):
        raise SamplesError(
            f"{source} has rows of shape {row}; the model's input has {shape}, or {prod(shape)} flat"
        )
    # A value beyond float64 becomes infinite.
    with np.errstate(over="ignore"):
        result = array.reshape(len(array), *shape).astype(np.float64)
    require_finite(source, result)
    return result


def arrange_one_or_more(source: str, values: npt.ArrayLike, shape: Shape) -> FloatArray:
    """One sample, or several with one more axis in front, as float64 [N, *shape].

    Raises:
        SamplesError: as `arrange` does.
    """
    array = require_numbers(source, values)
    if array.size and _fits(array.shape, shape):
        array = array[np.newaxis]
    elif array.ndim == 0 or not _fits(array.shape[1:], shape):
        raise SamplesError(
            f"{source} has the shape {array.shape}; a sample has {shape}, or {prod(shape)} values flat. "
            f"Several samples have one more axis in front."
        )
    return arrange(source, array, shape)


def arrange_by_name(
    what: str, values: npt.ArrayLike | Mapping[str, npt.ArrayLike], shapes: Mapping[str, Shape]
) -> dict[str, FloatArray]:
    """Real inputs, or outputs, of one or more samples as float64 [N, *shape] by name.

    Args:
        what: "input" or "output".
        values: an array where there is one tensor, or arrays by name, as `arrange_one_or_more` takes them.
        shapes: of one sample, by name.

    Raises:
        InputError: where names, shapes or numbers of samples do not fit.
    """
    if not isinstance(values, Mapping):
        if len(shapes) != 1:
            raise InputError(
                f"the model has several {what}s: give a dict with an array for each of {list(shapes)}"
            )
        values = {next(iter(shapes)): values}
    if set(values) != set(shapes):
        raise InputError(f"{what}s are {sorted(shapes)}, not {sorted(map(str, values))}")
    arrays = {
        name: arrange_one_or_more(f"{what} '{name}'", values[name], shape) for name, shape in shapes.items()
    }
    if len({len(array) for array in arrays.values()}) != 1:
        raise InputError(f"all {what}s have the same number of samples")
    return arrays


def require_numbers(source: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    """The values as an array of integers, floats or booleans. Raises SamplesError for anything else."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise SamplesError(f"{source}: rows differ in length") from error
    except (TypeError, RuntimeError) as error:
        raise SamplesError(f"{source} is no array of numbers: {error}") from error
    if array.dtype.kind not in "fiub":
        raise SamplesError(f"{source} holds {array.dtype} values, not numbers")
    return array


def require_finite(source: str, values: FloatArray) -> None:
    """Raises SamplesError, naming sample and flat index, for NaN or infinity in values [N, ...]."""
    finite = np.isfinite(values)
    if not finite.all():
        sample, index = np.argwhere(~finite.reshape(len(values), -1))[0]
        raise SamplesError(
            f"{source}, sample {sample}, flat index {index}: the value is NaN or infinite. Fill in missing "
            "values before, as the model was trained to have them, or leave the sample out"
        )


def require_same_count(source: str, inputs: Mapping[str, FloatArray]) -> int:
    """The number of samples, the same for all inputs. Raises SamplesError where it differs."""
    counts = {len(values) for values in inputs.values()}
    if len(counts) != 1:
        raise SamplesError(f"{source}: inputs have different numbers of samples: {sorted(counts)}")
    return counts.pop()


def _fits(row: Shape, shape: Shape) -> bool:
    """Whether a sample of shape `row` is one of `shape`: flat, or the same up to axes of size 1."""
    return row == (prod(shape),) or _without_ones(row) == _without_ones(shape)


def _without_ones(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)
