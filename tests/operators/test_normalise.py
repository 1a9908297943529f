"""Normalisation: exact in integers, close to onnxruntime, proven, and not to be forged."""

from __future__ import annotations

from math import isqrt

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.errors import ModelError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.normalise import FloatNormalise, Normalise
from deepprove_dist.protocol.system.scale import Scale
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

CONSTANTS = (
    "float[4,5] v = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1, 0.5, 1, -2, 0.75, -1, 0.25, 1, 2}, "
    "float[5] g = {1, 0.5, 2, -1, 1.5}, float[5] b = {0, 1, -1, 0.5, 0.25}, "
    "float[3] c = {1, 2, -1}, float[3] d = {0.5, 0, 1}, float[5,2] w = {1, -2, 3, 1, -1, 2, 0.5, 1, 2, -1}, "
    "float[3,5] u = {1, 2, 3, 4, 5, 1, 1, 1, 1, 1, -1, 0.5, 2, 1, 1}, float[6] e = {1, 2, 3, 1, 2, 3}"
)
LAYER = "a = MatMul (x, v) "
BODIES = {
    "of an input": ("y = LayerNormalization (x, f)", 17),
    "of a layer, before a layer": (LAYER + "n = LayerNormalization (a, g, b) y = MatMul (n, w)", 17),
    "over two axes": (LAYER + "y = LayerNormalization <axis=1> (a, u, u)", 17),
    "without a bias, under a function": (LAYER + "n = LayerNormalization (a, g) y = Tanh (n)", 17),
    "root of the mean square": (LAYER + "y = RMSNormalization (a, g)", 23),
    "of instances": (LAYER + "y = InstanceNormalization (a, c, d)", 17),
    "of all instances alike": (LAYER + "y = MeanVarianceNormalization <axes=[2]> (a)", 17),
    "of length one": (LAYER + "y = LpNormalization <axis=1> (a)", 17),
    "twice": (LAYER + "n = LayerNormalization (a, g, b) m = Add (n, a) y = LayerNormalization (m, g)", 17),
}
ATTRIBUTES: dict[str, Attribute] = {
    "size": 7,
    "shift": 3,
    "epsilon": 5,
    "multiplier": 40,
    "largest": 128,
}
NODE = Node("normalise", "n", ("x",), "y", ATTRIBUTES)


def network(**attributes: Attribute) -> IntegerModel:
    net = Network((1, 2, 7))
    return net.model(net.relu(net.node("normalise", ("x",), {**ATTRIBUTES, **attributes})))


def samples(count: int, size: int = 7) -> dict[str, IntArray]:
    rows = np.random.default_rng(7).integers(-128, 128, (count, 1, 2, size))
    rows[0, 0, 0] = 0
    rows[0, 0, 1, 1:] = 0
    return {"x": rows}


@pytest.mark.parametrize(("body", "opset"), BODIES.values(), ids=BODIES)
def test_networks_are_proven_and_close(body: str, opset: int) -> None:
    constants = f"{CONSTANTS}, float[4] f = {{1, 2, -1, 0.5}}"
    model = assert_proven(text_model(body, "float[1,3,4] x", constants, opset), 0.025)
    assert any(node.operator == "normalise" for node in model.nodes)


@pytest.mark.parametrize(("opset", "scale"), [(18, "d"), (21, "e")])
def test_groups_of_channels_are_normalised(opset: int, scale: str) -> None:
    body = f"y = GroupNormalization <num_groups=3> (x, {scale}, {scale})"
    assert_proven(text_model(body, "float[1,6,2,3] x", CONSTANTS, opset), 0.03)


def test_rows_of_very_different_size_keep_their_precision() -> None:
    body = "t = Mul (x, s) y = LayerNormalization (t, g)"
    constants = "float[3,1] s = {1, 0.3, 3}, float[16] g = {1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1}"
    assert_proven(text_model(body, "float[1,3,16] x", constants), 0.02)


