"""Averages by the rows of a softmax: bounds that these give, refusals, and proofs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.errors import ModelError
from deepprove_dist.field import MODULUS
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.validate import analyse
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.softmax import Softmax, largest_row_sum
from deepprove_dist.operators.weighted_average import WeightedAverage
from deepprove_dist.protocol.system.table import Interval
from tests.operators.end_to_end import assert_proven, network, quantised
from tests.records import replace

ATTRIBUTES: dict[str, Attribute] = {
    "left": (0, 2),
    "right": (2, 1),
    "outputs": 2,
    "contracted": (8,),
    "row_sum": 1027,
}
NODE = Node("weighted_average", "n", ("p", "v"), "y", ATTRIBUTES)
BODIES = {
    "values on the right": "(float[1,6,8] x, float[1,8,4] v) => (float y) "
    "{ p = Softmax (x) y = MatMul (p, v) }",
    "values on the left": "(float[1,4,8] v, float[1,6,8] x) => (float y) "
    '{ p = Softmax (x) y = Einsum <equation="bdk,bqk->bdq"> (v, p) }',
    "views between": "(float[2,3,8] x, float[1,2,8,4] v) => (float y) { p = Softmax (x) "
    "s = Constant <value_ints=[1,2,3,8]> () r = Reshape (p, s) y = MatMul (r, v) }",
}


def interval(weights: Interval, values: Interval, **attributes: Attribute) -> Interval:
    node = replace(NODE, attributes={**ATTRIBUTES, **attributes})
    return WeightedAverage().interval(node, [weights, values], {})


@given(st.integers(-2048, 2047), st.integers(-2048, 2047))
def test_sums_are_as_large_as_the_weights_sum_lets_them_be(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert interval((0, 1023), (low, high)) == (1027 * min(low, 0), 1027 * max(high, 0))


def test_other_axes_that_are_summed_over_have_rows_of_their_own() -> None:
    axes: dict[str, Attribute] = {"left": (0, 2, 3), "right": (2, 3, 1), "contracted": (5, 8)}
    assert interval((0, 1023), (-2, 3), **axes) == (-5 * 1027 * 2, 5 * 1027 * 3)


@pytest.mark.parametrize(
    ("weights", "values", "attributes"),
    [
        ((-1, 1023), (0, 1), {}),
        ((0, 1023), (0, 1), {"row_sum": -1}),
        ((0, 1023), (0, 1), {"left": (2, 0), "right": (2, 1)}),
        ((0, 1023), (-(MODULUS // 8 // 1023) - 1, 0), {}),
    ],
    ids=["negative weights", "a negative sum", "rows along another axis", "ranges that wrap"],
)
def test_what_is_no_average_is_refused(
    weights: Interval, values: Interval, attributes: dict[str, Attribute]
) -> None:
    with pytest.raises(ModelError):
        interval(weights, values, **attributes)


@given(st.lists(st.integers(0, 4095), min_size=0, max_size=40), st.integers(1, 1023))
def test_rows_of_a_softmax_add_up_to_no_more(others: list[int], steps: int) -> None:
    exponentials = np.array([4095, *others])
    total, size = int(exponentials.sum()), len(exponentials)
    results = (2 * steps * exponentials + total) // (2 * total)
    assert int(results.sum()) <= largest_row_sum(steps, size)


def stating(model: IntegerModel, row_sum: int) -> IntegerModel:
    nodes = [
        replace(node, attributes={**node.attributes, "row_sum": row_sum})
        if node.operator == WeightedAverage.name
        else node
        for node in model.nodes
    ]
    return replace(model, nodes=tuple(nodes))


def test_a_model_that_states_too_little_is_refused() -> None:
    model = quantised(network(BODIES["values on the right"])).model
    (softmax,) = (node for node in model.nodes if node.operator == Softmax.name)
    steps = softmax.attributes["steps"]
    assert isinstance(steps, int)
    with pytest.raises(ModelError, match="add up to so little"):
        analyse(stating(model, largest_row_sum(steps, 8) - 1))


def test_weights_that_are_no_rows_of_a_softmax_are_multiplied_as_others() -> None:
    body = "(float[1,6,8] x, float[1,8,4] v) => (float y) { p = Sigmoid (x) y = MatMul (p, v) }"
    assert all(node.operator != WeightedAverage.name for node in quantised(network(body)).model.nodes)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_averages_are_proven(body: str) -> None:
    model = assert_proven(network(body))
    assert any(node.operator == WeightedAverage.name for node in model.nodes)


def test_long_averages_keep_their_accuracy() -> None:
    body = "{ s = Mul (x, scale) p = Softmax (s) y = MatMul (p, v) }"
    body = f"(float[1,2,900] x, float[1,900,2] v) => (float y) {body}"
    assert_proven(network(body, {"scale": np.array(4.0, dtype=np.float32)}))
