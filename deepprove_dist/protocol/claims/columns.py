"""The order of columns in the opening's cube, whose bits the column rounds bind.

Columns fill the addresses in the order of reversed bits: 0, 2^(k0 - 1), 2^(k0 - 2), ... So neighbours differ
in top bits, which are bound first, together. They mostly hold one tensor. Its claims have the same weights in
each of its columns but for a factor. A prover makes these once for all of them.

In a hiding proof the witness's first columns stand at S = {0, 1, 2, 4, ..., 2^(k0 - 1)}. There random rows
hide all messages of the column rounds. The others fill the addresses that remain. See docs/zero-knowledge.md.
"""

from __future__ import annotations

from functools import lru_cache, partial

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
    others = iter(sorted(set(range(code.columns)) - set(masked), key=partial(_reversed, code.column_rounds)))
    before = [next(others) for _ in range(code.columns - code.witness_columns)]
    return (*before, *masked, *others)


def _reversed(bits: int, address: int) -> int:
    """The number whose bits, as many as these, are those of an address from the other end."""
    return sum(1 << bits - 1 - bit for bit in range(bits) if address >> bit & 1)