@pytest.mark.parametrize(
    ("shift", "size", "largest"), [(0, 3, 128), (3, 7, 128), (6, 20, 128), (12, 37, 20000)]
)
def test_integers_are_those_of_the_definition(shift: int, size: int, largest: int) -> None:
    node = replace(NODE, attributes={**ATTRIBUTES, "size": size, "shift": shift, "largest": largest})
    rows = samples(3, size)["x"]
    inference = Normalise().infer(node, [rows])
    groups = inference.columns["v"]
    assert groups.shape[-1] == (1 if largest == 128 else 8)
    flat, results = rows.reshape(-1, size), inference.output.reshape(-1, size)
    for row, result, sums in zip(flat, results, groups.reshape(len(flat), -1), strict=True):
        width = -(-size // len(sums))
        assert sums.tolist() == [sum(int(v) ** 2 for v in row[i : i + width]) for i in range(0, size, width)]
        total = 5 + sum(int(value) >> shift for value in sums)
        root = isqrt(total)
        root += total > root * (root + 1)
        assert result.tolist() == [(80 * int(value) + root) // (2 * root) for value in row]
    if largest == 128:
        net = Network((1, 2, size))
        check_inference(net.model(net.node("normalise", ("x",), dict(node.attributes))), {"x": rows})


def test_the_range_of_quotients_holds_for_the_most_uneven_rows() -> None:
    for epsilon in (1, 5, 1000):
        for shift in (0, 3, 6):
            node = replace(NODE, attributes={**ATTRIBUTES, "epsilon": epsilon, "shift": shift})
            low, high = Normalise().interval(node, [(-128, 127)], {})
            rows = np.zeros((257, 1, 1, 7), dtype=np.int64)
            rows[:, 0, 0, 3] = np.arange(-128, 129)
            output = Normalise().infer(node, [rows[:-1]]).output
            assert low <= output.min()
            assert output.max() <= high


GROUPED: dict[str, Attribute] = {"largest": 20000}
"""Two groups, of 4 and 3 entries."""


@pytest.mark.parametrize("change", [{}, GROUPED], ids=["one group", "two groups"])
def test_a_proof_of_several_samples_is_taken_in_both_modes(change: dict[str, Attribute]) -> None:
    assert_proven_in_both_modes(network(**change), samples(3))


@pytest.mark.parametrize("change", [{}, GROUPED], ids=["one group", "two groups"])
def test_every_lookup_and_relation_is_needed(change: dict[str, Attribute]) -> None:
    assert_every_lookup_is_needed(network(**change))


@pytest.mark.parametrize(
    "change",
    [
        {"largest": 127},
        {"shift": -1},
        {"shift": 13},
        {"multiplier": 0},
        {"epsilon": 0},
        {"multiplier": 2**16},
        {"epsilon": 2**30},
        {"size": 10**8, "shift": 12, "epsilon": 10**6},
    ],
)
def test_constants_that_do_not_fit_are_refused(change: dict[str, Attribute]) -> None:
    Normalise().interval(NODE, [(-128, 127)], {})
    with pytest.raises(ModelError):
        Normalise().interval(replace(NODE, attributes={**ATTRIBUTES, **change}), [(-128, 127)], {})


def test_other_shapes_and_constants_are_refused() -> None:
    with pytest.raises(ModelError, match="entries"):
        Normalise().shape(NODE, [(1, 6)])
    with pytest.raises(ModelError, match="constants"):
        Normalise().interval(NODE, [(-128, 127)], {"x": np.zeros(1, dtype=np.int64)})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("y = LayerNormalization (x, x)", "not a constant"),
        ("y = LayerNormalization (x, g)", "does not broadcast"),
        ("y = LayerNormalization <axis=3> (x, g)", "axis 3"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(body: str, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        import_proto(text_model(body, "float[1,3,4] x", CONSTANTS))


def test_lies_are_refused() -> None:
    attacker = LyingProver(make_key(network(), folds=False), samples(2))
    honest = attacker.inference(attacker.model.nodes[0])
    root = int(honest.columns["b"].reshape(-1)[3])
    step = 2 * root
    assert_lies_refused(
        attacker,
        "normalise",
        {
            "a quotient": changed(output=(22, 1)),
            "a quotient and its remainder": changed(output=(22, 1), r=(22, -step), s=(22, step)),
            "a quotient below": changed(output=(22, -1), r=(22, step), s=(22, -step)),
            "a sum of squares": changed(v=(3, 8)),
            "a root": changed(b=(3, 1)),
            "a root and its remainder": changed(b=(3, 1), root_r=(3, 2 * root + 2), root_s=(3, -2 * root)),
            "a root below": changed(b=(3, -1), root_r=(3, -2 * root), root_s=(3, 2 * root - 2)),
            "a remainder": changed(r=(21, 1), s=(21, -1)),
            "a root's remainder": changed(root_r=(2, 1), root_s=(2, -1)),
            "rows mixed": lambda result: replace(result, output=result.output[:, :, ::-1].copy()),
            "samples mixed": lambda result: replace(
                result,
                output=result.output[::-1].copy(),
                columns={name: values[::-1].copy() for name, values in result.columns.items()},
            ),
        },
    )


def test_lies_about_groups_are_refused() -> None:
    attacker = LyingProver(make_key(network(**GROUPED), folds=False), samples(2))
    assert_lies_refused(
        attacker,
        "normalise",
        {
            "a sum of squares": changed(v=(3, 8)),
            "a sum of squares and the total": changed(v=(3, 8), total=(1, 1)),
            "squares from another group": lambda result: replace(
                result, columns={**result.columns, "v": result.columns["v"][..., ::-1].copy()}
            ),
            "a total": changed(total=(2, 1)),
            "a total below": changed(total=(2, -1)),
        },
    )


@pytest.mark.parametrize("size", [2, 3, 64, 65, 384, 768, 4096])
def test_inputs_of_the_most_bits_fit(size: int) -> None:
    node = FloatNormalise("n", ("c",), "y", size, 1.0, 1e-5)
    for format in (
        Format(Scale.of(0.01), -(2 ** (node.most_bits - 1)), 2 ** (node.most_bits - 1) - 1),
        Format(Scale.of(0.01), -1, 2**node.most_bits - 2),
    ):
        arithmetic, _ = node._choose(format)
        integer = replace(node, arithmetic=arithmetic).integer_node(("c",), "y", [format.interval])
        low, high = Normalise().interval(integer, [format.interval], {})
        assert low == -high == -arithmetic.limit
        # Nor does a key's check refuse it: limbs add up to a little more than what they are of.
        network = Network((1, size), interval=format.interval)
        assert lower(network.model(network.node("normalise", ("x",), integer.attributes))).system.relations
