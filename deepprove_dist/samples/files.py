"""Reading samples from files.

`.json` files have `input_data` as lists of flat rows, and `output_data` with the labels. `.npz` files have
`x` and labels `y`, or an array for each graph input by name. `.npy` files have one array.
The first axis counts samples. What stands where labels are expected is read as such only to score a model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import SamplesError
from deepprove_dist.samples.answers import Answers, read_labels, read_targets
from deepprove_dist.samples.arrays import arrange, require_same_count
from deepprove_dist.samples.samples import Samples, only_input

_Arrays = dict[str, tuple[str, npt.ArrayLike]]
"""By graph input: the key under which its array stands in the file, and the array."""


def read_samples(path: Path, shapes: Mapping[str, Shape], *, scored: bool = False) -> Samples:
    """Reads a file of samples for graph inputs of these shapes.

    Rows are flat, or have the input's shape up to axes of size 1. Where samples are to be `scored`, answers
    that are no labels are read as targets; else they are ignored.

    Raises:
        SamplesError: naming file, key and shapes.
    """
    if path.suffix == ".json":
        arrays, answers = _read_json(path, shapes)
    elif path.suffix == ".npz":
        arrays, answers = _read_npz(path, shapes)
    elif path.suffix == ".npy":
        arrays, answers = {only_input(shapes, path, "an array"): ("array", _read_npy(path))}, None
    else:
        raise SamplesError(f"{path}: samples are .json, .npz or .npy files")
    inputs = {name: arrange(f"{path}: '{key}'", array, shapes[name]) for name, (key, array) in arrays.items()}
    count = require_same_count(str(path), inputs)
    if answers is None:
        return Samples(inputs)
    try:
        return Samples(inputs, read_labels(path, answers, count))
    except SamplesError:
        return Samples(inputs, None, read_targets(path, answers, count) if scored else None)


def _read_json(path: Path, shapes: Mapping[str, Shape]) -> tuple[_Arrays, Answers | None]:
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
    name = only_input(shapes, path, "'input_data'")
    answers = Answers("output_data", content["output_data"]) if "output_data" in content else None
    return {name: ("input_data", content["input_data"])}, answers


def _read_npz(path: Path, shapes: Mapping[str, Shape]) -> tuple[_Arrays, Answers | None]:
    # Here: it brings all kinds of compression with it.
    from zipfile import is_zipfile

    with _named_damage(path):
        path.stat()  # Says what is wrong with a file that is not there.
        if not is_zipfile(path):
            raise SamplesError(f"{path}: not an .npz file, or a damaged one")
        with np.load(path, allow_pickle=False) as file:
            content: dict[str, npt.NDArray[Any]] = dict(file)
    answers = Answers("y", content.pop("y")) if "y" in content and "y" not in shapes else None
    if set(content) == {"x"} and len(shapes) == 1:
        return {next(iter(shapes)): ("x", content["x"])}, answers
    if set(content) == set(shapes):
        return {name: (name, content[name]) for name in shapes}, answers
    raise SamplesError(
        f"{path} holds {sorted(content)}; the model's inputs are {sorted(shapes)}. "
        "Save one array for each, under its name, or under 'x' where there is one input."
    )


def _read_npy(path: Path) -> npt.NDArray[Any]:
    with _named_damage(path):
        array = np.load(path, allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise SamplesError(f"{path}: not an .npy file")
    return array


@contextmanager
def _named_damage(path: Path) -> Iterator[None]:
    """Turns what numpy raises for a file that it cannot read into a SamplesError."""
    try:
        yield
    except SamplesError:
        raise
    except OSError as error:
        raise SamplesError(f"{path}: {error.strerror or 'it cannot be read'}") from error
    except Exception as error:  # Damaged archives and headers raise errors of many types.
        if "Object arrays" in str(error):
            raise SamplesError(f"{path} holds Python objects (pickle), not numbers") from error
        raise SamplesError(f"{path}: not a file that numpy saved, or a damaged one") from error
