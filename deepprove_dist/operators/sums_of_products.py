"""Sums of products of two arrays with labelled axes, as `einsum` has them, by matrix products in float64."""

from math import prod

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.lowering.contract import Labels


def sum_products(
    first: FloatArray, second: FloatArray, left: Labels, right: Labels, outputs: int
) -> FloatArray:
    """Matrix products for each index of the axes that both inputs and the output have.

    Labels below `outputs` are the output's axes, in order; further ones are in both arrays, and summed over.
    """
    both = set(left) & set(right)
    shared = sorted(label for label in both if label < outputs)
    summed = sorted(label for label in both if label >= outputs)
    rows, columns = ([label for label in side if label not in both] for side in (left, right))
    sizes = dict(zip(left + right, first.shape + second.shape, strict=True))
    a = _arranged(first, left, (shared, rows, summed))
    b = _arranged(second, right, (shared, summed, columns))
    order = [*shared, *rows, *columns]
    # One product an index needs no matrices.
    result = (np.matmul(a, b) if summed else a * b).reshape([sizes[label] for label in order])
    whole: FloatArray = result.transpose([order.index(label) for label in range(outputs)]).copy()
    return whole


def _arranged(values: FloatArray, labels: Labels, groups: tuple[list[int], ...]) -> FloatArray:
    """The array with an axis for each group of labels."""
    order = [labels.index(label) for group in groups for label in group]
    sizes = [prod(values.shape[labels.index(label)] for label in group) for group in groups]
    return values.transpose(order).reshape(sizes)
