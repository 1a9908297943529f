"""The verifier's side of the opening; `prove` tells the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import (
    BaseVector,
    Extension,
    ExtensionVector,
    Terms,
    Transcript,
    base_powers_at,
    combine_rows,
    powers_at,
    verify_opening,
    verify_rounds,
)
from deepprove_dist.protocol.messages.proof import Leaves, OpeningProof
from deepprove_dist.protocol.messages.rejection import checking
from deepprove_dist.protocol.opening.codes import (
    add_all,
    column_weights,
    combination,
    draw_positions,
    fold_tail,
    queries,
    query_points,
    tree_shapes,
)
from deepprove_dist.protocol.opening.mask import MaskedOpening, RandomRowWeights
from deepprove_dist.protocol.parameters import Code, InitialCode, Schedule
from deepprove_dist.timing import timed


@dataclass(frozen=True)
class _Committed:
    """A code, the roots of its trees with their names, and what its columns were bound to.

    `epsilon` scales the mask vector, and `tail` has the masked vector's random rows. Only the initial code of
    a hiding proof has them.
    """

    code: InitialCode | Code
    roots: tuple[bytes, ...]
    names: tuple[str, ...]
    point: ExtensionVector
    epsilon: Extension | None = None
    tail: ExtensionVector | None = None

    def absorb_tail(self, transcript: Transcript) -> None:
        """The masked vector's random rows are sent after its root, before the code is queried."""
        if self.tail is not None:
            transcript.absorb_extension("opening/tail", self.tail)


@dataclass(frozen=True)
class OpeningMask:
    """What hides an opening: the weights of random rows, and what the prover sent of its mask."""

    weights: RandomRowWeights
    sent: MaskedOpening


@dataclass(frozen=True)
class _LateClaims:
    """Claims of a WHIR round: the coordinates drawn before it, and the points with their coefficients."""

    bound: int
    z: Extension
    gamma: Extension
    points: BaseVector
    powers: ExtensionVector


@timed("opening", "verifying")
def verify_opening_proof(
    schedule: Schedule,
    roots: Sequence[bytes],
    terms: Terms,
    value: Extension,
    proof: OpeningProof,
    mask: OpeningMask | None,
    transcript: Transcript,
) -> None:
    """Checks that the batched claims hold for the matrices committed under `roots`, 32 bytes each.

    `terms` are the weights of the one claim, whose value is `value`. `mask` is None for a transparent proof.
    `prove_opening` is the other side.

    Raises VerificationError, naming the check that fails.
    """
    _check_counts(schedule, proof, mask)
    initial = schedule.initial
    with checking("column rounds"):
        point, claim = verify_rounds(initial.column_rounds, proof.columns, value, transcript)
    epsilon = None
    if mask is not None:
        transcript.absorb_extension("mask/sigma", ExtensionVector([mask.sent.product]))
        epsilon = transcript.challenge("mask/epsilon")
        claim += epsilon * mask.sent.product - mask.weights.bound(point).dot(mask.sent.tail)
    names = tuple(matrix.matrix for matrix in initial.matrices)
    tail = None if mask is None else mask.sent.tail
    last, whole = _Committed(initial, tuple(roots), names, point, epsilon, tail), point
    late: list[_LateClaims] = []
    leaves = iter(proof.leaves)
    for number, (code, item) in enumerate(zip(schedule.rounds, proof.rounds, strict=True)):
        transcript.absorb("opening/root", item.root)
        last.absorb_tail(transcript)
        z = transcript.challenge("opening/out-of-domain")
        transcript.absorb_extension("opening/answer", ExtensionVector([item.answer]))
        positions = draw_positions(last.code, transcript)
        folded = _check_leaves(last, positions, [next(leaves) for _ in last.roots])
        gamma, powers = combination(transcript, len(positions))
        claim += gamma * item.answer + powers.dot(folded)
        late.append(_LateClaims(len(whole), z, gamma, query_points(last.code, positions), powers))
        with checking(f"round {number}"):
            point, claim = verify_rounds(code.log_columns, item.rounds, claim, transcript)
        last, whole = _Committed(code, (item.root,), (f"round {number}",), point), whole + point
    last.absorb_tail(transcript)
    transcript.absorb_extension("opening/final", proof.final)
    positions = draw_positions(last.code, transcript)
    folded = _check_leaves(last, positions, [next(leaves) for _ in last.roots])
    if proof.final.at(query_points(last.code, positions)) != folded:
        message = "the final vector is not what the last code folds to"
        raise VerificationError(Check.OPENING_FINAL, message)
    with checking("final rounds"):
        point, claim = verify_rounds(schedule.final_log, proof.final_rounds, claim, transcript)
    whole = whole + point
    weight = terms.evaluate(whole)
    for added in late:
        tail = whole[added.bound :]
        weight += added.gamma * powers_at(added.z, tail) + base_powers_at(added.points, added.powers, tail)
    if proof.final.dot(ExtensionVector.eq(point)) * weight != claim:
        raise VerificationError(Check.OPENING_CLAIM, "the claims do not hold for the committed values")


def _check_counts(schedule: Schedule, proof: OpeningProof, mask: OpeningMask | None) -> None:
    trees = len(schedule.initial.trees) + len(schedule.rounds)
    if len(proof.rounds) != len(schedule.rounds) or len(proof.leaves) != trees:
        message = "the proof has another number of rounds or trees than the key"
        raise VerificationError(Check.OPENING_COUNT, message, expected=trees, actual=len(proof.leaves))
    if len(proof.final) != 1 << schedule.final_log:
        raise VerificationError(
            Check.OPENING_FINAL_LENGTH,
            "the final vector has another length",
            expected=1 << schedule.final_log,
            actual=len(proof.final),
        )
    rows = schedule.initial.random_rows
    if mask is not None and len(mask.sent.tail) != rows:
        message = f"the masked vector has {len(mask.sent.tail)} random rows, not {rows}"
        raise VerificationError(Check.MASK_ROWS, message, expected=rows, actual=len(mask.sent.tail))


def _check_leaves(last: _Committed, positions: list[int], opened: list[Leaves]) -> ExtensionVector:
    """Checks the opened leaves against the roots; returns the fold of the row at each position."""
    shapes, weights = tree_shapes(last.code), column_weights(last.code, last.point, last.epsilon)
    folded = []
    trees = zip(last.roots, last.names, shapes, weights, opened, strict=True)
    for root, name, shape, weight, item in trees:
        asked = queries(positions, shape)
        with checking(name):
            verify_opening(root, shape, asked.leaves, item.rows, item.nodes)
        extension = isinstance(last.code, Code)
        folded.append(combine_rows(item.rows, shape, positions, asked.slots, weight, extension))
    total = add_all(folded)
    if last.tail is None or not isinstance(last.code, InitialCode):
        return total
    return total.minus(fold_tail(last.code, last.tail, positions))
