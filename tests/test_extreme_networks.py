"""Random ONNX networks of extreme weights and samples: proven, or refused by a typed error.

numpy's RuntimeWarnings are errors here, as in all tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import numpy_helper

import deepprove_dist as dp
from deepprove_dist.errors import DeepProveError
from deepprove_dist.samples import Samples
from tests.examples import few, many
from tests.importing.random_networks import networks

Array = npt.NDArray[np.floating[Any]]
Change = Callable[[Array, np.random.Generator], Array]


def for_channels(values: Array, choose: Callable[[tuple[int, ...]], Array]) -> Array:
    """The values times one number for each element along their first axis."""
    return values * choose(values.shape[:1] + (1,) * (values.ndim - 1))


def with_one(values: Array, new: float) -> Array:
    result = values.copy()
    result.reshape(-1)[0] = new
    return result


WEIGHTS: dict[str, Change] = {
    "ordinary": lambda values, _: values,
    "zero": lambda values, _: 0 * values,
    "some channels zero": lambda values, r: for_channels(values, lambda shape: r.integers(0, 2, shape) * 1.0),
    "unlike channels": lambda values, r: for_channels(values, lambda shape: 10.0 ** r.integers(-4, 5, shape)),
    "large": lambda values, _: 1e6 * values,
    "small": lambda values, _: 1e-8 * values,
    "negative zeros": lambda values, r: np.where(r.random(values.shape) < 0.5, -0.0, values),
    "one large": lambda values, _: with_one(values, 1e4),
    "largest": lambda values, _: 1e30 * values,
    "smallest": lambda values, _: 1e-30 * values,
    "sparse": lambda values, r: np.where(r.random(values.shape) < 0.9, 0.0, values),
    "whole": lambda values, r: r.integers(-3, 4, values.shape) * 1.0,
    "no number": lambda values, _: with_one(values, np.nan),
    "infinite": lambda values, _: with_one(values, np.inf),
}
SAMPLES: dict[str, Change] = {
    "ordinary": lambda values, _: values,
    "positive": lambda values, _: np.abs(values),
    "negative": lambda values, _: -np.abs(values),
    "large": lambda values, _: 1e6 * values,
    "small": lambda values, _: 1e-8 * values,
    "whole": lambda values, r: r.integers(0, 256, values.shape) * 1.0,
    "offset": lambda values, _: values + 1000,
    "one outlier": lambda values, _: with_one(values, 1e4),
}


def change_weights(source: onnx.ModelProto, change: Change, random: np.random.Generator) -> None:
    for constant in source.graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.dtype == np.float32:
            changed = np.asarray(change(values.astype(np.float64), random), dtype=np.float32)
            constant.CopyFrom(numpy_helper.from_array(changed, constant.name))


def prove_or_refuse(
    folder: Path, source: onnx.ModelProto, weights: str, samples: str, seed: int, bits: int
) -> None:
    """Only weights are a reason to make no keys; keys prove calibrated inputs and the ends of ranges."""
    random = np.random.default_rng(seed)
    change_weights(source, WEIGHTS[weights], random)
    path = folder / "model.onnx"
    onnx.save(source, path)
    shape = [size.dim_value for size in source.graph.input[0].type.tensor_type.shape.dim]
    values = SAMPLES[samples](random.normal(size=(int(random.choice((4, 16))), *shape)), random)
    calibration = Samples({"x": values.astype(np.float32).astype(np.float64)}, None)
    setup = partial(dp.setup, activation_bits=bits, threads=1, max_batch=2)
    try:
        keys = setup(path, calibration, accept_error=True)
    except DeepProveError:
        assert weights != "ordinary"
        return
    (x,) = keys.prover.model.inputs
    ends = random.choice([x.lo, x.hi], (2, *x.shape)) * x.scale.array
    for inputs in (calibration.inputs["x"][:2], ends):
        proof = keys.prove(inputs)
        keys.verifying.verify(proof, input={"x": inputs})


CASES: dict[str, st.SearchStrategy[Any]] = {
    "source": networks(),
    "samples": st.sampled_from(sorted(SAMPLES)),
    "seed": st.integers(0, 2**32 - 1),
    "bits": st.sampled_from((8, 8, 10, 12)),
}


@pytest.mark.parametrize("weights", WEIGHTS)
@few(4)
@given(**CASES)
def test_extreme_networks(tmp_path: Path, weights: str, **case: Any) -> None:
    prove_or_refuse(tmp_path, weights=weights, **case)


@pytest.mark.slow
@pytest.mark.parametrize("weights", WEIGHTS)
@many(300)
@given(**CASES)
def test_many_extreme_networks(tmp_path: Path, weights: str, **case: Any) -> None:
    prove_or_refuse(tmp_path, weights=weights, **case)
