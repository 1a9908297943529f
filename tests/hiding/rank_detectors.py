"""Exact ranks and counts that say whether a proof hides less than it should, by the sizes of its key."""

from __future__ import annotations

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import EXTENSION_DEGREE
from deepprove_dist.kernels import ExtensionVector
from deepprove_dist.protocol.parameters import CERTIFICATES
from tests.hiding.elements import coordinates, rank
from tests.hiding.exposure import vandermonde
from tests.hiding.linear_maps import Drawn, coordinate_functionals, fresh_rank, unopened_rank
from tests.hiding.toy import Sizes, Toy, toy_key

LEAF_COLUMNS = 5
"""Values of a row that nobody may guess."""


def messages_lack_rank(sizes: Sizes) -> bool:
    """Fresh rows do not reach mu and all messages of the column rounds by the mask claim alone."""
    toy = Toy(toy_key(sizes))
    drawn = Drawn.of(toy, toy.prove(0))
    maps = np.concatenate([drawn.mask_value(), drawn.messages(sample=False)])
    return fresh_rank(drawn, maps) < len(maps) * EXTENSION_DEGREE


def leaves_lack_rank(sizes: Sizes) -> bool:
    """Answer, mu, messages and five values of an unopened leaf are not independent, given the opened rows."""
    toy = Toy(toy_key(sizes))
    drawn = Drawn.of(toy, toy.prove(0))
    code = drawn.code
    unopened = next(p for p in range(1 << code.log_length) if p not in drawn.opened)
    functionals = sent_functionals(drawn, unopened, list(range(min(LEAF_COLUMNS, code.witness_columns))))
    expected = 10 * code.column_rounds + 10 + LEAF_COLUMNS
    return unopened_rank(code, drawn.opened, functionals) < expected


def sent_functionals(drawn: Drawn, position: int, columns: list[int]) -> IntArray:
    """Answer, mu, messages and values of a leaf as functionals [10 k0 + 10 + columns, column, row]."""
    maps = np.concatenate([drawn.answer(), drawn.mask_value(), drawn.messages()])
    shape = -1, drawn.code.witness_columns, drawn.code.random_rows
    return np.concatenate([coordinate_functionals(maps).reshape(shape), drawn.leaf(position, columns)])


def rows_are_too_few(sizes: Sizes) -> bool:
    """A column has fewer fresh rows, or rows for queries, than the union over all leaves needs."""
    code = sizes.schedule().initial
    fresh, queried = 10 * code.column_rounds + 16, code.queries << code.witness_log_group
    return code.mask_rows < fresh or code.random_rows < queried + fresh


def tails_lack_rank(sizes: Sizes) -> bool:
    """What an epoch shows of one column, the answer, and one more leaf are not independent in its tail."""
    code = sizes.schedule().initial
    assert code.proofs is not None
    shown = (code.proofs + CERTIFICATES) * code.rows_of_proof
    rng = np.random.default_rng(0)
    positions = sorted(int(p) for p in rng.choice(1 << code.log_length, shown + 1, replace=False))
    first = (1 << code.log_rows) - code.tail("weights")
    z = ExtensionVector.powers(
        ExtensionVector.from_bytes(bytes([1, *[0] * 3, 1, *[0] * 15]))[0], 1 << code.log_rows
    )
    functionals = np.concatenate([vandermonde(code, positions)[:, first:], coordinates(z).T[:, first:]])
    return code.weight_columns < LEAF_COLUMNS or rank(functionals) < len(functionals)
