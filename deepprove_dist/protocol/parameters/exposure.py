"""How many transparent proofs reveal the committed weights; hiding ones do not: see `InitialCode.proofs`.

A column's 2^m values are the coefficients of a polynomial: whoever knows it at 2^m points solves a linear
system for them. A proof opens the rows of its queries, all columns at once. After d draws from N leaves
N (1 - (1 - 1/N)^d) different ones are expected.
"""

from __future__ import annotations

from math import ceil, log1p

from .initial_code import InitialCode


def proofs_revealing_weights(code: InitialCode) -> int | None:
    """The proofs after which as many rows of the weights' code are expected as its columns have values.

    About rows / queries; fewer where several rows share a leaf. None where no weights are committed, and
    for a hiding code.
    """
    if code.weight_columns == 0 or code.hiding:
        return None
    leaves = 1 << code.log_length - code.weight_log_group
    if leaves == 1:
        return 1
    needed = -(-(1 << code.log_rows) >> code.weight_log_group)
    return ceil(log1p(-needed / leaves) / log1p(-1 / leaves) / code.queries)
