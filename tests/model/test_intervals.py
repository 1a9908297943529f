"""Stated intervals of sums against those of every window that occurs, in Python's own integers."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.validate import analyse
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.system.table import Interval
from tests.random_models import models
from tests.random_networks import networks


def reached(weights: IntArray, biases: IntArray, interval: Interval) -> Interval:
    """The least and the largest sum of weights [outputs, ...] times values of the interval, plus a bias."""
    low, high = interval
    rows = [([int(w) for w in row.reshape(-1)], int(bias)) for row, bias in zip(weights, biases, strict=True)]
    least = [bias + sum(w * (low if w > 0 else high) for w in row) for row, bias in rows]
    most = [bias + sum(w * (high if w > 0 else low) for w in row) for row, bias in rows]
    return min(least), max(most)


def masks(node: Node, kernel: Shape, spatial: Shape, places: Shape) -> set[tuple[bool, ...]]:
    """Which weights of the kernel meet the input, for each place of the output."""
    strides, pads, dilations = (node.attributes[name] for name in ("strides", "pads", "dilations"))
    assert isinstance(strides, tuple)
    assert isinstance(pads, tuple)
    assert isinstance(dilations, tuple)
    result = set()
    for output in product(*map(range, places)):
        starts = [strides[k] * output[k] - pads[k] for k in range(len(kernel))]
        taps = product(*map(range, kernel))
        result.add(
            tuple(
                all(0 <= starts[k] + dilations[k] * tap[k] < spatial[k] for k in range(len(kernel)))
                for tap in taps
            )
        )
    return result


def expected(model: IntegerModel, node: Node) -> Interval:
    """The interval of a dense layer or a convolution, place by place."""
    analysis = analyse(model)
    weights, interval = model.constants[node.inputs[1]], analysis.intervals[node.inputs[0]]
    biases = model.constants[node.inputs[2]] if len(node.inputs) == 3 else np.zeros(len(weights), np.int64)
    if node.operator == "dense":
        return reached(weights, biases, interval)
    kernel, spatial = weights.shape[2:], analysis.shapes[node.inputs[0]][2:]
    inside = masks(node, kernel, spatial, analysis.shapes[node.output][2:])
    ends = [reached(weights * np.reshape(mask, kernel), biases, interval) for mask in inside]
    return min(low for low, _ in ends), max(high for _, high in ends)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(model=st.one_of(networks(), models()))
def test_no_sum_leaves_its_stated_interval(model: IntegerModel) -> None:
    intervals = analyse(model).intervals
    for node in model.nodes:
        if node.operator in {"dense", "conv"}:
            (low, high), (first, last) = expected(model, node), intervals[node.output]
            assert first <= low
            assert high <= last
            # Padding may be counted where no window meets it, or with none; without it there is no slack.
            pads = node.attributes.get("pads", ())
            assert isinstance(pads, tuple)
            if not any(pads):
                assert (low, high) == (first, last)
