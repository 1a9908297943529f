"""The opening in plain Python: f and w stay lists over what is not bound yet.

Positions, gamma, the leaves that are asked and what their rows fold to are computed here. Nothing is taken
from the opening that is tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import BaseVector, CodeShape, Extension, ExtensionVector
from deepprove_dist.protocol.messages.proof import Leaves, OpeningProof, RoundProof
from deepprove_dist.protocol.opening.prove import Tree
from deepprove_dist.protocol.parameters import Code, InitialCode, Schedule
from tests.attacks.arithmetic import (
    EXTENSION_DEGREE,
    ZERO,
    Values,
    dot,
    eq,
    fold,
    inverse,
    listed,
    reversed_bits,
    root_of_unity,
)
from tests.attacks.channel import Channel
from tests.attacks.reference_sumchecks import product_round, reduce_round
from tests.records import replace


@dataclass(frozen=True)
class InnerProduct:
    """sum_i f[i] w[i] = claim, where the claim is what the verifier has come to."""

    f: Values
    w: Values
    claim: Extension

    def repaired(self) -> InnerProduct:
        """With one value of f moved so that the claim holds."""
        pivot = next(index for index, weight in enumerate(self.w) if weight != Extension(0))
        moved = self.f[pivot] + (self.claim - dot(self.f, self.w)) * inverse(self.w[pivot])
        return replace(self, f=[*self.f[:pivot], moved, *self.f[pivot + 1 :]])

    def with_claim(self, coefficient: Extension, z: Extension, value: Extension) -> InnerProduct:
        """With coefficient * (sum_i f[i] z^i = value) added."""
        powers = listed(ExtensionVector.powers(z, len(self.w)))
        w = [weight + coefficient * power for weight, power in zip(self.w, powers, strict=True)]
        return replace(self, w=w, claim=self.claim + coefficient * value)

    def rounds(self, channel: Channel, count: int) -> tuple[Values, Values, InnerProduct]:
        """What is sent in that many rounds, their challenges, and what remains."""
        sent, point, state = list[Extension](), list[Extension](), self
        for _ in range(count):
            message, challenge, claim = reduce_round(channel, product_round([state.f, state.w]), state.claim)
            state = InnerProduct(fold(state.f, challenge), fold(state.w, challenge), claim)
            sent += message
            point.append(challenge)
        return sent, point, state


@dataclass(frozen=True)
class CommittedCode:
    """A code of the schedule with its trees, and what its columns were bound to."""

    code: InitialCode | Code
    trees: tuple[Tree, ...]
    point: Values

    @property
    def log_length(self) -> int:
        return self.code.log_rows + self.code.log_inverse_rate

    def draw(self, channel: Channel) -> list[int]:
        """The positions of the queries."""
        return channel.transcript.indices("opening/queries", self.code.queries, self.log_length)

    def element(self, position: int) -> int:
        """Where the columns' polynomials have the values of a row."""
        return pow(root_of_unity(self.log_length), position, MODULUS)

    def answer(self, positions: list[int]) -> tuple[list[Leaves], Values]:
        """The opened leaves of each tree, and what the row at each position folds to."""
        opened, folded, weights = [], [ZERO] * len(positions), eq(self.point)
        for tree, (columns, log_group) in zip(self.trees, widths(self.code), strict=True):
            height = self.log_length - log_group
            indices = [reversed_bits(position, height) for position in positions]
            asked = sorted(set(indices))
            rows, nodes = tree.open(asked)
            opened.append(Leaves(rows, nodes))
            values = self.elements(rows)
            for k, (position, index) in enumerate(zip(positions, indices, strict=True)):
                start = ((asked.index(index) << log_group) + (position >> height)) * columns
                folded[k] += dot(weights[:columns], values[start : start + columns])
            weights = weights[columns:]
        return opened, folded

    def elements(self, rows: BaseVector) -> Values:
        """The columns' values in opened rows."""
        if isinstance(self.code, InitialCode):
            return [Extension(int(value)) for value in rows.to_array()]
        return listed(ExtensionVector.from_bytes(bytes(rows)))


def widths(code: InitialCode | Code) -> list[tuple[int, int]]:
    """The columns of each tree of a code, and the logarithm of the rows in one of its leaves."""
    if isinstance(code, Code):
        return [(1 << code.log_columns, 0)]
    weights = [(code.weight_columns, code.weight_log_group)] if code.weight_columns else []
    return [*weights, (code.witness_columns, code.witness_log_group)]


def open_claims(
    channel: Channel, schedule: Schedule, trees: Sequence[Tree], state: InnerProduct
) -> OpeningProof:
    """Proves an inner product over all addresses, f being what the trees commit to."""
    columns, point, state = state.rounds(channel, schedule.initial.column_rounds)
    last = CommittedCode(schedule.initial, tuple(trees), point)
    rounds, leaves = [], []
    for code in schedule.rounds:
        state, proof, opened, last = _round(channel, state, code, last)
        rounds.append(proof)
        leaves += opened
    if channel.stubborn:
        state = state.repaired()
    state = replace(state, f=channel.send("opening/final", state.f))
    opened, _ = last.answer(last.draw(channel))
    final_rounds, _, _ = state.rounds(channel, schedule.final_log)
    final, sent = ExtensionVector(state.f), ExtensionVector(final_rounds)
    return OpeningProof(ExtensionVector(columns), tuple(rounds), final, sent, (*leaves, *opened))


def _round(
    channel: Channel, state: InnerProduct, code: Code, last: CommittedCode
) -> tuple[InnerProduct, RoundProof, list[Leaves], CommittedCode]:
    if channel.stubborn:
        state = state.repaired()
    shape = CodeShape(code.log_rows, EXTENSION_DEGREE << code.log_columns, code.log_inverse_rate, 0)
    root, tree = channel.send_root("opening/root", ExtensionVector(state.f), shape)
    z = channel.draw("opening/out-of-domain")
    powers = listed(ExtensionVector.powers(z, len(state.f)))
    (answer,) = channel.send("opening/answer", [dot(state.f, powers)])
    positions = last.draw(channel)
    opened, folded = last.answer(positions)
    gamma = channel.draw("opening/combination")
    state, coefficient = state.with_claim(gamma, z, answer), gamma
    for position, value in zip(positions, folded, strict=True):
        coefficient *= gamma
        state = state.with_claim(coefficient, Extension(last.element(position)), value)
    sent, point, state = state.rounds(channel, code.log_columns)
    proof = RoundProof(root, answer, ExtensionVector(sent))
    return state, proof, opened, CommittedCode(code, (tree,), point)
