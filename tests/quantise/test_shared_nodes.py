"""Nodes that compute the same are computed and proven once."""

from __future__ import annotations

import numpy as np
import pytest

import deepprove_dist as dp
from deepprove_dist.importing.load import import_proto
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.model.lower import lower
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.comparison import differences
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.quantise.shared_nodes import share_nodes
from deepprove_dist.samples import Samples
from tests.operators.proving import assert_proven, text_model
from tests.quantise.test_transformer_by_hand import LENGTH, VOCABULARY, decoder_block


def node(operator: str, output: str, *inputs: str, **attributes: Attribute) -> Node:
    return Node(operator, output, inputs, output, attributes)


def format_of(unit: float) -> Format:
    return Format(Scale.of(unit), -100, 100)


def test_equal_nodes_are_one_and_so_are_those_that_read_them() -> None:
    nodes = [
        node("dense", "a", "x", "w"),
        node("dense", "b", "x", "w"),
        node("weighted_sum", "c", "a", multipliers=(3,), constant=0),
        node("weighted_sum", "d", "b", multipliers=(3,), constant=0),
        node("weighted_sum", "e", "b", multipliers=(4,), constant=0),
        node("dense", "f", "x", "v"),
    ]
    formats = {name: format_of(0.5) for name in "abcdef"}
    shared, left = share_nodes(nodes, formats, ())
    assert [(kept.output, kept.inputs) for kept in shared] == [
        ("a", ("x", "w")),
        ("c", ("a",)),
        ("e", ("a",)),
        ("f", ("x", "v")),
    ]
    assert list(left) == ["a", "c", "e", "f"]


def test_what_is_kept_and_what_has_other_formats_stays() -> None:
    nodes = [node("dense", name, "x", "w") for name in "abc"]
    formats = {"a": format_of(0.5), "b": format_of(0.25)}
    assert share_nodes(nodes, formats, {"c"}) == (nodes, formats)


EQUAL = {
    "exact sums": "q = Mul (x, x) s = MatMul (q, w) a = Sqrt (s) t = MatMul (q, w) b = Sqrt (t) "
    "y = Add (a, b)",
    "rescaled sums": "s = MatMul (x, w) t = MatMul (x, w) a = Relu (s) b = Tanh (t) y = Add (a, b)",
    "maxima": "s = Softmax (x) t = Softmax (x) a = MatMul (s, w) b = MatMul (t, w) y = Add (a, b)",
}


@pytest.mark.parametrize("body", EQUAL.values(), ids=list(EQUAL))
def test_equal_parts_of_a_network_are_proven_audited_and_reported(body: str) -> None:
    weights = "float[4,4] w = {1, 2, 1, 3, 2, 1, 1, 2, 3, 1, 2, 1, 1, 3, 2, 2}"
    source = text_model(body, "float[1,6,4] x", weights)
    assert_proven(source, 0.05)
    samples = np.random.default_rng(3).normal(size=(20, 1, 6, 4))
    report = dp.setup(source, samples, transparent=True, accept_error=True).report
    assert {layer.error is None for layer in report.layers} == {False}


def test_a_sum_in_two_formats_is_summed_once() -> None:
    """And an audit finds nothing else in such a model."""
    imported = import_proto(decoder_block())
    tokens = np.random.default_rng(1).integers(0, VOCABULARY, (20, 1, LENGTH))
    samples = Samples({"tokens": tokens.astype(np.float64)}, None)
    model = quantise(imported.graph, calibrate(FloatModel(imported), samples), 12).model
    readers = [node.output for node in model.nodes if node.inputs[:1] == ("x.accumulator",)]
    assert readers == ["x", "x.1"]
    assert differences(model, imported.graph) == []
    assert {"x.1", "x.accumulator"} <= set(model.formats)
    assert "x.1.accumulator" not in model.formats
    values = IntegerRunner(model).run({"tokens": tokens}).values
    assert np.array_equal(values["x"], values["x.1"])
    lower(model)
