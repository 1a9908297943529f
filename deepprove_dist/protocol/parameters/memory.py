"""Bytes that a prover holds at once, in one process: from the schedule and sizes alone, never from values.

Weights are held as integers, as a matrix and encoded, with the tree over that. A proof has the integers of
the inference. It has the witness as field elements and as a matrix, with code and tree. To these come either
the fraction tree or the opening's vectors, which are not needed at once.
"""

from __future__ import annotations

from deepprove_dist.errors import MemoryLimitError

from .cost import BASE_BYTES, DIGEST_BYTES, EXTENSION_BYTES
from .initial_code import InitialCode

PROCESS_BYTES = 130 << 20
"""The interpreter with its libraries."""

WEIGHT_BYTES = 3
"""A weight as an integer of the model: of one to four bytes."""

FEW_VALUES, CONVERTED_BYTES = 1 << 25, 12
"""Of so few weights float64 and field elements are kept too; of so few committed values, field elements."""

INFERENCE_BYTES = 8
"""For each committed value: integers in the narrowest type, and what relations and lookups read of them."""

LEAST_LEVELS, MOST_LEVELS = 22, 27
"""Of fraction trees of so many levels the largest layers are made one by one. Trees of more than the second
take no more memory: see the kernels' `logup::layers`."""

MOST_BOUND = 1 << 25
"""Elements of f' and of its weights while column bits are left: see the kernels' `whir::block_count`."""

ALLOCATED = (11, 10)
"""What allocators hold, over what is in use: a fraction. So measured for GPT-2 and for Qwen2's shape."""


def proving_bytes(code: InitialCode, log_leaves: int, public_weights: int = 0) -> int:
    """The most that a proof takes beside PROCESS_BYTES, with a fraction tree of 2^`log_leaves` leaves.

    `public_weights` are weights that are not committed.
    """
    rows, length = 1 << code.log_rows, 1 << code.log_length
    weights = code.weight_columns * rows
    others = (code.columns - code.weight_columns) * rows
    model = weights + public_weights
    held = (WEIGHT_BYTES + (CONVERTED_BYTES if model <= FEW_VALUES else 0)) * model + BASE_BYTES * weights
    held += (INFERENCE_BYTES + BASE_BYTES * (2 if others <= FEW_VALUES else 1)) * others
    encoded = BASE_BYTES * (code.columns + code.mask_columns) * length
    trees = sum(2 * DIGEST_BYTES * (length >> log_group) for _, log_group in code.trees)
    used = held + encoded + trees + max(_fraction_bytes(log_leaves), _opening_bytes(code))
    return used * ALLOCATED[0] // ALLOCATED[1]


def _fraction_bytes(log_leaves: int) -> int:
    """Numerators and denominators of all layers; of a large tree those of half a layer's size at most."""
    layer = 2 * EXTENSION_BYTES << min(log_leaves, MOST_LEVELS)
    return 2 * layer if log_leaves < LEAST_LEVELS else layer * 5 // 8


def _opening_bytes(code: InitialCode) -> int:
    """f' and its weights while some column bits are not bound yet, and the first folded code."""
    columns = max(4 << code.log_rows, min(code.columns << code.log_rows, MOST_BOUND))
    return 2 * EXTENSION_BYTES * columns


def require_memory(needed: int, limit: int) -> None:
    """Raises MemoryLimitError, with both figures, where a process that proves needs more than the limit.

    It needs PROCESS_BYTES beside what a proof takes.
    """
    if PROCESS_BYTES + needed > limit:
        raise MemoryLimitError(PROCESS_BYTES + needed, limit)
