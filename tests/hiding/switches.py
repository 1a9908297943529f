"""The pieces of what hides, and how a test switches each of them off, in the prover and in the verifier."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from deepprove_dist import prover
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector, random_values
from deepprove_dist.protocol.argument import local_backend
from deepprove_dist.protocol.argument import prove as argument_prove
from deepprove_dist.protocol.argument import verify as argument_verify
from deepprove_dist.protocol.argument import witness as witness_module
from deepprove_dist.protocol.claims import columns, layout
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.opening import codes, mask
from deepprove_dist.protocol.parameters import InitialCode, initial_code
from deepprove_dist.randomness import reservation
from tests.hiding.elements import coordinates, vector
from tests.hiding.programmed import programmed

Omega = Callable[[InitialCode, ExtensionVector], ExtensionVector]
Stream = Callable[[str, BaseVector], BaseVector]

FREE_VALUES = 20
"""Base values of row K, the last of the pads."""


def nothing_off() -> AbstractContextManager[None]:
    """All pieces are there."""
    return ExitStack()  # type: ignore[return-value]


@contextmanager
def _omega(change: Omega) -> Iterator[None]:
    draw = mask.draw_mask

    def changed(code: InitialCode, transcript: Any) -> ExtensionVector:
        return change(code, draw(code, transcript))

    with ExitStack() as stack:
        for module in (argument_prove, argument_verify):
            stack.enter_context(patch.object(module, "draw_mask", changed))
        yield


def omega_zero() -> AbstractContextManager[None]:
    return _omega(lambda _, omega: ExtensionVector([0] * len(omega)))


def omega_of_powers() -> AbstractContextManager[None]:
    return _omega(lambda _, omega: ExtensionVector.powers(omega[0], len(omega)))


def omega_for_all_columns() -> AbstractContextManager[None]:
    def repeat(code: InitialCode, omega: ExtensionVector) -> ExtensionVector:
        row = coordinates(omega[: code.mask_rows])
        return vector(np.tile(row, (code.column_rounds + 1, 1)))

    return _omega(repeat)


@contextmanager
def plain_order() -> Iterator[None]:
    """Columns stand in the order of matrices; the first of the witness are weighed where they stand."""

    def addresses(code: InitialCode) -> tuple[int, ...]:
        return tuple(range(code.columns))

    def masked(code: InitialCode) -> tuple[int, ...]:
        first = code.columns - code.witness_columns
        return tuple(range(first, first + code.column_rounds + 1))

    with ExitStack() as stack:
        for module in (columns, layout, mask, codes):
            stack.enter_context(patch.object(module, "column_addresses", addresses))
        for module in (columns, mask, witness_module):
            stack.enter_context(patch.object(module, "mask_addresses", masked))
        yield


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


def epsilon_one() -> AbstractContextManager[None]:
    return programmed(drawn={"mask/epsilon": Extension(1)})


@contextmanager
def _code_property(name: str, value: Callable[[InitialCode], int]) -> Iterator[None]:
    with patch.object(InitialCode, name, property(value)):
        yield


def random_row_short() -> AbstractContextManager[None]:
    return _code_property(
        "random_rows", lambda code: (code.queries << code.witness_log_group) + code.mask_rows - 1
    )


def mask_row_short() -> AbstractContextManager[None]:
    return _code_property("mask_rows", lambda code: 10 * code.column_rounds + 15)


def budget_by_weight_leaves() -> AbstractContextManager[None]:
    """A proof is said to show no other rows than those in leaves of the weights' tree."""
    return _code_property("rows_of_proof", lambda code: code.queries << code.weight_log_group)


def tail_row_short() -> AbstractContextManager[None]:
    """The answer's five rows are left, and none for an unopened leaf."""
    return patch.object(initial_code, "UNUSED_TAIL_ROWS", 5)  # type: ignore[return-value]


@contextmanager
def narrow_matrices() -> Iterator[None]:
    """A key may have hidden matrices of fewer than five columns."""
    with (
        patch.object(InitialCode, "_check_hiding", lambda _: None),
        patch.object(key_file, "require_columns", lambda *_: None),
    ):
        yield


def nonce_constant() -> AbstractContextManager[None]:
    return patch.object(reservation.secrets, "token_bytes", bytes)  # type: ignore[return-value]


@contextmanager
def tails_of_first_epoch() -> Iterator[None]:
    """Tails have the same seed in all epochs."""
    seed = prover.tail_seed
    with patch.object(prover, "tail_seed", lambda secret, parameters, _, nonce: seed(secret, parameters, 0)):
        yield
