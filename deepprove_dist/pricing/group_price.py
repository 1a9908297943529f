"""What a proof by a group of workers would take: memory of each, and bytes that travel.

The sizes follow from the key, as does what is shared. With R bytes of witness rows and W workers, these
travel: the rows once, to their workers. For a shared code, R to each of the others (an all-gather). Layers of
the fraction tree that are gathered, four vectors each. The folded vector with its weights, once it is small.
Gram matrices of the opening, and what is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deepprove_dist.execution.group.assignment import assign
from deepprove_dist.execution.phases.policy import MIN_ROWS_LOG, Policy
from deepprove_dist.field import EXTENSION_DEGREE
from deepprove_dist.pricing.proof_price import price_proof
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.lookup.tree import MIN_LEVELS
from deepprove_dist.protocol.parameters import PROCESS_BYTES
from deepprove_dist.protocol.system.system import Matrix

BASE_BYTES = 4
ROW_BYTES = 2
"""Of a value of the witness in a message, about: most are integers of one or two bytes."""

EXTENSION_BYTES = BASE_BYTES * EXTENSION_DEGREE
MODEL_BYTES = 16
"""A weight while the coordinator reads the model: an integer of 8 bytes, and its float64."""

GRAM_BYTES = 110 << 10
"""To a worker and from it in the rounds of the opening, as measured."""


@dataclass(frozen=True)
class WorkerPrice:
    """A worker's part of a proof.

    Attributes:
        share: of rows, leaves and codes, from 0 to 1.
        memory_bytes: of its process.
    """

    worker: int
    threads: int
    share: float
    memory_bytes: int


@dataclass(frozen=True)
class GroupPrice:
    """What a proof would take with workers.

    Attributes:
        workers: those that were asked for; some have no part where there are fewer parts than workers.
        coordinator_bytes: of memory, in the process of the command.
        wire_bytes: that travel for one proof, all directions together, and without loading.
        least_ms: milliseconds if all threads were as fast as the estimate's and nothing had to wait.
        worth: whether workers save time at all.
    """

    workers: tuple[WorkerPrice, ...]
    coordinator_bytes: int
    wire_bytes: int
    least_ms: float
    worth: bool


def price_group(
    content: KeyContent, samples: int, threads: Sequence[int], policy: Policy | None = None
) -> GroupPrice:
    """The price of a proof by workers with so many threads each. Raises as `price_proof` does."""
    policy, price = policy or Policy(), price_proof(content, samples)
    assignment = assign(threads, content.schedule.initial.log_rows - MIN_ROWS_LOG)
    shares = [len(parts) / (1 << assignment.log_parts) for parts in assignment.parts]
    shares += [0.0] * (len(threads) - len(shares))
    weights = content.system.for_batch(samples).values(Matrix.WEIGHTS)
    working = sum(count for count, share in zip(threads, shares, strict=True) if share)
    return GroupPrice(
        tuple(
            WorkerPrice(worker, count, share, PROCESS_BYTES + round(share * price.memory_bytes))
            for worker, (count, share) in enumerate(zip(threads, shares, strict=True))
        ),
        PROCESS_BYTES + MODEL_BYTES * weights + 2 * _row_bytes(content),
        wire_bytes(content, samples, len(assignment.parts), assignment.log_parts, policy),
        price.proving_ms * 2 / working,
        policy.is_worth(content.schedule.initial),
    )


def wire_bytes(content: KeyContent, samples: int, workers: int, log_parts: int, policy: Policy) -> int:
    """Bytes that travel for a proof by workers who have 2^log_parts parts together."""
    initial = content.schedule.initial
    columns = initial.witness_columns + initial.mask_columns
    rows = (ROW_BYTES * initial.witness_columns + BASE_BYTES * initial.mask_columns) << initial.log_rows
    total = rows + workers * GRAM_BYTES + price_proof(content, samples).proof_bytes
    if columns << initial.log_length >= policy.code_values:
        total += (workers - 1) * rows
    levels = content.instance(samples).leaves.levels
    gather_log = max(policy.gather_log, log_parts)
    if levels >= max(policy.leaves_log, MIN_LEVELS + log_parts):
        total += (levels - gather_log) * 4 * EXTENSION_BYTES << gather_log
    return total + _folded_bytes(content, workers, log_parts, policy)


def _row_bytes(content: KeyContent) -> int:
    initial = content.schedule.initial
    return BASE_BYTES * (initial.witness_columns + initial.mask_columns) << initial.log_rows


def _folded_bytes(content: KeyContent, workers: int, log_parts: int, policy: Policy) -> int:
    """Of f': it goes from worker to worker for codes that are shared, and to the coordinator once."""
    total, gathered = 0, False
    for code in content.schedule.rounds:
        log_size = code.log_rows + code.log_columns
        values = EXTENSION_BYTES << log_size
        shared = (
            EXTENSION_DEGREE << (code.log_columns + code.log_length) >= policy.code_values
            and code.log_rows >= log_parts
        )
        small = log_size <= max(policy.folded_log, log_parts)
        if shared:
            total += workers * values if gathered else (workers - 1) * values
        if not gathered and (small or not shared):
            total, gathered = total + 2 * values, True
    return total
