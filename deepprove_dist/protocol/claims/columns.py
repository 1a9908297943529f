"""The order of columns in the opening's cube, whose bits the column rounds bind.

In a transparent proof columns stand in the order of matrices. In a hiding one the witness's first columns
stand at S = {0, 1, 2, 4, ..., 2^(k0 - 1)}. There random rows hide all messages of the column rounds. The
others fill the addresses that remain, in order. See docs/zero-knowledge.md.
"""

from __future__ import annotations

from functools import lru_cache

from deepprove_dist.protocol.parameters import InitialCode

MAX_CODES = 64
"""Codes whose orders are kept."""


@lru_cache(maxsize=MAX_CODES)
def mask_addresses(code: InitialCode) -> tuple[int, ...]:
    """S, the addresses of the columns that the mask claim weighs; none in a transparent proof."""
    return (0, *(1 << bit for bit in range(code.column_rounds))) if code.hiding else ()


@lru_cache(maxsize=MAX_CODES)
def column_addresses(code: InitialCode) -> tuple[int, ...]:
    """The address of each column, matrix by matrix, without mask columns."""
    masked = mask_addresses(code)
    others = iter(sorted(set(range(code.columns)) - set(masked)))
    before = [next(others) for _ in range(code.columns - code.witness_columns)]
    return (*before, *masked, *others)
