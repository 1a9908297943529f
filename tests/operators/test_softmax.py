"""Softmax: exact in integers, close to onnxruntime, proven, and not to be forged."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.errors import ModelError
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.operators.exponentials import exponential_table
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.softmax import Softmax
from deepprove_dist.protocol.system.table import Table
from tests.attacks.lying_prover import LyingProver
from tests.attacks.models import make_key
from tests.lowering.integers import check_inference
from tests.lowering.networks import Network
from tests.operators.proving import (
    assert_every_lookup_is_needed,
    assert_lies_refused,
    assert_proven,
    assert_proven_in_both_modes,
    changed,
    text_model,
)
from tests.records import replace

WEIGHTS = (
    "float[4,5] v = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1, 0.5, 1, -2, 0.75, -1, 0.25, 1, 2}, "
    "float[5,2] w = {1, -2, 3, 1, -1, 2, 0.5, 1, 2, -1}"
)
BODIES = {
    "of an input": ("y = Softmax (x)", 17),
    "of a layer": ("a = MatMul (x, v) y = Softmax (a)", 17),
    "before a layer": ("a = MatMul (x, v) s = Softmax (a) y = MatMul (s, w)", 17),
    "over another axis": ("a = MatMul (x, v) y = Softmax <axis=1> (a)", 17),
    "over all axes from one on": ("a = MatMul (x, v) y = Softmax <axis=1> (a)", 11),
    "under a function": ("a = MatMul (x, v) s = Softmax (a) y = Sqrt (s)", 17),
    "twice": ("a = MatMul (x, v) s = Softmax (a) y = Softmax <axis=-2> (s)", 17),
}
TABLE = exponential_table(200, 0.05, (0, 50))
SIZE, STEPS = 5, 300
NODE = Node("softmax", "n", ("x",), "y", {"table": TABLE, "steps": STEPS, "size": SIZE})


def network() -> IntegerModel:
    net = Network((1, 2, SIZE), interval=(0, 50))
    return net.model(net.node("softmax", ("x",), dict(NODE.attributes)))


def samples(count: int) -> dict[str, IntArray]:
    return {"x": np.random.default_rng(7).integers(0, 51, (count, 1, 2, SIZE))}


@pytest.mark.parametrize(("body", "opset"), BODIES.values(), ids=BODIES)
def test_networks_are_proven_and_close(body: str, opset: int) -> None:
    model = assert_proven(text_model(body, "float[1,3,4] x", WEIGHTS, opset), 0.025)
    assert any(node.operator == "softmax" for node in model.nodes)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13])
def test_integers_are_those_of_the_definition(size: int) -> None:
    rows = np.random.default_rng(size).integers(0, 51, (4, 1, 3, size))
    node = replace(NODE, attributes={**NODE.attributes, "size": size})
    inference = Softmax().infer(node, [rows])
    for row, results in zip(rows.reshape(-1, size), inference.output.reshape(-1, size), strict=True):
        powers = [int(np.rint(200 * np.exp(-0.05 * (int(row.max()) - int(value))))) for value in row]
        total = sum(powers)
        assert results.tolist() == [(2 * STEPS * power + total) // (2 * total) for power in powers]
    net = Network((1, 3, size), interval=(0, 50))
    check_inference(net.model(net.node("softmax", ("x",), dict(node.attributes))), {"x": rows})


def test_a_proof_of_several_samples_is_taken_in_both_modes() -> None:
    assert_proven_in_both_modes(network(), samples(3))


def test_every_lookup_and_relation_is_needed() -> None:
    net = Network((1, 2, SIZE), interval=(0, 50))
    # What no output is: the verifier compares outputs with their ranges.
    assert_every_lookup_is_needed(net.model(net.relu(net.node("softmax", ("x",), dict(NODE.attributes)))))


def test_what_does_not_fit_is_refused() -> None:
    operator = Softmax()
    with pytest.raises(ModelError, match="entries"):
        operator.shape(NODE, [(1, 2, SIZE + 1)])
    with pytest.raises(ModelError, match="differences"):
        operator.interval(NODE, [(0, 51)], {})
    with pytest.raises(ModelError, match="constants"):
        operator.interval(NODE, [(0, 50)], {"x": np.zeros(1, dtype=np.int64)})
    with pytest.raises(ModelError, match="wrap"):
        operator.interval(replace(NODE, attributes={**NODE.attributes, "steps": 2**22}), [(0, 50)], {})
    for values in ([0, *[1] * 50], [5, -1, *[1] * 49]):
        table = Table.from_values(0, values)
        with pytest.raises(ModelError, match="begins above 0"):
            operator.interval(replace(NODE, attributes={**NODE.attributes, "table": table}), [(0, 50)], {})


def test_lies_are_refused() -> None:
    key = make_key(network(), folds=False)
    attacker = LyingProver(key, samples(2))
    node = attacker.model.nodes[0]
    honest = attacker.inference(node)
    total = honest.columns["b"].reshape(-1)
    remainder = int(total[0]) * 2
    flat = honest.columns["e"].reshape(-1, SIZE)[0]
    assert_lies_refused(
        attacker,
        "softmax",
        {
            "a quotient": changed(output=(1, 1)),
            "a quotient and its remainder": changed(output=(1, 1), r=(1, -remainder), s=(1, remainder)),
            "a quotient below": changed(output=(1, -1), r=(1, remainder), s=(1, -remainder)),
            "a probability moved": changed(output=(int(flat.argmax()), -1)),
            "an exponential": changed(e=(2, 1)),
            "an exponential and the sum": changed(e=(2, 1), b=(0, 1)),
            "a sum": changed(b=(1, 1)),
            "a remainder": changed(r=(3, 1), s=(3, -1)),
            "a maximum that is not attained": changed(gain2=(0, 1)),
            "a maximum that is too small": changed(gain0=(0, -1)),
            "samples mixed": lambda result: replace(
                result,
                output=result.output[::-1].copy(),
                columns={name: values[::-1].copy() for name, values in result.columns.items()},
            ),
        },
    )
