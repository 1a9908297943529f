"""Small models of the kinds that people bring, from set-up to a verified proof, or refused in words.

`tests/cases` has them as exporters wrote them, with samples to calibrate, held-out samples, and what
onnxruntime computes of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import deepprove_dist as dp

CASES = Path(__file__).parent / "cases"
REFUSED = {
    "constant_calibration": "samples are all zero",
    "ort_dynamic_int8": "give the float model",
}
NAMES = sorted(path.name for path in CASES.iterdir())
TOLERANCE = 0.1
"""Of the largest difference over the spread: eight bits an activation."""

Arrays = dict[str, npt.NDArray[Any]]


def arrays(case: Path, file: str) -> Arrays:
    path = case / file
    if not path.exists():
        return {}
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


def inputs(keys: dp.ProvingKey, held_out: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """Of all held-out samples, by the model's names; a file of one array may call it x."""
    names = [public.name for public in keys.verifying.inputs]
    return {name: held_out[name if name in held_out else "x"] for name in names}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in REFUSED])
def test_a_case_is_proven_and_right(name: str) -> None:
    case = CASES / name
    keys = dp.setup(case / "model.onnx", case / "calibration.npz", transparent=True)
    samples = inputs(keys, arrays(case, "test.npz"))
    expected = arrays(case, "expected.npz")
    proof = keys.prove({tensor: values[0] for tensor, values in samples.items()})
    statement = keys.verifying.verify(proof)
    count = len(next(iter(samples.values())))
    results = [keys.infer({tensor: v[k] for tensor, v in samples.items()}, clamp=True) for k in range(count)]
    for tensor, value in statement.output.items():
        np.testing.assert_array_equal(value, results[0].output[tensor])
        wanted = expected.get(tensor.replace("/", "__"))
        if wanted is None:
            # onnxruntime cannot run the file.
            assert not expected
            continue
        computed = np.stack([result.output[tensor].reshape(wanted.shape[1:]) for result in results])
        if wanted.dtype.kind == "i":
            np.testing.assert_array_equal(computed, wanted)
        else:
            assert np.abs(computed - wanted).max() <= TOLERANCE * wanted.std()


@pytest.mark.parametrize("name", REFUSED)
def test_a_case_is_refused_in_words(name: str) -> None:
    case = CASES / name
    with pytest.raises(dp.DeepProveError, match=REFUSED[name]):
        dp.setup(case / "model.onnx", case / "calibration.npz")
