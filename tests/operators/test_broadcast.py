"""Tensors and constants under one shape: exact, as onnxruntime has them, proven, and not to be forged."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.errors import ModelError
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.operators.broadcast import Broadcast
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.weighted_sum import WeightedSum
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
        "row": (4,),
        "column": (3, 1),
        "rows": (1, 3, 4),
        "channel": (1, 3, 1, 1),
        "last": (1, 1, 1, 3),
        "crossed": (1, 5, 1, 3),
        "places": (1, 1, 5, 4),
        "whole": (3, 5, 4),
        "w": (4, 4),
        "k": (3, 3, 1, 1),
        "taller": (1, 6, 1),
        "pair": (2, 1),
    }.items()
} | {"sizes": np.array([2, 3])}
GATE = "c = Conv (x, k) g = GlobalAveragePool (c) s = Sigmoid (g) "
TURNED = "c = Conv (x, k) t = Transpose <perm = [0,2,3,1]> (c) "
REDUCED = "a = ReduceMean <axes = [1]> (x) b = ReduceMax <axes = [2]> (x) "
HEADS = {
    "float[1,3,5,4] x": {
        "a gate of channels": GATE + "y = Mul (c, s)",
        "a gate before a layer": GATE + "m = Mul (s, c) r = Relu (m) y = Conv (r, k)",
        "a mean subtracted": "c = Conv (x, k) g = GlobalAveragePool (c) y = Sub (c, g)",
        "a bias of the last axis": TURNED
        + "b = Add (t, last) r = Relu (b) y = Transpose <perm = [0,3,1,2]> (r)",
        "a constant of positions after a view": TURNED + "y = Add (t, crossed)",
        "positions after a layer": "c = Conv (x, k) d = Add (c, places) r = Relu (d) y = Conv (r, k)",
        "a whole image": "c = Conv (x, k) p = Add (x, c) q = Sub (p, whole) y = Add (q, channel)",
        "a constant that enlarges": "g = GlobalAveragePool (x) d = Add (g, whole) y = Conv (d, k)",
    },
    "float[1,3,4] x": {
        "both are repeated": REDUCED + "y = Add (a, b)",
        "both are repeated before a layer": REDUCED + "m = Max (a, b) y = MatMul (m, w)",
        "a mean of four": "a = ReduceMax <axes = [1], keepdims = 0> (x) h = MatMul (x, w) "
        "y = Mean (a, h, row, x)",
        "rows added to a layer": "h = MatMul (x, w) y = Add (rows, h)",
        "rows added to an input": "h = Add (x, rows) y = MatMul (h, w)",
        "a column without a function": "r = Relu (x) h = Sub (column, r) y = MatMul (h, w)",
        "constants around a layer": "h = Sub (x, column) l = MatMul (h, w) y = Sum (l, rows, row)",
        "maxima with a constant": "h = MatMul (x, w) m = Max (h, rows) n = Min (m, column, x) "
        "y = MatMul (n, w)",
    },
    "float[2,4] x": {
        "parts of unequal ranges, of two rows": "h = Mul (x, row) r = Relu (h) c = Concat <axis = 1> (r, x) "
        "y = Concat <axis = 1> (pair, c)",
        "a column of two rows": "r = Relu (x) s = Mul (r, pair) y = Add (s, x)",
    },
    "float x": {"a value alone": "y = Expand (x, sizes)"},
    "float[1,4] x": {"a constant with more axes": "h = MatMul (x, w) y = Add (h, taller)"},
}
BODIES = {
    name: f"({head}) => (float[n] y) {{ {nodes} }}"
    for head, bodies in HEADS.items()
    for name, nodes in bodies.items()
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_networks_are_imported_quantised_audited_and_proven(body: str) -> None:
    used = {name: values for name, values in CONSTANTS.items() if name in body}
    assert_proven(network(body, used))


def test_a_bias_after_a_transposition_is_the_layers() -> None:
    model = assert_proven(network(BODIES["a bias of the last axis"], CONSTANTS))
    assert not any(node.operator == "weighted_sum" for node in model.nodes)


def test_what_does_not_fit_is_refused() -> None:
    node = Node("broadcast", "n", ("a",), "y", {"shape": (2, 3)})
    assert Broadcast().shape(node, [(3,)]) == (2, 3)
    for shape in ((2,), (1, 2, 3), (4, 3)):
        with pytest.raises(ModelError, match="does not broadcast"):
            Broadcast().shape(node, [shape])
    total = Node("weighted_sum", "n", ("a", "b"), "y", {"multipliers": (1, 1), "constant": 0})
    assert WeightedSum().shape(total, [(2, 3), (3,)]) == (2, 3)
    with pytest.raises(ModelError, match="one shape"):
        WeightedSum().shape(total, [(3,), (2, 3)])
    with pytest.raises(ModelError, match="before constants"):
        WeightedSum().interval(total, [(0, 1), (0, 1)], {"a": np.array([1])})


def test_a_value_that_is_repeated_lies_in_memory_as_kernels_read_it() -> None:
    node = Node("broadcast", "n", ("a",), "y", {"shape": (2, 3)})
    for values in ([7], [7, 8]):
        repeated = Broadcast().infer(node, [np.array(values)]).output
        assert repeated.tolist() == [[[value] * 3] * 2 for value in values]
        assert repeated.reshape(-1).flags.c_contiguous


def sums_with_constants(*, requantised: bool = True) -> IntegerModel:
    """A constant of rows and a repeated tensor, in a sum that a layer reads."""
    net = Network((1, 3, 4))
    flat = net.node("reshape", ("x",), {"shape": (1, 12)})
    narrow = net.node("reshape", (net.relu(net.linear("dense", flat, (3, 12), {})),), {"shape": (1, 3, 1)})
    repeated = net.node("broadcast", (narrow,), {"shape": (1, 3, 4)})
    rows, whole = net.constant((3, 1)), net.constant((1, 3, 4))
    attributes = {"multipliers": (2, -3, 5, 1), "constant": 7}
    total = net.node("weighted_sum", ("x", repeated, rows, whole), attributes)
    return net.model(net.relu(total) if requantised else total)


@pytest.mark.parametrize("requantised", [True, False])
def test_relations_hold_over_the_integers(requantised: bool) -> None:
    x = np.random.default_rng(2).integers(-128, 128, (5, 1, 3, 4))
    check_inference(sums_with_constants(requantised=requantised), {"x": x})


@pytest.mark.parametrize("products", [True, False])
def test_accumulators_are_repeated_as_they_are(products: bool) -> None:
    net = Network((1, 3, 4))
    total = net.linear("dense", "x", (2, 4), {}) if products else "x"
    shape = net.shape(total)
    tall = net.node("reshape", (total,), {"shape": (1, 3, 1, shape[2])})
    repeated = net.node("broadcast", (tall,), {"shape": (2, 3, 5, shape[2])})
    x = np.random.default_rng(2).integers(-128, 128, (3, 1, 3, 4))
    check_inference(net.model(repeated), {"x": x})
    check_inference(net.model(net.relu(repeated)), {"x": x})


def test_a_sum_that_is_off_is_refused() -> None:
    key = make_key(sums_with_constants(), folds=False)
    attacker = LyingProver(key, {"x": np.random.default_rng(4).integers(-128, 128, (1, 1, 3, 4))})
    assert accepted(key, attacker.honest)
    for operator in ("weighted_sum", "broadcast"):
        (node,) = (node for node in attacker.model.nodes if node.operator == operator)
        for index in (0, 5, 11):
            lie = attacker.run(
                node,
                lambda honest, index=index: replace(honest, output=bumped(honest.output, index, 100)),  # type: ignore[misc]
            )
            assert not accepted(key, attacker.attempt(lie))


def test_a_key_without_the_relation_of_a_sum_states_no_function() -> None:
    assert_every_lookup_is_needed(sums_with_constants())
