"""Samples for calibration, scoring and proving: reading them from files, and turning them into integers.

Formats: ``.json`` with ``input_data`` (and ``output_data``, the labels) as lists of flat rows; ``.npz`` with
``x`` (and labels ``y``) or one array for each graph input by name; ``.npy`` with one array. The first axis
counts samples. What stands in the place of labels is read as such only to score a model.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Mask, Shape
from deepprove_dist.errors import InputRangeError, SamplesError
from deepprove_dist.model.integer_model import IntegerModel, PublicTensor
from deepprove_dist.protocol.table import IntArray


@dataclass(frozen=True)
class Samples:
    """``inputs``: by graph input, finite float64 [N, *shape], the batch axis of the shape included;
    ``labels``: [N]; ``targets``: real values that a model should give, flat [N, n].
    """

    inputs: Mapping[str, FloatArray]
    labels: IntArray | None
    targets: FloatArray | None = None

    @classmethod
    def from_arrays(
        cls, arrays: npt.NDArray[Any] | Mapping[str, npt.ArrayLike], shapes: Mapping[str, Shape]
    ) -> "Samples":
        """Samples from an array, for a model of one input, or from one for each input, by name.

        The first axis counts samples; rows are as in files. Raises SamplesError naming input and shapes.
        """
        if not isinstance(arrays, Mapping):
            arrays = {_only(shapes, "samples", "an array"): arrays}
        return arrange_all(arrays, shapes)

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

    def take(self, indices: IntArray) -> "Samples":
        """The samples at these indices, in their order."""
        return self._at(indices)

    def _at(self, places: slice | IntArray) -> "Samples":
        labels = None if self.labels is None else self.labels[places]
        targets = None if self.targets is None else self.targets[places]
        return Samples({name: values[places] for name, values in self.inputs.items()}, labels, targets)


def read_samples(path: Path, shapes: Mapping[str, Shape], *, scored: bool = False) -> Samples:
    """Reads a file of samples for graph inputs of these shapes.

    Rows may be flat, or have the input's shape up to axes of size 1. Where samples are to be ``scored``, what
    stands in the place of labels is read as targets if it is no labels; else it is ignored. Raises
    SamplesError naming file, key and shapes.
    """
    if path.suffix == ".json":
        arrays, targets = _read_json(path, shapes)
    elif path.suffix == ".npz":
        arrays, targets = _read_npz(path, shapes)
    elif path.suffix == ".npy":
        arrays, targets = {_only(shapes, path, "an array"): ("array", _read_npy(path))}, None
    else:
        raise SamplesError(f"{path}: samples are .json, .npz or .npy files")
    inputs = {name: arrange(f"{path}: '{key}'", array, shapes[name]) for name, (key, array) in arrays.items()}
    count = _count(str(path), inputs)
    if targets is None:
        return Samples(inputs, None)
    try:
        return Samples(inputs, _labels(path, targets, count))
    except SamplesError:
        return Samples(inputs, None, _real_targets(path, targets, count) if scored else None)


def arrange(source: str, values: npt.ArrayLike, shape: Shape) -> FloatArray:
    """Values as float64 [N, *shape]; rows may be flat, or of that shape up to axes of size 1.

    Raises SamplesError, its text beginning with ``source``, for other shapes, values that are no numbers,
    NaN, infinity.
    """
    array = _numbers(source, values)
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
    _require_finite(source, result)
    return result


def arrange_one_or_more(source: str, values: npt.ArrayLike, shape: Shape) -> FloatArray:
    """One sample, or several with one more axis in front, as float64 [N, *shape].

    Samples are as `arrange` takes them, and so are its errors.
    """
    array = _numbers(source, values)
    if array.size and _fits(array.shape, shape):
        array = array[np.newaxis]
    elif array.ndim == 0 or not _fits(array.shape[1:], shape):
        raise SamplesError(
            f"{source} has the shape {array.shape}; a sample has {shape}, or {prod(shape)} values flat, and "
            f"several samples have one more axis in front"
        )
    return arrange(source, array, shape)


def check_samples(samples: Samples, shapes: Mapping[str, Shape]) -> Samples:
    """The samples, arranged for graph inputs of these shapes. Raises SamplesError where they do not fit."""
    arranged = arrange_all(samples.inputs, shapes)
    if samples.labels is not None and len(samples.labels) != len(arranged):
        raise SamplesError(f"there are {len(samples.labels)} labels for {len(arranged)} samples")
    if samples.targets is not None and samples.targets.shape[:1] != (len(arranged),):
        raise SamplesError(f"targets have the shape {samples.targets.shape} for {len(arranged)} samples")
    return Samples(arranged.inputs, samples.labels, samples.targets)


def arrange_all(arrays: Mapping[str, npt.ArrayLike], shapes: Mapping[str, Shape]) -> Samples:
    """Samples without labels, from an array for each of the inputs of these shapes. Raises SamplesError."""
    if set(arrays) != set(shapes):
        raise SamplesError(f"samples are of {sorted(arrays)}; the model's inputs are {sorted(shapes)}")
    inputs = {name: arrange(f"input '{name}'", arrays[name], shape) for name, shape in shapes.items()}
    _count("samples", inputs)
    return Samples(inputs, None)


def quantise_inputs(
    model: IntegerModel, values: Mapping[str, FloatArray], clamp: bool = False
) -> dict[str, IntArray]:
    """Rounds inputs [N, *shape] to the model's integers, halves to even.

    A value beyond the range raises InputRangeError, which names it, the range and what helps, unless
    ``clamp`` moves it to the nearest end. NaN and infinity raise SamplesError in any case.
    """
    integers = {}
    for tensor, rounded in _rounded(model, values):
        outside = (rounded < tensor.lo) | (rounded > tensor.hi)
        if not clamp and outside.any():
            sample, index = np.argwhere(outside.reshape(len(outside), -1))[0]
            value = values[tensor.name].reshape(len(outside), -1)[sample, index]
            lowest, highest = (ends.ravel()[index] for ends in real_range(tensor))
            raise InputRangeError(
                f"input '{tensor.name}', sample {sample}, flat index {index}: {value:g} lies outside the "
                f"calibrated range [{lowest:g}, {highest:g}]",
                clamps=True,
            )
        integers[tensor.name] = np.clip(rounded, tensor.lo, tensor.hi).astype(np.int64)
    return integers


def real_range(tensor: PublicTensor) -> tuple[FloatArray, FloatArray]:
    """The smallest and the largest real value that each element may have, of the tensor's shape."""
    scale = np.broadcast_to(tensor.scale.array, tensor.shape)
    return tensor.lo * scale, tensor.hi * scale


