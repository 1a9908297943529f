"""What fresh random rows reach of the column rounds: the rank that hiding proofs rest on.

A message of the opening's column rounds is a linear map of the committed values. Its coefficients on fresh
random rows are computed here from the book's description, and compared with what the kernels send. Then their
rank over the base field is counted, with arithmetic that shares nothing with the kernels.
docs/zero-knowledge.md has the argument.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from deepprove_dist.kernels import (
    AxisVector,
    BaseVector,
    BlockShape,
    DyadicBlocks,
    Extension,
    ExtensionVector,
    Opening,
    Pool,
    Terms,
    Transcript,
)

P = 2**31 - 2**24 + 1
DEGREE = 5
LEAF_COLUMNS = 5
"""Columns whose values nobody may guess in a leaf that is not opened."""

Elements = npt.NDArray[np.int64]
"""Base elements, or with a last axis of five coordinates extension elements."""

ONE: Elements = np.array([1, 0, 0, 0, 0])


def multiply(a: Elements, b: Elements) -> Elements:
    """Products in F_p[X] / (X^5 + X^2 - 1), with broadcasting."""
    shape = np.broadcast_shapes(a.shape, b.shape)[:-1]
    coefficients: list[Elements] = [np.zeros(shape, dtype=np.int64) for _ in range(2 * DEGREE - 1)]
    for i in range(DEGREE):
        for j in range(DEGREE):
            coefficients[i + j] = (coefficients[i + j] + a[..., i] * b[..., j]) % P
    for k in reversed(range(DEGREE, 2 * DEGREE - 1)):
        # X^5 = 1 - X^2.
        coefficients[k - 5] = (coefficients[k - 5] + coefficients[k]) % P
        coefficients[k - 3] = (coefficients[k - 3] - coefficients[k]) % P
    return np.stack(coefficients[:DEGREE], axis=-1)


def powers(x: Elements, count: int) -> Elements:
    values = [ONE]
    for _ in range(count - 1):
        values.append(multiply(values[-1], x))
    return np.stack(values)


def rank(matrix: Elements) -> int:
    """The rank over the base field, by elimination."""
    matrix, pivots = matrix % P, 0
    for column in range(matrix.shape[1]):
        candidates = np.flatnonzero(matrix[pivots:, column])
        if not candidates.size:
            continue
        pivot = pivots + int(candidates[0])
        matrix[[pivots, pivot]] = matrix[[pivot, pivots]]
        matrix[pivots] = matrix[pivots] * pow(int(matrix[pivots, column]), P - 2, P) % P
        below = matrix[pivots + 1 :]
        below -= below[:, column, None].copy() * matrix[pivots] % P
        below %= P
        pivots += 1
        if pivots == len(matrix):
            break
    return pivots


def round_coefficients(weights: Elements, point: Elements) -> Elements:
    """[round and coefficient, column, row]: c_0 and c_2 of each round, as linear maps of the values.

    `weights` are those of the one claim, [column, row], over all 2^k0 columns; rounds bind the top bit first.
    """
    columns, rows, _ = weights.shape
    bound, coefficients = ONE[None], []
    for r in point:
        half = len(weights) // 2
        low, difference = weights[:half], (weights[half:] - weights[:half]) % P
        for halves in ((low, np.zeros_like(low)), (-difference % P, difference)):
            spread = multiply(bound[:, None, None, None], np.stack(halves)[None])
            coefficients.append(spread.reshape(columns, rows, DEGREE))
        weights = (low + multiply(r, difference)) % P
        top = multiply(bound, r)
        bound = np.stack([(bound - top) % P, top], axis=1).reshape(-1, DEGREE)
    return np.array(coefficients).reshape(-1, columns, rows, DEGREE)


def hidden_columns(k0: int) -> list[int]:
    """The set S of column addresses."""
    return [0, *(1 << bit for bit in range(k0))]


def mask_rows(k0: int) -> int:
    """Random rows of a column that the mask claim weighs."""
    return 10 * k0 + 16


@dataclass(frozen=True)
class Masks:
    """Columns with fresh rows, and the mask claim's weights there, [column, row]."""

    k0: int
    columns: Sequence[int]
    omega: Elements

    def reached(self, rng: np.random.Generator, *, sample: bool = False, leaf: bool = False) -> int:
        """The rank of mu and of all rounds on the fresh rows of the columns.

        With `sample` the claim at powers of a point z weighs the same rows, and its value is counted too.
        With `leaf` the values of some columns in a leaf that is not opened are counted.
        """
        rows = self.omega.shape[1]
        value, answer, weights = np.zeros((3, 1 << self.k0, rows, DEGREE), dtype=np.int64)
        value[self.columns] = weights[self.columns] = self.omega
        if sample:
            z, scale = elements(rng, 2)
            answer[self.columns] = powers(z, len(self.columns) * rows).reshape(self.omega.shape)
            weights = (weights + multiply(scale, answer)) % P
        messages = np.concatenate([[value, answer], round_coefficients(weights, elements(rng, self.k0))])
        maps = messages[:, self.columns]
        functionals = np.moveaxis(maps, -1, 1).reshape(len(maps) * DEGREE, -1)
        if leaf:
            seen = np.zeros((LEAF_COLUMNS, len(self.columns), rows), dtype=np.int64)
            for index in range(min(LEAF_COLUMNS, len(self.columns))):
                seen[index, index] = rng.integers(1, P, rows)
            functionals = np.concatenate([functionals, seen.reshape(LEAF_COLUMNS, -1)])
        return rank(functionals)


