"""Samples for calibration, scoring and proving: reading them from files, and turning them into integers.

Formats: ``.json`` with ``input_data`` (and ``output_data``, the labels) as lists of flat rows; ``.npz`` with
``x`` (and labels ``y``) or one array for each graph input by name; ``.npy`` with one array. The first axis
counts samples.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from deepprove_dist.errors import InputRangeError, SamplesError
from deepprove_dist.model.integer_model import IntegerModel, PublicTensor, Shape
from deepprove_dist.protocol.table import IntArray

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Samples:
    """``inputs``: by graph input, finite float64 [N, *shape], the batch axis of the shape included;
    ``labels``: [N].
    """

    inputs: Mapping[str, FloatArray]
    labels: IntArray | None

    @classmethod
    def from_arrays(
        cls,
        arrays: npt.ArrayLike | Mapping[str, npt.ArrayLike],
        shapes: Mapping[str, Shape],
        labels: npt.ArrayLike | None = None,
    ) -> "Samples":
        """Samples from an array, for a model of one input, or from one for each input, by name.

        The first axis counts samples; rows are as in files. Raises SamplesError naming input and shapes.
        """
        if not isinstance(arrays, Mapping):
            arrays = {_only(shapes, "samples", "an array"): arrays}
        if set(arrays) != set(shapes):
            raise SamplesError(f"samples are for {sorted(arrays)}; the model's inputs are {sorted(shapes)}")
        inputs = {name: arrange(f"samples of '{name}'", arrays[name], shapes[name]) for name in shapes}
        return _samples("samples", inputs, None if labels is None else _labels("labels", labels))

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def select(self, index: int | range) -> "Samples":
        """The sample at ``index``, or those of a range without gaps, as samples.

        Raises SamplesError for samples that the file does not have, and for an empty range.
        """
        wanted = range(index, index + 1) if isinstance(index, int) else index
        if not wanted or wanted.step != 1 or not 0 <= wanted.start < wanted.stop <= len(self):
            which = wanted.start if len(wanted) == 1 else f"{wanted.start}:{wanted.stop}"
            raise SamplesError(f"there is no sample {which}: the file has {len(self)}, counted from 0")
        return self._at(slice(wanted.start, wanted.stop))

    def first(self, count: int) -> "Samples":
        """The first ``count`` samples, or all if there are fewer."""
        return self._at(slice(count))

    def _at(self, places: slice) -> "Samples":
        labels = None if self.labels is None else self.labels[places]
        return Samples({name: values[places] for name, values in self.inputs.items()}, labels)


def read_samples(path: Path, shapes: Mapping[str, Shape]) -> Samples:
    """Reads a file of samples for graph inputs of these shapes.

    Rows may be flat, or have the input's shape up to axes of size 1. Raises SamplesError naming file, key and
    shapes.
    """
    try:
        if path.suffix == ".json":
            arrays, labels = _read_json(path, shapes)
        elif path.suffix == ".npz":
            arrays, labels = _read_npz(path, shapes)
        elif path.suffix == ".npy":
            arrays, labels = (
                {_only(shapes, path, "an array"): ("array", np.load(path, allow_pickle=False))},
                None,
            )
        else:
            raise SamplesError(f"{path}: samples are .json, .npz or .npy files")
    except (OSError, ValueError, RecursionError, EOFError, BadZipFile) as error:
        raise SamplesError(f"{path}: {error}") from error
    inputs = {name: arrange(f"{path}: '{key}'", array, shapes[name]) for name, (key, array) in arrays.items()}
    return _samples(path, inputs, labels)


def arrange(source: str, values: npt.ArrayLike, shape: Shape) -> FloatArray:
    """Values as float64 [N, *shape]; rows may be flat, or of that shape up to axes of size 1.

    Raises SamplesError, its text beginning with ``source``, for other shapes, values that are no numbers,
    NaN, infinity.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise SamplesError(f"{source}: rows differ in length") from error
    if array.dtype.kind not in "fiub":
        raise SamplesError(f"{source} holds {array.dtype} values, not numbers")
    if array.ndim == 0 or len(array) == 0:
        raise SamplesError(f"{source} holds no samples; the first axis counts them")
    row = array.shape[1:]
    if row != (prod(shape),) and _without_ones(row) != _without_ones(shape):
        raise SamplesError(
            f"{source} has rows of shape {row}; the model's input has {shape}, or {prod(shape)} flat"
        )
    result = array.reshape(len(array), *shape).astype(np.float64)
    _require_finite(source, result)
    return result


