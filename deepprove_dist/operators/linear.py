"""What accumulators share: sums that float64 computes exactly, and their bounds."""

import numpy as np

from deepprove_dist.arrays import FloatArray
from deepprove_dist.errors import ModelError
from deepprove_dist.kernels import signed_row_sums
from deepprove_dist.lowering.expression import Expression
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.operators.integer_operator import Constants
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.row_blocks import row_blocks
from deepprove_dist.protocol.system.table import Interval

# Half of 2^53, so that rounding in the float64 estimate of a magnitude cannot hide a sum that is not exact.
LARGEST_EXACT_SUM = 2**52


def weighted_interval(node: Node, source: Interval, constants: Constants) -> Interval:
    """Bounds of sum_k x_k * W[n, k..] + b[n] for every x_k in an interval, over all n.

    W and b are the node's further inputs. Raises ModelError unless they are constants whose sums stay below
    2^52.
    """
    if not all(name in constants for name in node.inputs[1:]):
        raise ModelError(f"'{node.name}': the weights of a {node.operator} layer are constants")
    weight = constants[node.inputs[1]]
    bias = constants[node.inputs[2]].astype(np.float64) if len(node.inputs) == 3 else np.zeros(len(weight))
    lo, hi = source
    positive, negative = _signed_sums(weight.reshape(len(weight), -1))
    magnitude = (positive - negative) * max(abs(lo), abs(hi)) + np.abs(bias)
    if not float(magnitude.max()) < LARGEST_EXACT_SUM:
        raise ModelError(f"'{node.name}': sums of a {node.operator} layer must stay below 2^52")
    lowest = positive * lo + negative * hi + bias
    highest = positive * hi + negative * lo + bias
    return int(lowest.min()), int(highest.max())


def _signed_sums(weight: Integers) -> tuple[FloatArray, FloatArray]:
    """The sums of the positive and of the negative weights [N, K] of each row."""
    if weight.dtype.itemsize < 8:
        sums = signed_row_sums(np.require(weight, requirements=("C", "A")))
        return sums[0].astype(np.float64), sums[1].astype(np.float64)
    positive, negative = np.zeros(len(weight)), np.zeros(len(weight))
    for rows in row_blocks(weight.shape):
        values = weight[rows].astype(np.float64)
        totals, sizes = values.sum(axis=1), np.abs(values).sum(axis=1)
        positive[rows], negative[rows] = (sizes + totals) / 2, (totals - sizes) / 2
    return positive, negative


def require_requantised(node: Node, value: Expression) -> None:
    """Raises ModelError for an accumulator, which layers with weights and tables of pairs cannot read."""
    if value.is_accumulator:
        raise ModelError(f"'{node.name}': a {node.operator} layer reads an accumulator; requantise it first")
