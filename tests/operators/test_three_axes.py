"""Convolutions and pools over three axes: as onnxruntime has them, and proven."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lowering.integers import check_inference
from tests.lowering.networks import Network
from tests.operators.end_to_end import assert_proven, network

RANDOM = np.random.default_rng(5)
KERNEL = RANDOM.normal(size=(4, 2, 2, 3, 2)).astype(np.float32)
BODIES = {
    "a convolution": "y = Conv <pads = [1,1,0,0,1,1], strides = [1,2,1]> (x, k)",
    "before a max pool": "c = Conv <dilations = [1,1,2]> (x, k) y = MaxPool <kernel_shape = [2,1,2]> (c)",
    "an average": "r = Relu (x) y = AveragePool <kernel_shape = [2,2,2], pads = [0,1,0,0,0,1]> (r)",
    "global averages": "r = Conv (x, k) h = GlobalAveragePool (r) m = GlobalMaxPool (r) y = Sub (h, m)",
    "normalised": "r = Conv (x, k) y = BatchNormalization (r, four, two, two, one)",
}
CONSTANTS = {"k": KERNEL} | {
    name: np.full(4, value, np.float32) for name, value in {"one": 1, "two": 2, "four": 4}.items()
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_networks_are_imported_quantised_audited_and_proven(body: str) -> None:
    used = {name: values for name, values in CONSTANTS.items() if name in body}
    assert_proven(network(f"(float[1,2,3,5,4] x) => (float[n] y) {{ {body} }}", used))


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_relations_hold_over_the_integers(groups: int) -> None:
    net = Network((1, 4, 3, 4, 3))
    conv = net.conv("x", (4, 4 // groups, 2, 3, 1), pads=(0, 1, 0, 1, 1, 0), strides=(1, 1, 2), groups=groups)
    pooled = net.max_pool(net.relu(conv), (2, 2, 1), (1, 2, 1))
    check_inference(net.model(net.dense(pooled, 2)), {"x": RANDOM.integers(-128, 128, (2, 1, 4, 3, 4, 3))})
