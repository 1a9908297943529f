"""Deviations from a row's mean: exact, within their interval, and the sum is committed as it is."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.errors import ModelError
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.operators.centre import Centre
from deepprove_dist.operators.node import Node
from tests.attacks.lying_prover import LyingProver
from tests.attacks.models import make_key
from tests.lowering.integers import check_inference
from tests.lowering.networks import Network
from tests.operators.proving import assert_every_lookup_is_needed, assert_lies_refused, changed

NODE = Node("centre", "n", ("x",), "y", {"size": 5, "multiplier": 3})


def network() -> IntegerModel:
    net = Network((1, 2, 5))
    return net.model(net.relu(net.node("centre", ("x",), dict(NODE.attributes))))


def test_integers_are_those_of_the_definition() -> None:
    rows = np.random.default_rng(1).integers(-128, 128, (3, 1, 2, 5))
    output = Centre().infer(NODE, [rows]).output
    for row, deviations in zip(rows.reshape(-1, 5), output.reshape(-1, 5), strict=True):
        assert deviations.tolist() == [3 * (5 * int(value) - int(row.sum())) for value in row]
    low, high = Centre().interval(NODE, [(-128, 127)], {})
    assert low <= output.min()
    assert output.max() <= high
    check_inference(network(), {"x": rows})


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ModelError, match="entries"):
        Centre().shape(NODE, [(1, 2, 4)])
    with pytest.raises(ModelError, match="constants"):
        Centre().interval(NODE, [(0, 1)], {"x": np.zeros(1, dtype=np.int64)})
    with pytest.raises(ModelError, match="2\\^52"):
        Centre().interval(NODE, [(0, 2**49)], {})


def test_lies_are_refused_and_every_relation_is_needed() -> None:
    assert_every_lookup_is_needed(network())
    rows = np.random.default_rng(1).integers(-128, 128, (2, 1, 2, 5))
    attacker = LyingProver(make_key(network(), folds=False), {"x": rows})
    lies = {"a deviation": changed(output=(3, 1)), "a sum": changed(total=(1, 1))}
    assert_lies_refused(attacker, "centre", lies)
