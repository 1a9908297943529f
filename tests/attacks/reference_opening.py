"""The opening in plain Python: f and w stay lists over what is not bound yet.

Positions, gamma, the leaves that are asked and what their rows fold to are computed here. Nothing is taken
from the opening that is tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import BaseVector, CodeShape, Extension, ExtensionVector
from deepprove_dist.protocol.messages.proof import Leaves, OpeningProof, RoundProof
from deepprove_dist.protocol.opening.prove import Tree
from deepprove_dist.protocol.parameters import Code, InitialCode, Schedule
from tests.attacks.arithmetic import (
    BASIS,
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
from tests.attacks.reference_sumchecks import next_claim, product_round
from tests.records import replace


@dataclass(frozen=True)
class InnerProduct:
    """sum_i f[i] w[i] + sum_i g[i] v[i] = claim, where the claim is what the verifier has come to.

    `g` and `v` are random rows and their weights: there are none in a transparent proof, nor after the mask.
    """

    f: Values
    w: Values
    claim: Extension
    g: Values = field(default_factory=list)
    v: Values = field(default_factory=list)

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
            parts = product_round([state.f, state.w]), product_round([state.g, state.v])
            message = channel.send("sumcheck/round", [a + b for a, b in zip(*parts, strict=True)])
            r = channel.draw("sumcheck/challenge")
            f, w, g, v = (fold(vector, r) for vector in (state.f, state.w, state.g, state.v))
            state = InnerProduct(f, w, next_claim(state.claim, message, r), g, v)
            sent += message
            point.append(r)
        return sent, point, state


@dataclass(frozen=True)
class Mask:
    """The mask vector s: its rows of data, and its random rows."""

    data: Values
    tail: Values


@dataclass(frozen=True)
class MaskSent:
    """What was sent of a mask: <w', s>, and the random rows of F."""

    product: Extension
    tail: Values


@dataclass(frozen=True)
class CommittedCode:
    """A code of the schedule with its trees, and what its columns were bound to.

    Of a hiding proof's initial code also epsilon, and the random rows of F.
    """

    code: InitialCode | Code
    trees: tuple[Tree, ...]
    point: Values
    epsilon: Extension = ZERO
    tail: Values = field(default_factory=list)

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
        opened, weights = [], self.weights()
        folded = [-self.of_tail(Extension(self.element(position))) for position in positions]
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

    def weights(self) -> Values:
        """Of all columns, tree by tree; those of the mask vector are the last."""
        corners = eq(self.point)
        if isinstance(self.code, Code):
            return corners
        weights = [corners[address] for address in addresses(self.code)]
        return [*weights, *(self.epsilon * y for y in BASIS)] if self.code.hiding else weights

    def of_tail(self, x: Extension) -> Extension:
        """x^(2^m) F_tail(x)."""
        result = ZERO
        for coefficient in reversed(self.tail):
            result = result * x + coefficient
        return result * x ** (1 << self.code.log_rows)

    def elements(self, rows: BaseVector) -> Values:
        """The columns' values in opened rows."""
        if isinstance(self.code, InitialCode):
            return [Extension(int(value)) for value in rows.to_array()]
        return listed(ExtensionVector.from_bytes(bytes(rows)))


def addresses(code: InitialCode) -> list[int]:
    """Where each column stands in the cube of columns, weights before witness.

    In a hiding proof the witness's first columns stand at 0, 1, 2, 4, ... The others fill what remains. First
    come addresses whose lowest bits are 0.
    """
    count, masked = code.weight_columns + code.witness_columns, masked_addresses(code)
    bits = (count - 1).bit_length()
    free = [address for address in range(count) if address not in masked]
    free.sort(key=lambda address: f"{address:0{bits}b}"[::-1])
    return [*free[: code.weight_columns], *masked, *free[code.weight_columns :]]


def masked_addresses(code: InitialCode) -> list[int]:
    """S: zero, and one for each bit of a column's number."""
    bits = (code.weight_columns + code.witness_columns - 1).bit_length()
    return [0, *(2**bit for bit in range(bits))] if code.hiding else []


def widths(code: InitialCode | Code) -> list[tuple[int, int]]:
    """The columns of each tree of a code, and the logarithm of the rows in one of its leaves."""
    if isinstance(code, Code):
        return [(1 << code.log_columns, 0)]
    weights = [(code.weight_columns, code.weight_log_group)] if code.weight_columns else []
    mask = EXTENSION_DEGREE if code.hiding else 0
    return [*weights, (code.witness_columns + mask, code.witness_log_group)]


def open_claims(
    channel: Channel, schedule: Schedule, trees: Sequence[Tree], state: InnerProduct, mask: Mask | None
) -> tuple[OpeningProof, MaskSent | None]:
    """Proves an inner product over all addresses, f being what the trees commit to."""
    columns, point, state = state.rounds(channel, schedule.initial.column_rounds)
    last, shown = CommittedCode(schedule.initial, tuple(trees), point), None
    if mask is not None:
        state, last, shown = _hide(channel, state, mask, last)
    rounds, leaves = [], []
    for code in schedule.rounds:
        state, proof, opened, last = _round(channel, state, code, last)
        rounds.append(proof)
        leaves += opened
    if channel.stubborn:
        state = state.repaired()
    if last.tail:
        channel.show_values("opening/tail", last.tail)
    state = replace(state, f=channel.send("opening/final", state.f))
    opened, _ = last.answer(last.draw(channel))
    final_rounds, _, _ = state.rounds(channel, schedule.final_log)
    final, sent = ExtensionVector(state.f), ExtensionVector(final_rounds)
    return OpeningProof(ExtensionVector(columns), tuple(rounds), final, sent, (*leaves, *opened)), shown


def _hide(
    channel: Channel, state: InnerProduct, mask: Mask, last: CommittedCode
) -> tuple[InnerProduct, CommittedCode, MaskSent]:
    """F = f + epsilon s in the place of f; its random rows are chosen here and sent after its root."""
    (product,) = channel.send("mask/sigma", [dot(state.w, mask.data) + dot(state.v, mask.tail)])
    epsilon = channel.draw("mask/epsilon")
    tail = channel.alter("opening/tail", [a + epsilon * b for a, b in zip(state.g, mask.tail, strict=True)])
    masked = [a + epsilon * b for a, b in zip(state.f, mask.data, strict=True)]
    claim = state.claim + epsilon * product - dot(state.v, tail)
    shown = replace(last, epsilon=epsilon, tail=tail)
    return InnerProduct(masked, state.w, claim), shown, MaskSent(product, tail)


def _round(
    channel: Channel, state: InnerProduct, code: Code, last: CommittedCode
) -> tuple[InnerProduct, RoundProof, list[Leaves], CommittedCode]:
    if channel.stubborn:
        state = state.repaired()
    shape = CodeShape(code.log_rows, EXTENSION_DEGREE << code.log_columns, code.log_inverse_rate, 0)
    root, tree = channel.send_root("opening/root", ExtensionVector(state.f), shape)
    if last.tail:
        channel.show_values("opening/tail", last.tail)
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
