"""Exponentials of a row's differences from its maximum, which softmax and its logarithm share."""

from __future__ import annotations

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.errors import ModelError
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.system.table import Interval, Table


def exponential_table(top: int, unit: float, source: Interval) -> Table:
    """top * exp(-unit * d), rounded, for each difference d of integers in an interval."""
    return Table.from_values(0, _exponentials(top, unit, source))


def masked_table(top: int, unit: float, counted: Interval, least: int) -> Table:
    """The same for integers in an interval, and 0 for their differences from what a mask leaves out.

    Those are integers from ``least`` on, each of which is less than all that count by `first_zero`.
    """
    exponentials = _exponentials(top, unit, (least, counted[1]))
    exponentials[first_zero(top, unit, counted) :] = 0
    return Table.from_values(0, exponentials)


def first_zero(top: int, unit: float, source: Interval) -> int:
    """The least difference from which on exponentials are 0, or are of no integers in the interval."""
    return 1 + int(np.flatnonzero(_exponentials(top, unit, source))[-1])


def _exponentials(top: int, unit: float, source: Interval) -> IntArray:
    differences = np.arange(source[1] - source[0] + 1)
    rounded: IntArray = np.rint(top * np.exp(-unit * differences)).astype(np.int64)
    return rounded


def read_table(node: Node, source: Interval) -> Table:
    """The node's table T.

    Raises ModelError unless it has all differences, T(0) >= 1 and no negative value.
    """
    table = node.attributes["table"]
    if not isinstance(table, Table) or (table.first, table.size) != (0, source[1] - source[0] + 1):
        raise ModelError(f"'{node.name}': its table has all differences of integers in {source}")
    if table.interval()[0] < 0 or table.values()[0] < 1:
        raise ModelError(f"'{node.name}': its table begins above 0, and has no value below")
    return table
