"""Numbers that join whole values keep their fractions."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.operators import truth
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.function_properties import homogeneous
from deepprove_dist.operators.pointwise import IDENTITY, call
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.quantise.activations import Activation
from tests.importing.onnx_comparison import assert_same
from tests.operators.end_to_end import network
from tests.operators.proving import compare, quantised


@pytest.mark.parametrize(
    ("constants", "nodes", "number"),
    [
        ("float[1,4] a = {1, 1, 1, 1}, float b = {-0.5}", "c = Greater (x, z) y = Where (c, a, b)", -0.5),
        ("int64[4] p = {0, 1, 0, 1}, float v = {0.3}", "r = Floor (x) c = Add (r, z) y = Pad (c, p, v)", 0.3),
        (
            "int64[1,1] i = {2}, float[1,1] v = {0.3}",
            "r = Floor (x) c = Add (r, z) y = ScatterElements <axis = 1> (c, i, v)",
            0.3,
        ),
    ],
)
def test_numbers_are_not_rounded_to_whole_ones(constants: str, nodes: str, number: float) -> None:
    imported = assert_same(
        network(f"(float[1,4] x) => (float[1,n] y) <float z = {{0}}, {constants}> {{ {nodes} }}")
    )
    proven, real = compare(imported, *quantised(imported))
    stands = np.isclose(real, number)
    assert stands.any()
    # Where a value is next to where its function jumps, rounding the input may take it across.
    assert np.median(np.abs(proven - real)[stands]) < 0.02
    assert np.median(np.abs(proven - real)) < 0.02


@pytest.mark.parametrize(
    "nodes",
    [
        "n = Floor (t) i = Cast <to = 7> (n) y = OneHot <axis = 1> (i, depth, values)",
        "n = Floor (t) i = Cast <to = 7> (n) h = OneHot <axis = 1> (i, depth, values) y = MatMul (h, w)",
        "n = Floor (t) c = Equal (n, z) f = Cast <to = 1> (c) m = Mul (f, z) y = Sub (m, n)",
        "n = Floor (t) q = Sub (n, z) s = Sin (q) y = Mul (s, z)",
    ],
)
def test_whole_arguments_of_functions_with_other_results_are_exact(nodes: str) -> None:
    """A function may jump at a whole number, such as an index that counts from the end."""
    constants = "float four = {1.5}, int64 depth = {5}, float[2] values = {-0.5, 2}, float z = {-3}"
    matrix = "float[4,2] w = {0.5, 1, -1, 2, 0.3, -0.7, 1, 1}"
    imported = assert_same(
        network(f"(float[1,4] x) => (float[1,n] y) <{constants}, {matrix}> {{ t = Mul (x, four) {nodes} }}")
    )
    proven, real = compare(imported, *quantised(imported))
    # Where a value is next to where Floor jumps, rounding the input may take it across.
    assert np.mean(np.abs(proven - real) > 0.02) < 0.02


def test_numbers_that_a_function_looks_for_count() -> None:
    """A value that stands for a missing one, of a step that it is no multiple of."""
    equal = call(truth.equal, IDENTITY, 0.37)
    assert not homogeneous(equal)
    assert truth.equals(call(truth.equal, IDENTITY * 2 + 1, 4)) == {1.5}
    choice = call(truth.selected, equal, 8, IDENTITY)
    table = Activation(choice, 0.25, Format(Scale.of(0.25), -100, 100)).table((-2, 3))
    assert table.values().tolist() == [-2, -1, 0, 32, 2, 3]