def quantise_inputs(
    model: IntegerModel, values: Mapping[str, FloatArray], clamp: bool = False
) -> dict[str, IntArray]:
    """Rounds inputs [N, *shape] to the model's integers, halves to even.

    A value beyond the range raises InputRangeError, unless ``clamp`` moves it to the nearest end. NaN and
    infinity raise SamplesError in any case.
    """
    integers = {}
    for tensor, rounded in _rounded(model, values):
        outside = (rounded < tensor.lo) | (rounded > tensor.hi)
        if not clamp and outside.any():
            sample, index = np.argwhere(outside.reshape(len(outside), -1))[0]
            value = values[tensor.name].reshape(len(outside), -1)[sample, index]
            unit = np.broadcast_to(tensor.scale.array, tensor.shape).ravel()[index]
            raise InputRangeError(
                f"input '{tensor.name}', sample {sample}, flat index {index}: {value:g} lies outside the "
                f"calibrated range [{tensor.lo * unit:g}, {tensor.hi * unit:g}]"
            )
        integers[tensor.name] = np.clip(rounded, tensor.lo, tensor.hi).astype(np.int64)
    return integers


def count_outside(model: IntegerModel, values: Mapping[str, FloatArray]) -> int:
    """How many samples have a value beyond the model's input range."""
    masks = []
    for tensor, rounded in _rounded(model, values):
        masks.append(((rounded < tensor.lo) | (rounded > tensor.hi)).reshape(len(rounded), -1).any(axis=1))
    return int(np.any(masks, axis=0).sum())


def _rounded(model: IntegerModel, values: Mapping[str, FloatArray]) -> list[tuple[PublicTensor, FloatArray]]:
    result = []
    for tensor in model.inputs:
        if tensor.name not in values or values[tensor.name].shape[1:] != tensor.shape:
            raise SamplesError(
                f"input '{tensor.name}' is missing, or not of shape [samples, *{tensor.shape}]"
            )
        _require_finite(f"input '{tensor.name}'", values[tensor.name])
        result.append((tensor, np.rint(values[tensor.name] / tensor.scale.array)))
    return result


def _require_finite(source: str, values: FloatArray) -> None:
    wrong = np.argwhere(~np.isfinite(values.reshape(len(values), -1)))
    if len(wrong):
        sample, index = wrong[0]
        raise SamplesError(f"{source}, sample {sample}, flat index {index}: the value is NaN or infinite")


Arrays = dict[str, tuple[str, npt.ArrayLike]]


def _read_json(path: Path, shapes: Mapping[str, Shape]) -> tuple[Arrays, IntArray | None]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or "input_data" not in content:
        raise SamplesError(f"{path}: a .json file of samples is an object with the key 'input_data'")
    name = _only(shapes, path, "'input_data'")
    labels = None
    if "output_data" in content:
        try:
            labels = _labels(f"{path}: 'output_data'", content["output_data"])
        except SamplesError:
            # Other tools keep a model's float outputs under this key; they are no labels.
            labels = None
    return {name: ("input_data", content["input_data"])}, labels


def _read_npz(path: Path, shapes: Mapping[str, Shape]) -> tuple[Arrays, IntArray | None]:
    with np.load(path, allow_pickle=False) as file:
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise SamplesError(f"{path}: not an .npz file")
        content: dict[str, npt.NDArray[Any]] = dict(file)
    labels = content.pop("y") if "y" in content and "y" not in shapes else None
    if set(content) == {"x"} and len(shapes) == 1:
        arrays: Arrays = {next(iter(shapes)): ("x", content["x"])}
    elif set(content) == set(shapes):
        arrays = {name: (name, content[name]) for name in shapes}
    else:
        raise SamplesError(f"{path} holds {sorted(content)}; the model's inputs are {sorted(shapes)}")
    return arrays, None if labels is None else _labels(f"{path}: 'y'", labels)


def _only(shapes: Mapping[str, Shape], source: str | Path, content: str) -> str:
    if len(shapes) != 1:
        raise SamplesError(
            f"{source}: {content} is for one input, the model has {sorted(shapes)}; give arrays by name"
            " (an .npz file)"
        )
    return next(iter(shapes))


def _labels(source: str, values: npt.ArrayLike) -> IntArray:
    """Class indices [N], from integers or from one-hot rows."""
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if (
        array.ndim == 2
        and array.dtype.kind in "fiub"
        and ((array == 1).sum(1) == 1).all()
        and ((array != 0).sum(1) == 1).all()
    ):
        return np.asarray(array.argmax(axis=1), dtype=np.int64)
    whole = array.dtype.kind in "fiu" and np.isfinite(array).all() and (array == np.trunc(array)).all()
    if array.ndim == 1 and whole:
        return array.astype(np.int64)
    raise SamplesError(
        f"{source}: labels are integers or one-hot rows, not {array.dtype} of shape {array.shape}"
    )


def _samples(source: str | Path, inputs: dict[str, FloatArray], labels: IntArray | None) -> Samples:
    counts = {len(values) for values in inputs.values()} | (set() if labels is None else {len(labels)})
    if len(counts) != 1:
        raise SamplesError(f"{source}: inputs and labels have different numbers of samples: {sorted(counts)}")
    return Samples(inputs, labels)


def _without_ones(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)
