"""Attention by one division a result: exact in integers, close to floats, proven, and not to be forged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
import pytest

from deepprove_dist.errors import ModelError
from deepprove_dist.field import MODULUS
from deepprove_dist.importing.regrouping.averages import LEAST_KEYS
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.operators.attention import Attention, division_bound
from deepprove_dist.operators.integer_operator import Inference
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.protocol.system.table import Interval, Table
from tests.attacks.lying_prover import LyingProver
from tests.attacks.models import make_key
from tests.importing.onnx_comparison import assert_same
from tests.operators.end_to_end import assert_proven, network, quantised
from tests.operators.proving import assert_lies_refused, assert_proven_in_both_modes
from tests.records import replace

KEYS = LEAST_KEYS
TABLE = Table.from_values(0, np.array([9, 4, 2, 1, 0]))
ATTRIBUTES: dict[str, Attribute] = {
    "left": (0, 2),
    "right": (2, 1),
    "outputs": 2,
    "contracted": (3,),
    "table": TABLE,
    "shift": 0,
}
NODE = Node(Attention.name, "n", ("x", "v"), "y", ATTRIBUTES)
CAUSAL = np.triu(np.full((KEYS, KEYS), -np.inf, dtype=np.float32), 1)
BODIES = {
    "values on the right": f"(float[1,3,{KEYS}] x, float[1,{KEYS},4] v) => (float y) "
    "{ p = Softmax (x) y = MatMul (p, v) }",
    "values on the left": f"(float[1,4,{KEYS}] v, float[1,3,{KEYS}] x) => (float y) "
    '{ p = Softmax (x) y = Einsum <equation="bdk,bqk->bdq"> (v, p) }',
    "heads": f"(float[1,2,3,{KEYS}] x, float[1,2,{KEYS},4] v) => (float y) "
    "{ p = Softmax (x) m = MatMul (p, v) y = Transpose <perm=[0,2,1,3]> (m) }",
    "values that heads share": f"(float[1,2,3,{KEYS}] x, float[1,1,{KEYS},4] v) => (float y) "
    "{ p = Softmax (x) y = MatMul (p, v) }",
    "under a mask": f"(float[1,{KEYS},{KEYS}] x, float[1,{KEYS},2] v) => (float y) "
    "{ m = Add (x, mask) p = Softmax (m) y = MatMul (p, v) }",
    "under a function": f"(float[1,3,{KEYS}] x, float[1,{KEYS},4] v) => (float y) "
    "{ p = Softmax (x) m = MatMul (p, v) y = Tanh (m) }",
}


def source(body: str) -> onnx.ModelProto:
    return network(body, {"mask": CAUSAL} if "mask" in body else {})


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_attention_is_proven(body: str) -> None:
    model = assert_proven(source(body))
    assert [node.operator for node in model.nodes].count("attention") == 1
    assert all(node.operator not in ("softmax", "weighted_average") for node in model.nodes)


@pytest.mark.parametrize(
    "body",
    [
        f"(float[1,3,{KEYS - 1}] x, float[1,{KEYS - 1},4] v) => (float y) "
        "{ p = Softmax (x) y = MatMul (p, v) }",
        f"(float[1,3,{KEYS}] x, float[1,{KEYS},4] v) => (float y, float p) "
        "{ p = Softmax (x) y = MatMul (p, v) }",
        f"(float[1,{KEYS},{KEYS}] x) => (float y) {{ p = Softmax (x) y = MatMul (p, p) }}",
        f"(float[1,3,{KEYS}] x, float[1,3,4] v) => (float y) "
        "{ p = Softmax (x) t = Transpose <perm=[0,2,1]> (p) y = MatMul (t, v) }",
    ],
    ids=["few keys", "weights are an output", "weights of weights", "sums over queries"],
)
def test_other_averages_are_by_rounded_weights(body: str) -> None:
    model = quantised(network(body)).model
    assert all(node.operator != "attention" for node in model.nodes)


@dataclass(frozen=True)
class Broken:
    """Attributes and intervals that make no attention."""

    attributes: dict[str, Attribute]
    scores: Interval = (0, 4)
    values: Interval = (-5, 5)


@pytest.mark.parametrize(
    "broken",
    [
        Broken({}, scores=(0, 3)),
        Broken({"table": Table.from_values(0, np.array([0, 4, 2, 1, 0]))}),
        Broken({"table": Table.from_values(0, np.array([9, 4, 2, 1, -1]))}),
        Broken({}, values=(-(MODULUS // 108), 5)),
        Broken({"shift": 25}),
        Broken({"shift": 10**9}),
        Broken({"shift": -1}),
    ],
    ids=[
        "a shorter table",
        "a maximum without weight",
        "negative weights",
        "products that wrap",
        "a shift that wraps",
        "a huge shift",
        "a negative shift",
    ],
)
def test_what_is_no_attention_is_refused(broken: Broken) -> None:
    node = replace(NODE, attributes={**ATTRIBUTES, **broken.attributes})
    with pytest.raises(ModelError):
        Attention().interval(node, [broken.scores, broken.values], {})
    assert Attention().interval(NODE, [(0, 4), (-5, 5)], {}) == (-5, 5)


@pytest.mark.parametrize(
    "labels",
    [{"left": (2, 0)}, {"left": (0, 2, 3), "right": (2, 3, 1), "contracted": (3, 2)}],
    ids=["over queries", "over two axes"],
)
def test_attention_is_over_the_last_axis_of_scores(labels: dict[str, Attribute]) -> None:
    with pytest.raises(ModelError):
        Attention().shape(replace(NODE, attributes={**ATTRIBUTES, **labels}), [(2, 3), (3, 4)])
    assert Attention().shape(NODE, [(2, 3), (3, 4)]) == (2, 4)


def test_a_division_wraps_at_its_bound() -> None:
    largest = MODULUS // (3 * 9) // 4 - 2
    assert division_bound(3, 9, (-largest, 0)) < MODULUS
    assert Attention().interval(NODE, [(0, 4), (-largest, 0)], {}) == (-largest, 0)


@pytest.mark.parametrize("shift", [0, 3])
def test_results_are_the_rounded_means(shift: int) -> None:
    node = replace(NODE, attributes={**ATTRIBUTES, "shift": shift})
    assert Attention().interval(node, [(0, 4), (-5, 5)], {}) == (-5 << shift, 5 << shift)
    generator = np.random.default_rng(0)
    x, v = generator.integers(0, 5, (7, 2, 3)), generator.integers(-5, 6, (7, 3, 4))
    inference = Attention().infer(node, [x, v])
    weights = TABLE.values()[x.max(axis=-1, keepdims=True) - x]
    for sample in range(7):
        for query in range(2):
            for feature in range(4):
                total = int((weights[sample, query] * v[sample, :, feature]).sum()) << shift
                divisor = int(weights[sample, query].sum())
                mean = (2 * total + divisor) // (2 * divisor)
                assert inference.output[sample, query, feature] == mean


def test_long_attention_keeps_its_accuracy() -> None:
    body = "(float[1,2,900] x, float[1,900,2] v) => (float y) { p = Softmax (x) y = MatMul (p, v) }"
    assert_proven(network(body))


def lying() -> LyingProver:
    model: IntegerModel = quantised(source(BODIES["values on the right"])).model
    generator = np.random.default_rng(2)
    inputs = {
        tensor.name: generator.integers(tensor.lo, tensor.hi + 1, (1, *tensor.shape))
        for tensor in model.inputs
    }
    return LyingProver(make_key(model, folds=False), inputs)


def altered(column: str, step: int) -> Callable[[Inference], Inference]:
    """The first element of a column, or of the output, with a step added."""

    def change(inference: Inference) -> Inference:
        arrays = {**inference.columns, "": inference.output}
        changed = arrays[column].copy()
        changed.reshape(-1)[0] += step
        arrays[column] = changed
        return Inference(arrays.pop(""), arrays)

    return change


def test_lies_are_refused() -> None:
    attacker = lying()
    columns = ("", "e", "b", "r", "gain0")
    lies = {f"{column} {step}": altered(column, step) for column in columns for step in (-1, 1)}
    assert_lies_refused(attacker, Attention.name, lies)


def test_a_result_that_is_one_off_with_its_remainder_is_refused() -> None:
    attacker = lying()
    (node,) = (node for node in attacker.model.nodes if node.operator == Attention.name)
    total = int(attacker.inference(node).columns["b"].reshape(-1)[0])

    def both(inference: Inference) -> Inference:
        output, r, s = (values.copy() for values in (inference.output, *(inference.columns[k] for k in "rs")))
        output.reshape(-1)[0] -= 1
        r.reshape(-1)[0] += 2 * total
        s.reshape(-1)[0] -= 2 * total
        return Inference(output, {**inference.columns, "r": r, "s": s})

    assert_lies_refused(attacker, Attention.name, {"one off": both})


@pytest.mark.parametrize("kind", ["heads", "under a mask"])
def test_attention_is_proven_in_both_modes(kind: str) -> None:
    model = quantised(source(BODIES[kind])).model
    generator = np.random.default_rng(4)
    inputs = {
        tensor.name: generator.integers(tensor.lo, tensor.hi + 1, (1, *tensor.shape))
        for tensor in model.inputs
    }
    assert_proven_in_both_modes(model, inputs)


def test_the_graph_is_the_same_function() -> None:
    for body in BODIES.values():
        assert_same(source(body))
