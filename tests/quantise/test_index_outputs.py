"""Outputs of indices: each is right or wrong, however near."""

from __future__ import annotations

import numpy as np
import pytest

import deepprove_dist as dp
from deepprove_dist.importing.load import import_proto
from deepprove_dist.importing.selection import ModelSelection
from deepprove_dist.quantise.behaviour import strange_outputs
from deepprove_dist.quantise.deviation import Deviation
from deepprove_dist.quantise.diagnosis import AGREEING, REFUSED
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.report import OutputError
from tests.importing.onnx_comparison import model
from tests.token_models import token_model, token_samples

FAR = Deviation(np.array([30.0]), np.array([10.0]), np.array([10.0]), 99.0)


def test_an_error_is_the_share_of_wrong_indices() -> None:
    assert OutputError("y", FAR, 0.97, 3, whole=True, index=True).error == pytest.approx(0.03)
    assert OutputError("y", FAR, 0.97, 3, whole=True).error == 3
    assert OutputError("y", FAR, None, 0).error == 3


@pytest.mark.parametrize(
    ("body", "indices"),
    [
        ("y = ArgMax <axis=2, keepdims=0> (x)", True),
        ("a = ArgMin <axis=2> (x) b = Squeeze (a, two) y = Cast <to=6> (b)", True),
        ("v, y = TopK (x, one)", True),
        ("a = ArgMax <axis=2> (x) y = Add (a, a)", False),
        ("y = Cast <to=7> (x)", False),
    ],
)
def test_which_outputs_are_indices(body: str, indices: bool) -> None:
    constants = "int64[1] two = {2}, int64[1] one = {1}"
    kind = "int32" if "to=6" in body else "int64"
    source = model(f"g (float[1,3,4] x) => ({kind}[n] y) <{constants}> {{ {body} }}")
    source.graph.output[0].type.tensor_type.ClearField("shape")
    assert import_proto(source).graph.index_outputs == (frozenset("y") if indices else frozenset())


@pytest.mark.parametrize(
    ("body", "label"),
    [
        ("a = ArgMax <axis=2> (x) y = Gather (names, a)", True),
        ("b = Greater (x, half) y = Cast <to=7> (b)", True),
        ("b = Less (x, half) c = Cast <to=7> (b) d = Mul (c, two) y = Sub (d, one)", True),
        ("b = Less (x, half) y = Where (b, one, two)", True),
        ("s = Sign (x) y = Cast <to=7> (s)", True),
        ("b = Less (x, half) c = Cast <to=7> (b) y = ReduceSum (c)", False),
        ("y = Cast <to=7> (x)", False),
        ("b = Less (x, half) c = Cast <to=7> (b) y = Mul (c, c)", False),
    ],
)
def test_which_outputs_are_labels(body: str, label: bool) -> None:
    constants = "int64[4] names = {3, 1, 7, 9}, float[1] half = {0.5}, int64[1] two = {2}, int64[1] one = {1}"
    source = model(f"g (float[1,3,4] x) => (int64[n] y) <{constants}> {{ {body} }}")
    source.graph.output[0].type.tensor_type.ClearField("shape")
    graph = import_proto(source).graph
    assert graph.label_outputs == (frozenset("y") if label else frozenset())
    assert not graph.index_outputs


def test_one_wrong_label_is_no_reason_to_refuse() -> None:
    """A rare label that is wrong once is far off by its distance."""
    rare = OutputError("y", FAR, 0.98, 1, whole=True, index=True)
    assert rare.error == pytest.approx(0.02)
    source = model("g (float[1,3,4] x) => (bool[1,3,4] y) <float[1] half = {0.0}> { y = Greater (x, half) }")
    x = np.random.default_rng(0).normal(size=(64, 1, 3, 4))
    keys = dp.setup(source, x, activation_bits=8, transparent=True, threads=1)
    for output in keys.report.outputs:
        assert output.agreement is not None
        assert output.error == pytest.approx(1 - output.agreement)


def test_few_wrong_tokens_are_warned_of_and_not_refused() -> None:
    """By their distance they would be off by more than a fifth of the spread."""
    keys = dp.setup(
        token_model(),
        token_samples(),
        output_form="argmax",
        activation_bits=8,
        transparent=True,
        threads=1,
        score=token_samples(),
    )
    (score,) = (output for output in keys.report.outputs if output.samples == "score")
    assert score.agreement is not None
    assert 1 - REFUSED < score.agreement < AGREEING
    assert score.error == pytest.approx(1 - score.agreement)
    assert keys.report.warnings
    for warning in keys.report.warnings:
        assert "has the float model's integers in only 9" in str(warning)


def test_another_models_tokens_are_named_by_audit() -> None:
    trained, other = (
        FloatModel(import_proto(token_model(seed=seed), ModelSelection.of((), None, "argmax")))
        for seed in (0, 1)
    )
    keys = dp.setup(
        token_model(), token_samples(), output_form="argmax", activation_bits=12, transparent=True, threads=1
    )
    assert strange_outputs(keys.model, trained, token_samples()) == []
    (sentence,) = strange_outputs(keys.model, other, token_samples())
    assert "'logits.argmax' has other indices than the ONNX model in" in sentence


def test_many_wrong_indices_are_refused() -> None:
    """One sample is so large that the others' scores round to the same integers."""
    source = model("g (float[1,3,4] x) => (int64[1,3] y) { n = Neg (x) y = ArgMax <axis=2, keepdims=0> (n) }")
    x = np.random.default_rng(0).normal(size=(20, 1, 3, 4))
    x[0] *= 1e5
    with pytest.raises(dp.AccuracyError, match=r"float model's integers in only \d\d"):
        dp.setup(source, x, activation_bits=8, calibration_method="max", transparent=True, threads=1)
