"""Inputs of integers and truth values are exact; values that they cannot have are refused."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest

import deepprove_dist as dp
from tests.importing.onnx_comparison import model

TYPES = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"]
WEIGHTS = "float[3,2] w = {0.5, -1, 0.25, 2, -0.75, 1}"


def network(kind: str, body: str = "f = Cast <to = 1> (x) y = MatMul (f, w)") -> onnx.ModelProto:
    return model(f"g ({kind}[N,3] x, float[N,2] z) => (float[N,2] s) <{WEIGHTS}> {{ {body} s = Add (y, z) }}")


def samples(kind: str, rows: int = 48) -> dict[str, npt.NDArray[np.float64]]:
    random = np.random.default_rng(0)
    low, high = (0, 2) if kind == "bool" else (0 if kind.startswith("u") else -40, 101)
    x = random.integers(low, high, (rows, 3)).astype(np.float64)
    return {"x": x, "z": random.normal(size=(rows, 2))}


@pytest.mark.parametrize("kind", TYPES)
def test_integers_are_proven_exactly(kind: str, tmp_path: Path) -> None:
    source = network(kind)
    keys = dp.setup(source, samples(kind), transparent=True, threads=1)
    (tensor,) = (tensor for tensor in keys.prover.model.inputs if tensor.name == "x")
    assert tensor.scale.is_single
    assert tensor.scale.array.item() == 1.0
    values = {name: rows[:1] for name, rows in samples(kind).items()}
    proof = keys.prove(values)
    np.testing.assert_array_equal(keys.verifying.verify(proof).input["x"][0], values["x"])
    keys.save(tmp_path / "keys")
    assert dp.audit(tmp_path / "keys", source).same
    assert dp.estimate(source, transparent=True).parameters > 0


@pytest.mark.parametrize(("kind", "ends"), [("int8", (-128, 127)), ("uint8", (0, 255)), ("bool", (0, 1))])
def test_short_types_have_their_whole_range(kind: str, ends: tuple[int, int]) -> None:
    keys = dp.setup(network(kind), samples(kind), transparent=True, threads=1)
    tensor = keys.prover.model.inputs[0]
    assert (tensor.lo, tensor.hi) == ends


@pytest.mark.parametrize(("kind", "value"), [("int64", 0.5), ("uint8", -1), ("bool", 2), ("int8", 128)])
def test_values_that_a_type_does_not_have(kind: str, value: float) -> None:
    rows = samples(kind)
    rows["x"][5, 1] = value
    with pytest.raises(dp.SamplesError, match=f"input 'x' takes whole numbers from .*; sample 5 has {value}"):
        dp.setup(network(kind), rows, transparent=True, threads=1)


def test_values_out_of_range_are_not_proven() -> None:
    keys = dp.setup(network("int64"), samples("int64"), transparent=True, threads=1)
    values = {name: rows[:1] for name, rows in samples("int64").items()}
    values["x"][0, 0] = 1000
    with pytest.raises(dp.InputRangeError, match="'x', sample 0, flat index 0: 1000 lies outside"):
        keys.prove(values)


def test_integers_beyond_the_field() -> None:
    rows = samples("int64")
    rows["x"][0, 0] = 2**40
    with pytest.raises(dp.QuantisationError, match=r"input 'x' has integers up to .* as float32"):
        dp.setup(network("int64"), rows, transparent=True, threads=1)
