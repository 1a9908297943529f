"""Numbers that join whole values keep their fractions."""

from __future__ import annotations

import numpy as np
import pytest

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
