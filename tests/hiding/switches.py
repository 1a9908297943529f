"""The pieces of what hides, and how a test switches each of them off, in the prover and in the verifier."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from deepprove_dist.kernels import Extension, ExtensionVector
from deepprove_dist.protocol.argument import prove as argument_prove
from deepprove_dist.protocol.argument import verify as argument_verify
from deepprove_dist.protocol.argument import witness as witness_module
from deepprove_dist.protocol.claims import columns, layout
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.opening import codes, mask
from deepprove_dist.protocol.parameters import InitialCode, initial_code
from tests.hiding.elements import coordinates, vector
from tests.hiding.programmed import programmed

Omega = Callable[[InitialCode, ExtensionVector], ExtensionVector]


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


@contextmanager
def tail_row_short() -> Iterator[None]:
    """The answer's five rows are left, and none for an unopened leaf."""
    with patch.object(initial_code, "UNUSED_TAIL_ROWS", 5):
        yield


@contextmanager
def narrow_matrices() -> Iterator[None]:
    """A key may have hidden matrices of fewer than five columns."""
    with (
        patch.object(InitialCode, "_check_hiding", lambda _: None),
        patch.object(key_file, "require_columns", lambda *_: None),
    ):
        yield


@contextmanager
def nonce_constant() -> Iterator[None]:
    with patch.object(secrets, "token_bytes", bytes):
        yield