def outside(model: IntegerModel, values: Mapping[str, FloatArray]) -> dict[str, Mask]:
    """Of each input, which samples [N] have a value beyond the model's range."""
    masks: dict[str, Mask] = {}
    for tensor, rounded in _rounded(model, values):
        beyond = (rounded < tensor.lo) | (rounded > tensor.hi)
        masks[tensor.name] = np.any(beyond.reshape(len(beyond), -1), axis=1)
    return masks


def _rounded(model: IntegerModel, values: Mapping[str, FloatArray]) -> list[tuple[PublicTensor, FloatArray]]:
    result = []
    for tensor in model.inputs:
        if tensor.name not in values or values[tensor.name].shape[1:] != tensor.shape:
            raise SamplesError(
                f"input '{tensor.name}' is missing, or not of shape [samples, *{tensor.shape}]"
            )
        _require_finite(f"input '{tensor.name}'", values[tensor.name])
        # Infinite quotients lie outside every range.
        with np.errstate(over="ignore"):
            result.append((tensor, np.rint(values[tensor.name] / tensor.scale.array)))
    return result


def _require_finite(source: str, values: FloatArray) -> None:
    wrong = np.argwhere(~np.isfinite(values.reshape(len(values), -1)))
    if len(wrong):
        sample, index = wrong[0]
        raise SamplesError(f"{source}, sample {sample}, flat index {index}: the value is NaN or infinite")


Arrays = dict[str, tuple[str, npt.ArrayLike]]
Targets = tuple[str, npt.ArrayLike]
"""What may be labels, and the key it stands under."""


