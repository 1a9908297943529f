"""Milliseconds of proving, from the schedule and sizes alone: a sum of elementary work, for two cores.

There are two sets of constants. `MEASURED` is what the kernels take on two cores of a Zen 5 with AVX-512.
These are least times of many repeats: of commitments, openings and fraction trees of many sizes, and of whole
proofs. `python -m benchmarks.times` measures the kernels again. `PRICES` is what schedules are chosen by:
times of earlier kernels, kept since keys and proofs follow from them.
"""

from __future__ import annotations

from dataclasses import dataclass

from .initial_code import InitialCode
from .schedule import Schedule
from .shape import ProtocolShape


@dataclass(frozen=True)
class Times:
    """Nanoseconds of elementary work.

    Attributes:
        code_row: encoding a row of any width.
        base_value, extension_value: encoding and hashing a codeword value.
        leaf: a Merkle leaf and the nodes above it, beyond hashing its values.
        column_round: claim weights and all column rounds, per committed value.
        row_round: all row rounds, per value of f'.
        fraction_leaf: the whole fraction tree, per leaf.
        fixed: what depends on no size: transcript, calls, assembling the bytes.
    """

    code_row: float
    base_value: float
    extension_value: float
    leaf: float
    column_round: float
    row_round: float
    fraction_leaf: float
    fixed: float


PRICES = Times(
    code_row=0,
    base_value=3,
    extension_value=20,
    leaf=15,
    column_round=8,
    row_round=60,
    fraction_leaf=60,
    fixed=1e6,
)

MEASURED = Times(
    code_row=3,
    base_value=0.85,
    extension_value=5 * 0.85,
    leaf=15,
    column_round=2,
    row_round=30,
    fraction_leaf=25,
    fixed=4e5,
)

CONTRACTION_NS = 2e5
"""A contraction of any size: calls, and rounds too short for two cores."""

LOOKUP_NS = 70.0
"""What comes with a lookup: its witness values, their claims' weights, their share of contractions."""

WEIGHT_NS = 0.35
"""Reading a weight once: to bind contractions, or to evaluate a claim about public ones."""


def estimated_milliseconds(schedule: Schedule, shape: ProtocolShape, weight_values: int) -> float:
    """Time of a proof on two cores by what was measured, without inference; weights are already encoded."""
    readings = 1 if schedule.initial.weight_columns else 2
    model = (
        CONTRACTION_NS * shape.sumcheck.count
        + LOOKUP_NS * shape.lookups.fractions
        + WEIGHT_NS * readings * weight_values
    )
    return proving_milliseconds(schedule, shape, MEASURED) + model / 1e6


def proving_milliseconds(schedule: Schedule, shape: ProtocolShape, times: Times = PRICES) -> float:
    """Commitments, lookups and opening of a proof, weights already encoded."""
    folded = sum(
        (times.code_row + times.leaf + times.extension_value * (1 << code.log_columns))
        * (1 << code.log_length)
        for code in schedule.rounds
    )
    return initial_milliseconds(schedule.initial, shape, times) + folded / 1e6


def initial_milliseconds(code: InitialCode, shape: ProtocolShape, times: Times = PRICES) -> float:
    """The part of `proving_milliseconds` that no WHIR round changes."""
    witness = _tree_ns(code, code.witness_columns, code.witness_log_group, times)
    rounds = (times.column_round * code.columns + times.row_round) * (1 << code.log_rows)
    return (times.fixed + witness + rounds + times.fraction_leaf * (1 << shape.lookups.log_leaves)) / 1e6


def loading_milliseconds(code: InitialCode, times: Times = PRICES) -> float:
    """Encoding the committed weights, once for as many proofs as a loaded key makes."""
    if code.weight_columns == 0:
        return 0.0
    return _tree_ns(code, code.weight_columns, code.weight_log_group, times) / 1e6


def _tree_ns(code: InitialCode, columns: int, log_group: int, times: Times) -> float:
    length = 1 << code.log_length
    return (times.code_row + times.base_value * columns) * length + times.leaf * (length >> log_group)
