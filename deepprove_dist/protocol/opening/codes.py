"""What both sides of the opening derive from its schedule: code shapes and the positions of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from deepprove_dist.field import EXTENSION_DEGREE
from deepprove_dist.kernels import (
    BaseVector,
    CodeShape,
    Extension,
    ExtensionVector,
    Transcript,
    domain_points,
)
from deepprove_dist.protocol.claims.claim import GENERATOR
from deepprove_dist.protocol.claims.columns import column_addresses
from deepprove_dist.protocol.parameters import Code, InitialCode


@dataclass(frozen=True)
class Queries:
    """Positions in a code, with repetitions, and the distinct leaves of a tree that hold them.

    Attributes:
        positions: in the order in which they were drawn.
        leaves: indices of the leaves, increasing.
        slots: position k is in the leaf `leaves[slots[k]]`.
    """

    positions: list[int]
    leaves: list[int]
    slots: list[int]


def tree_shapes(code: InitialCode | Code) -> tuple[CodeShape, ...]:
    """The shape of each tree of a code: weights and witness, or the one of a folded vector."""
    if isinstance(code, InitialCode):
        return tuple(
            CodeShape(code.log_rows, columns, code.log_inverse_rate, group) for columns, group in code.trees
        )
    columns = EXTENSION_DEGREE << code.log_columns
    return (CodeShape(code.log_rows, columns, code.log_inverse_rate, 0),)


def draw_positions(code: InitialCode | Code, transcript: Transcript) -> list[int]:
    """`code.queries` positions in [0, 2^log_length), uniform with replacement."""
    return transcript.indices("opening/queries", code.queries, code.log_length)


def queries(positions: list[int], shape: CodeShape) -> Queries:
    """The leaves of one tree that hold the positions."""
    return Queries(positions, *shape.held(positions))


def query_points(code: InitialCode | Code, positions: list[int]) -> BaseVector:
    """g^position for each position; g generates the code's domain of 2^log_length points."""
    return domain_points(code.log_length, positions)


def combination(transcript: Transcript, count: int) -> tuple[Extension, ExtensionVector]:
    """gamma, which scales the out-of-domain claim, and gamma^2, gamma^3, ... for `count` queries' claims."""
    gamma = transcript.challenge("opening/combination")
    return gamma, ExtensionVector.powers(gamma, count + 2)[2:]


def add_all(vectors: Sequence[ExtensionVector]) -> ExtensionVector:
    """The sum of the trees' folds, position by position; all have one length."""
    total, *others = vectors
    for vector in others:
        total = total.plus(vector)
    return total


def column_weights(
    code: InitialCode | Code, point: ExtensionVector, epsilon: Extension | None = None
) -> list[ExtensionVector]:
    """eq(r, column) for the columns of each tree of a code, r being what its columns were bound to.

    In a hiding proof mask column k, the last of the initial code's columns, has the weight epsilon Y^k.
    """
    weights = ExtensionVector.eq(point)
    if not isinstance(code, InitialCode):
        return [weights]
    ends = [0, *accumulate(item.columns for item in code.matrices)]
    addresses = list(column_addresses(code))
    by_tree = [weights.take(addresses[start:end]) for start, end in pairwise(ends)]
    if epsilon is not None:
        by_tree[-1] += ExtensionVector.powers(GENERATOR, EXTENSION_DEGREE).scaled(epsilon)
    return by_tree


def fold_tail(code: InitialCode, tail: ExtensionVector, positions: list[int]) -> ExtensionVector:
    """x^(2^m) F_tail(x) for the point x of each position; `tail` has the random rows of F."""
    shifts = [(position << code.log_rows) % (1 << code.log_length) for position in positions]
    powers = ExtensionVector.of_base(query_points(code, shifts))
    return tail.at(query_points(code, positions)).times(powers)
