"""Random values of a proof or a key, switched off: pads, rows, the mask vector and tails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from deepprove_dist import prover
from deepprove_dist.kernels import BaseVector, random_values
from deepprove_dist.protocol.argument import local_backend
from deepprove_dist.protocol.argument import witness as witness_module
from deepprove_dist.protocol.parameters import InitialCode
from deepprove_dist.randomness import seed as seeds

Stream = Callable[[str, BaseVector], BaseVector]

FREE_VALUES = 20
"""Base values of row K, the last of the pads."""


@contextmanager
def _streams(module: Any, change: Stream) -> Iterator[None]:
    def changed(seed: bytes, label: str, first: int, count: int) -> BaseVector:
        return change(label, random_values(seed, label, first, count))

    with patch.object(module, "random_values", changed):
        yield


def _zeros(count: int) -> BaseVector:
    return BaseVector.from_array(np.zeros(count, dtype=np.int64))


def _zero(*labels: str) -> Stream:
    return lambda label, values: _zeros(len(values)) if label in labels else values


def pads_zero() -> AbstractContextManager[None]:
    return _streams(witness_module, _zero("pads"))


def row_k_zero() -> AbstractContextManager[None]:
    def change(label: str, values: BaseVector) -> BaseVector:
        if label != "pads":
            return values
        return BaseVector.concatenated([values[:-FREE_VALUES], _zeros(FREE_VALUES)])

    return _streams(witness_module, change)


def tails_zero() -> AbstractContextManager[None]:
    return _streams(local_backend, _zero("tails"))


@contextmanager
def _hidden(
    change: Callable[[InitialCode, BaseVector, BaseVector], tuple[BaseVector, BaseVector]],
) -> Iterator[None]:
    hide = witness_module._hide

    def changed(code: InitialCode, matrix: BaseVector, seed: bytes) -> tuple[BaseVector, BaseVector]:
        return change(code, *hide(code, matrix, seed)) if code.hiding else hide(code, matrix, seed)

    with patch.object(witness_module, "_hide", changed):
        yield


def mask_vector_zero() -> AbstractContextManager[None]:
    def change(code: InitialCode, matrix: BaseVector, rows: BaseVector) -> tuple[BaseVector, BaseVector]:
        data, random = code.mask_columns << code.log_rows, code.mask_columns * code.random_rows
        return (
            BaseVector.concatenated([matrix[: len(matrix) - data], _zeros(data)]),
            BaseVector.concatenated([rows[: len(rows) - random], _zeros(random)]),
        )

    return _hidden(change)


def random_rows_zero() -> AbstractContextManager[None]:
    def change(code: InitialCode, matrix: BaseVector, rows: BaseVector) -> tuple[BaseVector, BaseVector]:
        random = code.witness_columns * code.random_rows
        return matrix, BaseVector.concatenated([_zeros(random), rows[random:]])

    return _hidden(change)


@contextmanager
def tails_of_first_epoch() -> Iterator[None]:
    """Tails have the same seed in all epochs."""
    seed = seeds.tail_seed
    with patch.object(prover, "tail_seed", lambda secret, parameters, _, nonce: seed(secret, parameters, 0)):
        yield
