"""Field elements as integers: int64 arrays whose last axis has the five coordinates of an
extension element.
"""

from __future__ import annotations

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import EXTENSION_DEGREE, MODULUS
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector


def coordinates(values: ExtensionVector | Extension) -> IntArray:
    """[elements, 5]; one element is [1, 5]."""
    return np.frombuffer(bytes(values), dtype="<u4").astype(np.int64).reshape(-1, EXTENSION_DEGREE)


def vector(values: IntArray) -> ExtensionVector:
    """Of integers [elements, 5] below the modulus."""
    return ExtensionVector.from_bytes(values.astype("<u4").tobytes())


def base(values: BaseVector) -> IntArray:
    """The integers of base elements."""
    return values.to_array().astype(np.int64)


def uniform(rng: np.random.Generator, count: int) -> ExtensionVector:
    """Uniform elements of the extension."""
    return vector(rng.integers(0, MODULUS, (count, EXTENSION_DEGREE)))


def inverse(value: Extension) -> Extension:
    """1 / value, by Fermat; the value is not zero."""
    result, power, exponent = Extension(1), value, MODULUS**EXTENSION_DEGREE - 2
    while exponent:
        if exponent & 1:
            result *= power
        power, exponent = power * power, exponent >> 1
    return result


def rank(matrix: IntArray) -> int:
    """The rank over the base field, by elimination."""
    return len(pivots(matrix.copy() % MODULUS))


def pivots(matrix: IntArray) -> list[int]:
    """Brings a matrix to its reduced echelon form, in place; the columns of its leading ones."""
    columns: list[int] = []
    for column in range(matrix.shape[1]):
        row = len(columns)
        if row == len(matrix):
            break
        candidates = np.flatnonzero(matrix[row:, column])
        if not candidates.size:
            continue
        pivot = row + int(candidates[0])
        matrix[[row, pivot]] = matrix[[pivot, row]]
        matrix[row] = matrix[row] * pow(int(matrix[row, column]), MODULUS - 2, MODULUS) % MODULUS
        others = np.flatnonzero(matrix[:, column])
        others = others[others != row]
        matrix[others] = (matrix[others] - matrix[others, column, None] * matrix[row] % MODULUS) % MODULUS
        columns.append(column)
    return columns


def solve(matrix: IntArray, values: IntArray) -> IntArray | None:
    """Some x with matrix x = values, column by column; None where there is none for some column."""
    unknowns = matrix.shape[1]
    system = np.concatenate([matrix, values], axis=1) % MODULUS
    leading = pivots(system)
    if any(column >= unknowns for column in leading):
        return None
    result = np.zeros((unknowns, values.shape[1]), dtype=np.int64)
    result[leading] = system[: len(leading), unknowns:]
    return result
