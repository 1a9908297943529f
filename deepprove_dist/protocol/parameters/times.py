"""Milliseconds of proving, from the schedule and sizes alone: a sum of elementary work, for two cores.

There are two sets of constants. `MEASURED` is what the kernels take on two cores of a Zen 5 with AVX-512.
These are least times of many repeats: of commitments, openings and fraction trees of many sizes, and of whole
proofs. `python -m benchmarks.times` measures the kernels again. `PRICES` is what schedules are chosen by:
times of earlier kernels, kept since keys and proofs follow from them. Its fixed part is what the smallest
proofs take in all: bytes are no price for time that no schedule saves. What only hiding proofs have is
estimated in both.
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
        random_value: a value of a stream of randomness.
        mask_row: a row of the mask vector, in sigma and in F.
        pad: a scalar that is sent padded: what claims say about its pad.
    """

    code_row: float
    base_value: float
    extension_value: float
    leaf: float
    column_round: float
    row_round: float
    fraction_leaf: float
    fixed: float
    random_value: float
    mask_row: float
    pad: float


PRICES = Times(
    code_row=0,
    base_value=3,
    extension_value=20,
    leaf=15,
    column_round=8,
    row_round=60,
    fraction_leaf=60,
    fixed=4e6,
    random_value=4,
    mask_row=15,
    pad=200,
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
    random_value=2,
    mask_row=8,
    pad=100,
)

CONTRACTION_NS = 2e5
"""A contraction of any size: calls, and rounds too short for two cores."""

LOOKUP_NS = 70.0
"""What comes with a lookup: its witness values, their claims' weights, their share of contractions."""

RANDOM_ROW_SHARE = 0.25
"""Encoding a value of a random row, in values of a codeword: it is added to the data of each coset."""

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


@dataclass(frozen=True)
class Portion:
    """What a part of a model, or all of it, adds to a proof.

    Attributes:
        weights: values of its weights.
        values: committed values of the witness.
        lookups: fractions, of lookups and of tables.
        contractions: products that are summed.
    """

    weights: int
    values: int
    lookups: int
    contractions: int


def portion_milliseconds(schedule: Schedule, shape: ProtocolShape, whole: Portion, part: Portion) -> float:
    """The share of `estimated_milliseconds` that a part of a model has.

    The shares of all parts add up to less: some work depends on no size, some is padding.
    """
    committed = int(schedule.initial.weight_columns > 0)
    tree = MEASURED.fraction_leaf * (1 << shape.lookups.log_leaves)
    opening = proving_milliseconds(schedule, shape, MEASURED) * 1e6 - MEASURED.fixed - tree
    share = (part.values + committed * part.weights) / max(1, whole.values + committed * whole.weights)
    model = (
        CONTRACTION_NS * part.contractions
        + (LOOKUP_NS + MEASURED.fraction_leaf) * part.lookups
        + WEIGHT_NS * (2 - committed) * part.weights
    )
    return (model + share * opening) / 1e6


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
    # The witness, and hidden inputs and outputs: whatever is no weights.
    witness = sum(_tree_ns(code, *tree, times) for tree in code.trees[-1 - len(code.hidden) :])
    rounds = (times.column_round * code.columns + times.row_round) * (1 << code.log_rows)
    leaves = times.fraction_leaf * (1 << shape.lookups.log_leaves)
    return (times.fixed + witness + rounds + leaves + _hiding_ns(code, shape, times)) / 1e6


def loading_milliseconds(code: InitialCode, times: Times = PRICES) -> float:
    """Encoding the committed weights, once for as many proofs as a loaded key makes."""
    if code.weight_columns == 0:
        return 0.0
    return _tree_ns(code, *code.trees[0], times) / 1e6


def _hiding_ns(code: InitialCode, shape: ProtocolShape, times: Times) -> float:
    """What a hiding proof does besides, without its further columns; 0 for a transparent one."""
    if not code.hiding:
        return 0.0
    random_values = code.witness_columns * code.random_rows
    encoded = RANDOM_ROW_SHARE * times.base_value * (random_values << code.log_inverse_rate)
    rounds = times.column_round * random_values + times.row_round * code.random_rows
    drawn = random_values + code.mask_columns * code.dimension + shape.products.pad_values
    masks = times.mask_row * code.dimension + times.pad * shape.products.padded
    return encoded + rounds + times.random_value * drawn + masks


def _tree_ns(code: InitialCode, columns: int, log_group: int, times: Times) -> float:
    length = 1 << code.log_length
    return (times.code_row + times.base_value * columns) * length + times.leaf * (length >> log_group)
