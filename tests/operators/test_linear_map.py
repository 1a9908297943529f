"""Linear maps by constants: exact, as onnxruntime has them, proven, and not to be forged."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.errors import ModelError
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.operators.linear_map import LinearMap
from deepprove_dist.operators.node import Attribute, Node
from tests.attacks.lies import bumped
from tests.attacks.lying_prover import LyingProver, accepted
from tests.attacks.models import make_key
from tests.lowering.integers import check_inference
from tests.lowering.networks import Network
from tests.operators.end_to_end import assert_proven, network
from tests.operators.proving import assert_every_lookup_is_needed
from tests.records import replace

RANDOM = np.random.default_rng(5)
CONSTANTS = {
    name: RANDOM.normal(size=shape).astype(np.float32)
    for name, shape in {
        "w": (4, 4),
        "left": (5, 3),
        "batch": (2, 4, 3),
        "batch_left": (2, 1, 5, 3),
        "vector": (4,),
        "short": (3,),
        "rows": (3, 4),
        "column": (3, 1),
        "square": (3, 3),
        "tall": (4, 3),
    }.items()
}
HEADS = {
    "float[1,3,4] x": {
        "a constant on the left": "y = MatMul (left, x)",
        "a constant on the left before a layer": "h = MatMul (left, x) r = Relu (h) y = MatMul (r, w)",
        "a batch of constants": "r = Relu (x) h = MatMul (r, batch) y = Relu (h)",
        "batches on the left": "h = MatMul (batch_left, x) y = Tanh (h)",
        "a vector on the right": "h = MatMul (x, vector) y = Sigmoid (h)",
        "a vector on the left": "y = MatMul (short, x)",
        "a scale of rows": "h = Mul (x, rows) y = MatMul (h, w)",
        "a scale of rows after a layer": "h = MatMul (x, w) y = Mul (h, rows)",
        "shift and scale of rows": "h = Sub (x, rows) g = Div (h, rows) y = MatMul (g, w)",
        "a scale of a column and one of rows": "h = Mul (rows, x) g = Mul (h, column) y = Relu (g)",
        "a constant over a tensor": "s = Sigmoid (x) y = Div (rows, s)",
        "all kinds of axes": 'h = Einsum <equation="ijk,jlk->ljik"> (x, mixed) y = Relu (h)',
    },
    "float[3,4] x": {
        "Gemm of a transposed tensor": "r = Relu (x) y = Gemm <transA = 1, alpha = 0.5> (r, square, tall)",
        "Gemm of a constant and a tensor": "y = Gemm <transB = 1, beta = 2.0> (w, x, short)",
        "Gemm with a computed C": "h = Gemm (square, x) y = Gemm <beta = -1.0> (h, w, x)",
        "Gemm with a column": "h = Gemm (x, w, column) y = Relu (h)",
    },
}
CONSTANTS["mixed"] = RANDOM.normal(size=(3, 2, 4)).astype(np.float32)
BODIES = {
    name: f"({head}) => (float[n] y) {{ {nodes} }}"
    for head, bodies in HEADS.items()
    for name, nodes in bodies.items()
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_networks_are_imported_quantised_audited_and_proven(body: str) -> None:
    used = {name: values for name, values in CONSTANTS.items() if name in body}
    assert_proven(network(body, used))


def linear_map(left: tuple[int, ...], right: tuple[int, ...], outputs: int) -> Node:
    attributes: dict[str, Attribute] = {"left": left, "right": right, "outputs": outputs}
    return Node("linear_map", "n", ("x", "w", "b"), "y", attributes)


@pytest.mark.parametrize(
    ("labels", "shapes"),
    [
        (((0, 2, 3), (3, 1), 3), ((2, 3, 4), (4, 5))),
        (((0, 1), (0, 1), 2), ((2, 3), (2, 3))),
        (((1, 2), (2, 0, 1), 2), ((3, 4), (4, 5, 3))),
    ],
)
def test_sums_are_exact_and_within_their_interval(
    labels: tuple[tuple[int, ...], tuple[int, ...], int], shapes: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    node, random = linear_map(*labels), np.random.default_rng(1)
    x, weight = (random.integers(-9, 10, shape) for shape in shapes)
    letters = [["abcdefg"[label] for label in side] for side in labels[:2]]
    equation = f"{''.join(letters[0])},{''.join(letters[1])}->{'abcdefg'[: labels[2]]}"
    expected = np.einsum(equation, x, weight)
    bias = random.integers(-9, 10, expected.shape[-1:])
    assert LinearMap().shape(node, [x.shape, weight.shape, bias.shape]) == expected.shape
    inference = LinearMap().infer(node, [x[None], weight.astype(np.float64), bias.astype(np.float64)])
    assert (inference.output[0] == expected + bias).all()
    low, high = LinearMap().interval(node, [(-9, 9)] * 3, {"w": weight, "b": bias})
    sizes = np.einsum(equation, np.full_like(x, 9), abs(weight))
    assert (low, high) == ((bias - sizes).min(), (bias + sizes).max())


def test_what_does_not_fit_is_refused() -> None:
    operator, shapes = LinearMap(), [(2, 3), (3, 4), (4,)]
    assert operator.shape(linear_map((0, 2), (2, 1), 2), shapes) == (2, 4)
    for labels in (((0, 2), (1, 2), 2), ((0, 0), (0, 1), 2), ((0,), (2, 1), 2)):
        with pytest.raises(ModelError, match="do not fit the labels"):
            operator.shape(linear_map(*labels), shapes)
    missing = (((0, 3), (3, 1), 3), ((0, 2), (3, 1), 2), ((0, 5), (5, 1), 2), ((0, 2), (2, 1), -1))
    # Nothing of the last one's size is made.
    for labels in (*missing, ((0, 2), (2, 1), 10**18)):
        with pytest.raises(ModelError, match="leave out an axis"):
            operator.shape(linear_map(*labels), shapes)
    with pytest.raises(ModelError, match="a bias"):
        operator.shape(linear_map((0, 2), (2, 1), 2), [(2, 3), (3, 4), (3,)])
    node, large = linear_map((0, 2), (2, 1), 2), np.full((3, 4), 2**40)
    with pytest.raises(ModelError, match="by constants"):
        operator.interval(node, [(0, 1)] * 3, {"w": large})
    with pytest.raises(ModelError, match="2\\^52"):
        operator.interval(node, [(0, 2**11)] * 3, {"w": large, "b": np.zeros(4, np.int64)})


def maps(*, requantised: bool = True) -> IntegerModel:
    """One over an axis in the middle, with a shared axis, then one of a reshaped tensor."""
    net = Network((1, 3, 4))
    first = net.node(
        "linear_map",
        ("x", net.constant((3, 5, 4)), net.constant((5, 1))),
        {"left": (0, 3, 2), "right": (3, 1, 2), "outputs": 3},
    )
    narrow = net.node("reshape", (net.relu(first),), {"shape": (1, 2, 10)})
    attributes = {"left": (0, 1, 3), "right": (3, 2), "outputs": 3}
    second = net.node("linear_map", (narrow, net.constant((10, 3))), attributes)
    return net.model(net.relu(second) if requantised else second)


@pytest.mark.parametrize("requantised", [True, False])
def test_relations_hold_over_the_integers(requantised: bool) -> None:
    x = np.random.default_rng(2).integers(-128, 128, (5, 1, 3, 4))
    check_inference(maps(requantised=requantised), {"x": x})


def test_a_result_that_is_off_is_refused() -> None:
    key = make_key(maps(), folds=False)
    attacker = LyingProver(key, {"x": np.random.default_rng(4).integers(-128, 128, (1, 1, 3, 4))})
    assert accepted(key, attacker.honest)
    for node in attacker.model.nodes:
        if node.operator == "linear_map":
            for index in (0, 5):
                lie = attacker.run(
                    node,
                    lambda honest, index=index: replace(honest, output=bumped(honest.output, index, 100)),  # type: ignore[misc]
                )
                assert not accepted(key, attacker.attempt(lie))


def test_a_key_without_a_relation_states_no_function() -> None:
    assert_every_lookup_is_needed(maps())
