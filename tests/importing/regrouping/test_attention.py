"""Attention under constant masks in blocks of queries: the same results from fewer scores."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.regrouping.attention import LEAST_ROWS
from deepprove_dist.operators.concat import FloatConcat
from deepprove_dist.operators.float_attention import FloatAttention
from deepprove_dist.operators.mask import FloatMaskedSoftmax
from tests.importing.onnx_comparison import assert_same
from tests.operators.end_to_end import assert_proven, network

SIZE = 2 * LEAST_ROWS
BODY = (
    "q = Transpose <perm = [0, 2, 1, 3]> (x) k = Transpose <perm = [0, 2, 3, 1]> (x) "
    "s = MatMul (q, k) h = Mul (s, scale) m = Add (h, mask) p = Softmax <axis = -1> (m) "
)
AVERAGE = "y = MatMul (p, q)"


def causal(rows: int) -> FloatArray:
    return np.triu(np.full((rows, rows), -np.inf), 1)


def window(rows: int) -> FloatArray:
    distance = np.arange(rows)[:, None] - np.arange(rows)
    return np.where((distance < 0) | (distance >= 20), -np.inf, 0.0)


def padding(rows: int) -> FloatArray:
    return np.where(np.arange(rows) < rows - 10, 0.0, -np.inf)[None].repeat(rows, axis=0)


def model(mask: FloatArray, average: str = AVERAGE, heads: int = 2) -> onnx.ModelProto:
    if "k2" in average:
        average = f"k2 = MatMul (q, k) {average}"
    constants = {"mask": mask.astype(np.float32), "scale": np.array(0.5, dtype=np.float32)}
    text = f"(float[1,{len(mask)},{heads},3] x) => (float y) {{ {BODY} {average} }}"
    return network(text, constants)


def score_shapes(source: onnx.ModelProto) -> list[tuple[int, ...]]:
    graph = assert_same(source).graph
    softmaxes = [
        node.softmax if isinstance(node, FloatAttention) else node
        for node in graph.nodes
        if isinstance(node, (FloatAttention, FloatMaskedSoftmax))
    ]
    assert all(isinstance(softmax, FloatMaskedSoftmax) for softmax in softmaxes)
    return [graph.shapes[softmax.inputs[0]] for softmax in softmaxes]


@pytest.mark.parametrize(
    ("mask", "columns"),
    [(causal, [128, 256, 384, 512]), (window, [128, 147, 147, 147])],
    ids=["causal", "window"],
)
def test_blocks_have_the_scores_that_some_query_counts(
    mask: Callable[[int], FloatArray], columns: list[int]
) -> None:
    assert score_shapes(model(mask(2 * SIZE))) == [(1, 2, LEAST_ROWS, size) for size in columns]


def test_values_may_be_on_the_left() -> None:
    turned = "t = Transpose <perm = [0, 1, 3, 2]> (p) v = Transpose <perm = [0, 2, 3, 1]> (x) "
    einsum = 'y = Einsum <equation="bhkd,bhqk->bhqd"> (q, p)'
    assert len(score_shapes(model(causal(SIZE), einsum))) == 2
    assert len(score_shapes(model(causal(SIZE), f"{turned} y = MatMul (v, t)"))) == 1


@pytest.mark.parametrize(
    "source",
    [
        model(causal(LEAST_ROWS)),
        model(causal(SIZE - 1)),
        model(padding(SIZE)),
        model(causal(SIZE), f"{AVERAGE.replace('y', 'a')} b = Tanh (p) c = MatMul (b, q) y = Add (a, c)"),
        model(causal(SIZE), "y = Tanh (p)"),
        model(causal(SIZE), 'y = Einsum <equation="bhqk,bhqd->bhqd"> (p, q)'),
        model(causal(SIZE), 'y = Einsum <equation="bhqk,bhkq->bhq"> (p, k2)'),
    ],
    ids=[
        "few rows",
        "odd",
        "padding",
        "scores are read, too",
        "no average",
        "sums of weights",
        "values of each query",
    ],
)
def test_attention_stays_whole_where_little_is_won_or_more_is_read(source: onnx.ModelProto) -> None:
    (shape,) = score_shapes(source)
    assert shape[-1] == shape[-2]


def test_results_stand_one_after_the_other() -> None:
    graph = assert_same(model(causal(SIZE))).graph
    (joined,) = (node for node in graph.nodes if isinstance(node, FloatConcat))
    assert graph.shapes[joined.output] == (1, 2, SIZE, 3)


def test_attention_in_blocks_is_proven() -> None:
    assert_proven(model(causal(SIZE), heads=1))