def _read_json(path: Path, shapes: Mapping[str, Shape]) -> tuple[Arrays, Targets | None]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SamplesError(f"{path}: {error.strerror}") from error
    except json.JSONDecodeError as error:
        where = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise SamplesError(f"{path}: not JSON: {where if error.doc.strip() else 'it is empty'}") from error
    except UnicodeDecodeError as error:
        raise SamplesError(f"{path}: not JSON: it is not UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        raise SamplesError(f"{path}: JSON that is nested too deeply, or with too long numbers") from error
    if not isinstance(content, dict) or "input_data" not in content:
        raise SamplesError(f"{path}: a .json file of samples is an object with the key 'input_data'")
    name = _only(shapes, path, "'input_data'")
    targets = ("output_data", content["output_data"]) if "output_data" in content else None
    return {name: ("input_data", content["input_data"])}, targets


def _read_npz(path: Path, shapes: Mapping[str, Shape]) -> tuple[Arrays, Targets | None]:
    with _damage_named(path):
        path.stat()  # Says what is wrong with a file that is not there.
        if not is_zipfile(path):
            raise SamplesError(f"{path}: not an .npz file, or a damaged one")
        with np.load(path, allow_pickle=False) as file:
            content: dict[str, npt.NDArray[Any]] = dict(file)
    targets = ("y", content.pop("y")) if "y" in content and "y" not in shapes else None
    if set(content) == {"x"} and len(shapes) == 1:
        return {next(iter(shapes)): ("x", content["x"])}, targets
    if set(content) == set(shapes):
        return {name: (name, content[name]) for name in shapes}, targets
    raise SamplesError(f"{path} holds {sorted(content)}; the model's inputs are {sorted(shapes)}")


def _read_npy(path: Path) -> npt.NDArray[Any]:
    with _damage_named(path):
        array = np.load(path, allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise SamplesError(f"{path}: not an .npy file")
    return array


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Turns what numpy raises for a file that it cannot read into a SamplesError."""
    try:
        yield
    except SamplesError:
        raise
    except OSError as error:
        raise SamplesError(f"{path}: {error.strerror or 'it cannot be read'}") from error
    except Exception as error:  # Damaged archives and headers raise errors of many types.
        if "Object arrays" in str(error):
            raise SamplesError(
                f"{path} holds Python objects, which only pickle reads, not numbers"
            ) from error
        raise SamplesError(f"{path}: not a file that numpy saved, or a damaged one") from error


def _only(shapes: Mapping[str, Shape], source: str | Path, content: str) -> str:
    if len(shapes) != 1:
        raise SamplesError(
            f"{source}: {content} is for one input, the model has {sorted(shapes)}; give arrays by name"
            " (an .npz file)"
        )
    return next(iter(shapes))


def _labels(path: Path, targets: Targets, count: int) -> IntArray:
    """Class indices [count], from integers or from one-hot rows."""
    source = f"{path}: '{targets[0]}'"
    array = _numbers(source, targets[1])
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


def _real_targets(path: Path, targets: Targets, count: int) -> FloatArray:
    """What is no labels as finite float64 [count, n]."""
    source = f"{path}: '{targets[0]}'"
    array = _numbers(source, targets[1])
    if array.ndim == 0 or len(array) != count or not array.size:
        raise SamplesError(f"{source} has the shape {array.shape} for {count} samples")
    values = array.reshape(count, -1).astype(np.float64)
    _require_finite(source, values)
    return values


def _count(source: str, inputs: Mapping[str, FloatArray]) -> int:
    counts = {len(values) for values in inputs.values()}
    if len(counts) != 1:
        raise SamplesError(f"{source}: inputs have different numbers of samples: {sorted(counts)}")
    return counts.pop()


def _numbers(source: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise SamplesError(f"{source}: rows differ in length") from error
    except (TypeError, RuntimeError) as error:
        raise SamplesError(f"{source} is no array of numbers: {error}") from error
    if array.dtype.kind not in "fiub":
        raise SamplesError(f"{source} holds {array.dtype} values, not numbers")
    return array


def _fits(row: Shape, shape: Shape) -> bool:
    """Whether a sample of shape ``row`` is one of ``shape``: flat, or the same up to axes of size 1."""
    return row == (prod(shape),) or _without_ones(row) == _without_ones(shape)


def _without_ones(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)