def elements(rng: np.random.Generator, *shape: int) -> Elements:
    return rng.integers(0, P, (*shape, DEGREE))


def as_designed(rng: np.random.Generator, k0: int) -> Masks:
    columns = hidden_columns(k0)
    return Masks(k0, columns, elements(rng, len(columns), mask_rows(k0)))


def without_set(rng: np.random.Generator, k0: int) -> Masks:
    """The weights in the lower half of the addresses, the witness in the upper."""
    columns = list(range(1 << (k0 - 1), 1 << k0))
    return Masks(k0, columns, elements(rng, len(columns), mask_rows(k0)))


def masks_alone(rng: np.random.Generator, k0: int) -> Masks:
    """Five columns of masks at the last addresses; no other column has random rows."""
    columns = list(range((1 << k0) - 5, 1 << k0))
    return Masks(k0, columns, elements(rng, len(columns), mask_rows(k0)))


def with_powers(rng: np.random.Generator, k0: int) -> Masks:
    columns, rows = hidden_columns(k0), mask_rows(k0)
    (x,) = elements(rng, 1)
    return Masks(k0, columns, powers(x, len(columns) * rows).reshape(len(columns), rows, DEGREE))


def one_for_all_columns(rng: np.random.Generator, k0: int) -> Masks:
    columns = hidden_columns(k0)
    return Masks(k0, columns, np.repeat(elements(rng, 1, mask_rows(k0)), len(columns), axis=0))


Maker = Callable[[np.random.Generator, int], Masks]


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 7, 8, 13])
def test_the_coefficients_are_those_of_the_kernels(columns: int) -> None:
    rng, log_rows, k0 = np.random.default_rng(columns), 4, (columns - 1).bit_length()
    values = rng.integers(0, P, (columns, 1 << log_rows))
    weights = np.zeros((1 << k0, 1 << log_rows, DEGREE), dtype=np.int64)
    weights[:columns] = elements(rng, columns, 1 << log_rows)
    terms = Terms()
    for column in range(columns):
        block = DyadicBlocks(BlockShape([[(0, log_rows)]]), [column << log_rows])
        axis = AxisVector.explicit(to_kernel(weights[column]))
        terms.add_product(Extension(1), block, [axis])
    matrix, transcript = BaseVector.from_array(values.reshape(-1)), Transcript(b"test")
    order, zero = list(range(columns)), Extension(0)
    _, sent, point = Opening.columns([matrix], order, log_rows, terms, [], None, zero, transcript, Pool(1))
    maps = round_coefficients(weights, from_kernel(point))[:, :columns]
    messages = (maps * values[None, :, :, None] % P).sum(axis=(1, 2)) % P
    assert np.array_equal(messages, from_kernel(sent))
    assert len(messages) == 2 * k0


def to_kernel(values: Elements) -> ExtensionVector:
    return ExtensionVector.from_bytes(values.astype("<u4").tobytes())


def from_kernel(values: ExtensionVector) -> Elements:
    return np.frombuffer(bytes(values), dtype="<u4").astype(np.int64).reshape(-1, DEGREE)


@pytest.mark.parametrize("k0", range(7))
def test_fresh_rows_reach_every_message(k0: int) -> None:
    rng = np.random.default_rng(k0)
    masks = as_designed(rng, k0)
    assert masks.reached(rng) == 10 * k0 + 5
    assert masks.reached(rng, sample=True) == 10 * k0 + 10


@pytest.mark.parametrize("k0", range(6))
def test_fresh_rows_reach_every_message_and_a_leaf(k0: int) -> None:
    rng = np.random.default_rng(k0)
    columns = min(LEAF_COLUMNS, k0 + 1)
    assert as_designed(rng, k0).reached(rng, sample=True, leaf=True) == 10 * k0 + 10 + columns


@pytest.mark.parametrize(
    ("wrong", "k0", "reached", "sampled"),
    [
        (without_set, 4, 35, 40),
        (without_set, 5, 45, 50),
        (masks_alone, 4, 35, 40),
        (masks_alone, 5, 35, 40),
        (with_powers, 4, 25, 50),
        (with_powers, 5, 30, 60),
        (one_for_all_columns, 4, 25, 50),
        (one_for_all_columns, 5, 30, 60),
    ],
)
def test_other_masks_reach_fewer(wrong: Maker, k0: int, reached: int, sampled: int) -> None:
    # The claim at powers of z hides what powers in the mask claim lack: only a count without it shows them.
    rng = np.random.default_rng(k0)
    masks = wrong(rng, k0)
    assert masks.reached(rng) == reached < 10 * k0 + 5
    assert masks.reached(rng, sample=True) == sampled


@pytest.mark.parametrize("missing", range(6))
def test_every_column_of_the_set_is_needed(missing: int) -> None:
    rng, columns = np.random.default_rng(missing), hidden_columns(5)
    del columns[missing]
    assert Masks(5, columns, elements(rng, 5, mask_rows(5))).reached(rng) < 55
