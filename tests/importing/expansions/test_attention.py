"""Attention and rotary positions, of the standard and of onnxruntime, become nodes that compute the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.folding import fold_constants
from deepprove_dist.importing.load import copy_checked, import_proto
from tests.importing.expansions.test_fusions import Array, network, normal, run


def truth(*rows: str) -> Array:
    return np.array([[bit == "1" for bit in row] for row in rows])


def cases(operator: str, *forms: tuple[dict[str, Array], dict[str, Array], dict[str, Any]]) -> list[Any]:
    return [(operator, *form) for form in forms]


QUERY = {"q": normal(1, 4, 3, 8)}
FEW = {**QUERY, "k": normal(1, 2, 5, 8), "v": normal(1, 2, 5, 6)}
SAME = {**QUERY, "k": normal(1, 2, 3, 8), "v": normal(1, 2, 3, 6)}
FLAT = {"q": normal(1, 3, 32), "k": normal(1, 5, 16), "v": normal(1, 5, 12)}
LATER = {**SAME, "pk": normal(1, 2, 2, 8), "pv": normal(1, 2, 2, 6)}
ALL, SOME = {"m": truth("11111", "11111", "11111")}, {"m": truth("10110", "11010", "11111")}
EMPTY = {"m": truth("10110", "00000", "11111")}
SHORT: list[dict[str, Array]] = [{"m": normal(3, 4)}, {"m": truth("1111", "1010", "0001")}]
STANDARD: dict[str, Any] = {"domain": "", "opset": 24}
CAUSAL: dict[str, Any] = {**STANDARD, "is_causal": 1}
VALID: dict[str, Any] = {**STANDARD, "order": "q k v - - - n"}
ANGLES = {"c": np.cos(normal(1, 3, 4)), "s": np.sin(normal(1, 3, 4))}
TABLES = {"c": np.cos(normal(9, 4)), "s": np.sin(normal(9, 4))}
POSITIONS, FIRST = {"p": np.array([[5, 0, 8]])}, {"p": np.array([2])}
ROTATED: dict[str, Any] = {"domain": "", "opset": 23}
X, WEIGHTS = normal(1, 3, 8), {"w": normal(8, 24), "b": normal(24)}
THREE = {"q": X, "k": X, "v": X}
LENGTHS = {"m": np.array([2], np.int32)}
LOWER = {"m": np.tril(np.ones((1, 3, 3), np.int32))}
PAST = {"pk": normal(1, 2, 4, 4), "pv": normal(1, 2, 4, 4)}
TWO: dict[str, Any] = {"num_heads": 2}
GROUPS: dict[str, Any] = {"num_heads": 4, "kv_num_heads": 2, "outputs": 3}
GROUPED = {"q": normal(1, 3, 64), "k": normal(1, 3, 32), "v": normal(1, 3, 32)}
BEFORE = {"pk": normal(1, 2, 4, 16), "pv": normal(1, 2, 4, 16)}
NUMBERS = {"n": np.array([2], np.int32), "t": np.array(3, np.int32)}
MORE = {"n": np.array([6], np.int32), "t": np.array(7, np.int32)}
WIDE = {"c": np.cos(normal(9, 8)), "s": np.sin(normal(9, 8))}

CASES = [
    *cases(
        "Attention",
        (FEW, {}, STANDARD),
        (FEW, {}, {**STANDARD, "scale": 0.3, "softcap": 2.0}),
        (FLAT, {}, {**STANDARD, "q_num_heads": 4, "kv_num_heads": 2}),
        (SAME, {}, CAUSAL),
        (FEW, {}, CAUSAL),
        (LATER, {}, {**CAUSAL, "order": "q k v - pk pv", "outputs": 3}),
        (FEW, SOME, STANDARD),
        ({**FEW, **EMPTY}, {}, STANDARD),
        ({**FEW, **EMPTY}, {}, CAUSAL),
        (FEW, {"m": normal(1, 1, 3, 5)}, STANDARD),
        ({**FEW, "m": normal(1, 4, 3, 5)}, {}, STANDARD),
        *(
            (FEW, ALL, {**STANDARD, "softcap": 1.5, "qk_matmul_output_mode": k, "outputs": 4})
            for k in (0, 1, 3)
        ),
        (FEW, {"n": np.array([4])}, VALID),
        ({**FEW, "n": np.array([2])}, {}, VALID),
        ({**FEW, "n": np.array([4])}, {}, {**VALID, "is_causal": 1}),
    ),
    *cases(
        "RotaryEmbedding",
        (QUERY, ANGLES, ROTATED),
        ({**QUERY, **ANGLES}, {}, ROTATED),
        ({"q": FLAT["q"]}, ANGLES, {**ROTATED, "num_heads": 4, "interleaved": 1}),
        ({"q": normal(1, 4, 3, 12)}, {**TABLES, **POSITIONS}, {**ROTATED, "rotary_embedding_dim": 8}),
        ({**QUERY, **POSITIONS}, TABLES, {**ROTATED, "order": "q c s p", "interleaved": 1}),
        ({"q": FLAT["q"]}, {**POSITIONS, **TABLES}, {}),
        ({"q": FLAT["q"]}, {**FIRST, **TABLES}, {"interleaved": 1}),
        ({"q": normal(1, 3, 48)}, {**FIRST, **TABLES}, {"rotary_embedding_dim": 8, "num_heads": 4}),
        (QUERY, {**FIRST, **TABLES}, {}),
    ),
    *cases(
        "Attention",
        ({"x": X, **LENGTHS}, WEIGHTS, {**TWO, "order": "x w b m"}),
        ({"x": X, **LOWER}, WEIGHTS, {**TWO, "order": "x w b m"}),
        ({"x": X}, {"w": WEIGHTS["w"]}, TWO),
    ),
    *cases(
        "MultiHeadAttention",
        ({"q": X, "k": normal(1, 2, 5, 4), "v": normal(1, 2, 5, 4)}, {}, TWO),
        ({**THREE, **LOWER}, {}, {**TWO, "order": "q k v - m"}),
        ({**THREE, **LENGTHS}, {}, {**TWO, "order": "q k v - m"}),
        (
            {**THREE, "m": np.array([[1, 1, 0]], np.int32)},
            {},
            {**TWO, "order": "q k v - m", "unidirectional": 1},
        ),
        ({**THREE, **PAST}, {}, {**TWO, "order": "q k v - - - pk pv", "outputs": 3, "unidirectional": 1}),
    ),
    *cases(
        "GroupQueryAttention",
        (GROUPED, NUMBERS, {**GROUPS, "order": "q k v - - n t"}),
        (GROUPED, NUMBERS, {**GROUPS, "order": "q k v - - n t", "causal": 0}),
        (
            {"q": normal(1, 3, 128)},
            {**NUMBERS, **WIDE},
            {**GROUPS, "order": "q - - - - n t c s", "do_rotary": 1},
        ),
        (
            GROUPED,
            {**NUMBERS, **WIDE},
            {
                **GROUPS,
                "order": "q k v - - n t c s",
                "do_rotary": 1,
                "rotary_interleaved": 1,
                "local_window_size": 2,
                "softcap": 1.5,
            },
        ),
        (
            GROUPED,
            {**NUMBERS, **WIDE, "p": np.array([[2, 3, 4]])},
            {**GROUPS, "order": "q k v - - n t c s p", "do_rotary": 1},
        ),
        (
            {**GROUPED, "a": normal(1, 1, 3, 3)},
            NUMBERS,
            {**GROUPS, "order": "q k v - - n t - - - a"},
        ),
        (
            {**GROUPED, **BEFORE},
            MORE,
            {**GROUPS, "order": "q k v pk pv n t", "local_window_size": 3},
        ),
    ),
]
REFUSED: dict[str, Any] = {
    "infinite": ("Attention", FEW, SOME, {**STANDARD, "qk_matmul_output_mode": 2, "outputs": 4}),
    "shorter": ("Attention", {**FEW, **SHORT[1]}, {}, STANDARD),
    "heads": ("Attention", FLAT, {}, {**STANDARD, "q_num_heads": 5, "kv_num_heads": 2}),
    "features": ("RotaryEmbedding", QUERY, TABLES | POSITIONS, {**ROTATED, "rotary_embedding_dim": 4}),
    "numbers of keys": (
        "GroupQueryAttention",
        {**GROUPED, **NUMBERS},
        {},
        {**GROUPS, "order": "q k v - - n t"},
    ),
    "smooth_softmax": (
        "GroupQueryAttention",
        GROUPED,
        NUMBERS,
        {**GROUPS, "order": "q k v - - n t", "smooth_softmax": 1},
    ),
    "packed": ("MultiHeadAttention", {"q": normal(1, 3, 2, 3, 4)}, {}, TWO),
    "a joined past": (
        "Attention",
        {"x": X, "past": normal(2, 1, 2, 4, 4)},
        WEIGHTS,
        {**TWO, "order": "x w b - past"},
    ),
}


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{CASES[number][0]} {number}")
def test_nodes_compute_what_onnxruntime_does(number: int) -> None:
    operator, inputs, constants, attributes = CASES[number]
    source = network(operator, inputs, constants, **attributes)
    folded = fold_constants(copy_checked(source))
    assert not any(node.domain or node.op_type == operator for node in folded.graph.node)
    for computed, expected in zip(run(folded, inputs), run(source, inputs), strict=True):
        np.testing.assert_allclose(computed, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mask", SHORT, ids=["added", "truth values"])
def test_short_masks_leave_out_the_columns_that_they_lack(mask: dict[str, Array]) -> None:
    """onnxruntime refuses them, so ONNX's own evaluator says what they mean."""
    source = network("Attention", FEW, mask, **STANDARD)
    (computed,) = run(fold_constants(copy_checked(source)), FEW)
    expected = ReferenceEvaluator(source).run(None, FEW)
    assert isinstance(expected, list)
    np.testing.assert_allclose(computed, expected[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_stated_is_refused_with_the_reason(reason: str) -> None:
    operator, inputs, constants, attributes = REFUSED[reason]
    source = network(operator, inputs, constants, **attributes)
    for value in source.graph.output:
        value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    with pytest.raises(UnsupportedModelError, match=reason):
        import_proto(copy_checked(source))
