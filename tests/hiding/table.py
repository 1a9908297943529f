"""The table of pieces: how each is switched off, and what notices it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from tests.hiding import detectors, rank_detectors, stream_switches, switches
from tests.hiding.toy import Sizes

Detector = Callable[[Sizes], bool]

GROUPED = Sizes(7, queries=4, log_inverse_rate=3, tail=120, witness_group=1)
ONE_QUERY = Sizes(queries=1, tail=32)
NARROW_WEIGHTS = Sizes(weight_columns=4)
NARROW_WITNESS = Sizes(7, weight_columns=0, witness_columns=4)


@dataclass(frozen=True)
class Row:
    """A piece, how it is switched off, and the detector that must notice; `sizes` are those of its keys."""

    piece: str
    how: str
    switch: Callable[[], AbstractContextManager[None]]
    detector: Detector
    sizes: Sizes = field(default_factory=Sizes)
    honest: bool = True
    """Whether the sizes are possible with the piece."""


TABLE = (
    Row("omega", "zero", switches.omega_zero, detectors.values_are_not_uniform),
    Row("omega", "zero", switches.omega_zero, rank_detectors.messages_lack_rank),
    Row("omega", "powers of one value", switches.omega_of_powers, rank_detectors.messages_lack_rank),
    Row("omega", "one for all columns", switches.omega_for_all_columns, rank_detectors.messages_lack_rank),
    Row("S", "columns in the order of matrices", switches.plain_order, rank_detectors.messages_lack_rank),
    Row("S", "columns in the order of matrices", switches.plain_order, rank_detectors.leaves_lack_rank),
    Row("s", "zero", stream_switches.mask_vector_zero, detectors.values_are_not_uniform),
    Row("epsilon", "1", switches.epsilon_one, detectors.another_output_is_proven),
    Row("pads", "zero", stream_switches.pads_zero, detectors.values_are_not_uniform),
    Row("row K", "zero", stream_switches.row_k_zero, detectors.finals_are_foretold),
    Row("random rows", "zero", stream_switches.random_rows_zero, detectors.values_are_not_uniform),
    Row("random rows", "one short", switches.random_row_short, rank_detectors.rows_are_too_few),
    Row("mask rows", "one short", switches.mask_row_short, rank_detectors.rows_are_too_few),
    Row("tails", "zero", stream_switches.tails_zero, detectors.weights_are_not_uniform),
    Row("tails", "one row short", switches.tail_row_short, rank_detectors.tails_lack_rank, ONE_QUERY),
    Row(
        "g in the budget",
        "t_W",
        switches.budget_by_weight_leaves,
        detectors.weights_are_interpolated,
        GROUPED,
    ),
    Row(
        "five columns",
        "four, of weights",
        switches.narrow_matrices,
        rank_detectors.tails_lack_rank,
        NARROW_WEIGHTS,
        honest=False,
    ),
    Row(
        "five columns",
        "four, of the witness",
        switches.narrow_matrices,
        rank_detectors.leaves_lack_rank,
        NARROW_WITNESS,
        honest=False,
    ),
    Row("tails", "those of epoch 0", stream_switches.tails_of_first_epoch, detectors.epochs_share_rows),
    Row("nonce", "constant", switches.nonce_constant, detectors.proofs_share_scalars),
)

DETECTORS: tuple[Detector, ...] = (
    detectors.values_are_not_uniform,
    detectors.weights_are_not_uniform,
    rank_detectors.messages_lack_rank,
    rank_detectors.leaves_lack_rank,
    rank_detectors.rows_are_too_few,
    rank_detectors.tails_lack_rank,
    detectors.weights_are_interpolated,
    detectors.finals_are_foretold,
    detectors.another_output_is_proven,
    detectors.proofs_share_scalars,
    detectors.epochs_share_rows,
)
"""All of them."""


def rendered() -> str:
    """The table as the book shows it."""
    lines = ["| piece | switched off | noticed by |", "| --- | --- | --- |"]
    for row in TABLE:
        detector = row.detector.__name__.replace("_", " ")
        lines.append(f"| {row.piece} | {row.how} | {detector} |")
    lines.append("| none | all pieces are there | nothing |")
    return "\n".join(lines) + "\n"
