"""The bits that leave scores out, where masks of scores are computed, and the rows where some count."""

from __future__ import annotations

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.importing.rewriting.affine import scale_and_shift, weighted_sum
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rules.choices_by_bits import require_bit
from deepprove_dist.importing.rules.masks import MaskedScores
from deepprove_dist.operators import truth
from deepprove_dist.operators.decisions import FloatDecisions
from deepprove_dist.operators.pointwise import IDENTITY, call


def always_left_out(masked: MaskedScores) -> FloatArray:
    """1 where a score is left out whatever the bits are, else 0."""
    result = masked.mask
    for part in masked.computed:
        result = np.maximum(result, np.minimum(part.choice.when_0, part.choice.when_1))
    return result


def left_out_bits(graph: GraphBuilder, masked: MaskedScores) -> tuple[str, int]:
    """A tensor of 0 and 1 that broadcasts to the scores, and its value where a score counts."""
    bits = [require_bit(graph, part.choice.bit) for part in masked.computed]
    if len(bits) == 1 and not masked.mask.any() and masked.computed[0].choice.is_uniform:
        return bits[0], int(masked.computed[0].choice.when_0.flat[0])
    terms, factors, constant = [], [], np.asarray(masked.mask)
    for bit, part in zip(bits, masked.computed, strict=True):
        factor = part.choice.when_1 - part.choice.when_0
        constant = constant + part.choice.when_0
        uniform = bool((factor == factor.flat[0]).all())
        terms.append(bit if uniform else scale_and_shift(graph, bit, factor, np.zeros(())))
        factors.append(float(factor.flat[0]) if uniform else 1.0)
    total = weighted_sum(graph, terms, factors, constant)
    return apply(graph, total, call(truth.greater, IDENTITY, 0.5)), 0


def counting_rows(graph: GraphBuilder, masked: MaskedScores) -> str:
    """1 for each row in which some score counts, else 0; it broadcasts to the scores."""
    bits, counted = left_out_bits(graph, masked)
    size = graph.shape(bits)[-1]
    sign = 1.0 if counted else -1.0
    weight, threshold = np.full((1, size), sign), np.array([1.0 if counted else 1.0 - size])
    return graph.add(FloatDecisions, bits, weight, threshold)
