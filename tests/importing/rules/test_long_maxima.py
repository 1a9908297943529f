"""The maximum of a long axis: the same values, and a key that stays small."""

from operator import attrgetter

import numpy as np
import pytest

import deepprove_dist as dp
from deepprove_dist.operators.max_pool import FloatMaxPool
from tests.importing.onnx_comparison import assert_same, model


@pytest.mark.parametrize("shape", ["1,2,33", "1,2,67,1", "1,1,40,50", "1,2,32"])
def test_global_pools_of_odd_and_even_axes(shape: str) -> None:
    assert_same(model(f"g (float[{shape}] x) => (float[] y) {{ y = GlobalMaxPool(x) }}"))


@pytest.mark.parametrize(("size", "pools"), [(32, 1), (33, 2), (509, 5)])
def test_long_axes_are_halved(size: int, pools: int) -> None:
    source = model(f"g (float[1,1,{size}] x) => (float[1,1,1] y) {{ y = GlobalMaxPool(x) }}")
    graph = assert_same(source).graph
    assert sum(isinstance(node, FloatMaxPool) for node in graph.nodes) == pools


def test_a_long_window_over_a_part_of_an_axis_is_one_pool() -> None:
    body = "{ y = MaxPool <kernel_shape = [40], pads = [2, 2]> (x) }"
    graph = assert_same(model(f"g (float[1,1,40] x) => (float[1,1,5] y) {body}")).graph
    assert len(graph.nodes) == 1


def test_a_long_maximum_is_proven() -> None:
    """One position after the other, its terms would soon be more than a key can hold."""
    body = "{ m = GlobalMaxPool(x) a = ReduceMean <axes = [1]> (m) d = Sub(m, a) y = Sigmoid(d) }"
    samples = np.random.default_rng(0).normal(size=(4, 1, 16, 64))
    source = model(f"g (float[1,16,64] x) => (float[1,16,1] y) {body}")
    keys = dp.setup(source, samples, activation_bits=12, transparent=True, threads=1, accept_error=True)
    keys.verifying.verify(keys.prove(samples[:1]))
    # Otherwise a reader has the bound of a sum of 31 gains.
    (name,) = (
        name for name in map(attrgetter("name"), keys.verifying.content.system.tensors) if "maximum" in name
    )
    assert name.endswith(".maximum")
