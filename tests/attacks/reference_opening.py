"""The opening in plain Python: f and w stay lists over what is not bound yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from deepprove_dist.kernels import Extension, ExtensionVector, combine_rows
from deepprove_dist.protocol.opening import codes
from deepprove_dist.protocol.opening.prove import Tree
from deepprove_dist.protocol.parameters import Code, InitialCode, Schedule
from deepprove_dist.protocol.proof import Leaves, OpeningProof, RoundProof
from tests.attacks.arithmetic import Values, dot, fold, inverse, listed
from tests.attacks.channel import Channel
from tests.attacks.reference_sumchecks import product_round, reduce_round


@dataclass(frozen=True)
class InnerProduct:
    """sum_i f[i] w[i] = claim, where the claim is what the verifier has come to."""

    f: Values
    w: Values
    claim: Extension

    def repaired(self) -> InnerProduct:
        """With one value of f moved so that the claim holds."""
        place = next(index for index, weight in enumerate(self.w) if weight != Extension(0))
        moved = self.f[place] + (self.claim - dot(self.f, self.w)) * inverse(self.w[place])
        return replace(self, f=[*self.f[:place], moved, *self.f[place + 1 :]])

    def with_claim(self, coefficient: Extension, z: Extension, value: Extension) -> InnerProduct:
        """With coefficient * (sum_i f[i] z^i = value) added."""
        powers = listed(ExtensionVector.powers(z, len(self.w)))
        w = [weight + coefficient * power for weight, power in zip(self.w, powers, strict=True)]
        return replace(self, w=w, claim=self.claim + coefficient * value)

    def rounds(self, channel: Channel, count: int) -> tuple[Values, Values, InnerProduct]:
        """What is sent in that many rounds, their challenges, and what remains."""
        sent, point, state = list[Extension](), list[Extension](), self
        for _ in range(count):
            own, challenge, claim = reduce_round(channel, product_round([state.f, state.w]), state.claim)
            state = InnerProduct(fold(state.f, challenge), fold(state.w, challenge), claim)
            sent += own
            point.append(challenge)
        return sent, point, state


@dataclass(frozen=True)
class CommittedCode:
    """A code of the schedule with its trees, and what its columns were bound to."""

    code: InitialCode | Code
    trees: tuple[Tree, ...]
    point: ExtensionVector


def open_claims(
    channel: Channel, schedule: Schedule, trees: Sequence[Tree], state: InnerProduct
) -> OpeningProof:
    """Proves an inner product over all addresses, f being what the trees commit to."""
    columns, point, state = state.rounds(channel, schedule.initial.column_rounds)
    last = CommittedCode(schedule.initial, tuple(trees), ExtensionVector(point))
    rounds, leaves = [], []
    for code in schedule.rounds:
        state, proof, opened, last = _round(channel, state, code, last)
        rounds.append(proof)
        leaves += opened
    if channel.stubborn:
        state = state.repaired()
    state = replace(state, f=channel.send("opening/final", state.f))
    positions = codes.draw_positions(last.code, channel.transcript)
    opened, _ = _answer(last, positions)
    final_rounds, _, _ = state.rounds(channel, schedule.final_log)
    final, sent = ExtensionVector(state.f), ExtensionVector(final_rounds)
    return OpeningProof(ExtensionVector(columns), tuple(rounds), final, sent, (*leaves, *opened))


def _round(
    channel: Channel, state: InnerProduct, code: Code, last: CommittedCode
) -> tuple[InnerProduct, RoundProof, list[Leaves], CommittedCode]:
    if channel.stubborn:
        state = state.repaired()
    root, tree = channel.send_root("opening/root", ExtensionVector(state.f), codes.tree_shapes(code)[0])
    z = channel.draw("opening/out-of-domain")
    powers = listed(ExtensionVector.powers(z, len(state.f)))
    (answer,) = channel.send("opening/answer", [dot(state.f, powers)])
    positions = codes.draw_positions(last.code, channel.transcript)
    opened, folded = _answer(last, positions)
    gamma, coefficients = codes.combination(channel.transcript, len(positions))
    state = state.with_claim(gamma, z, answer)
    places = codes.query_points(last.code, positions).to_array()
    for place, coefficient, value in zip(places, listed(coefficients), listed(folded), strict=True):
        state = state.with_claim(coefficient, Extension(int(place)), value)
    sent, point, state = state.rounds(channel, code.log_columns)
    proof = RoundProof(root, answer, ExtensionVector(sent))
    return state, proof, opened, CommittedCode(code, (tree,), ExtensionVector(point))


def _answer(last: CommittedCode, positions: list[int]) -> tuple[list[Leaves], ExtensionVector]:
    """The opened leaves of each tree, and the fold of the rows at the positions."""
    shapes, weights = codes.tree_shapes(last.code), codes.column_weights(last.code, last.point)
    opened, folded = [], []
    for tree, shape, weight in zip(last.trees, shapes, weights, strict=True):
        asked = codes.queries(positions, shape)
        rows, nodes = tree.open(asked.places)
        opened.append(Leaves(rows, nodes))
        extension = isinstance(last.code, Code)
        folded.append(combine_rows(rows, shape, positions, asked.slots, weight, extension))
    return opened, codes.add_all(folded)
