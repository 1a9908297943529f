"""Operators that are linear in one input, as products by a constant matrix.

The matrix has what the operator computes of each unit vector. So every mode of an operator is as the
implementation has it that computes constants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import helper

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError

MOST_ENTRIES = 2**24
"""Of a matrix."""


def unit_vectors(shape: Shape) -> npt.NDArray[np.float32]:
    """One tensor of a shape for each of its elements, which is 1 there; [elements, *shape].

    Raises UnsupportedNodeError where they are too many.
    """
    size = prod(shape)
    if size**2 > MOST_ENTRIES:
        raise UnsupportedNodeError(
            f"it is a linear map of {size} values together", f"matrices of {MOST_ENTRIES} entries"
        )
    return np.eye(size, dtype=np.float32).reshape(size, *shape)


def image(
    scope: Scope,
    operator: str,
    arguments: Sequence[npt.NDArray[Any] | None],
    attributes: Mapping[str, Any],
) -> FloatArray | None:
    """What an operator computes of constants, None for an argument that is omitted; None where it fails."""
    names = ["" if value is None else f"argument {k}" for k, value in enumerate(arguments)]
    node = helper.make_node(operator, names, ["result"], **attributes)
    known = {name: value for name, value in zip(names, arguments, strict=True) if value is not None}
    results = scope.evaluate(node, known, {}, scope.model)
    if results is None:
        return None
    values = np.asarray(results["result"], dtype=np.float64)
    if values.size > MOST_ENTRIES:
        raise UnsupportedNodeError(
            f"it is a linear map with a matrix of {values.size} entries", f"{MOST_ENTRIES} entries"
        )
    return values


def mapped(
    new: NodeReplacement, tensor: str, before: Shape, matrix: npt.NDArray[Any], after: Shape, like: str
) -> str:
    """A tensor under one shape, [..., n], times a matrix [..., n, m], under another shape."""
    rows = new.add("Reshape", tensor, new.integers(before))
    product = new.add("MatMul", rows, new.constant(matrix, like))
    return new.add("Reshape", product, new.integers(after))
