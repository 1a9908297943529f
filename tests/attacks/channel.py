"""The prover's end of the protocol: everything that it shows goes through here, so here it can lie."""

from __future__ import annotations

from typing import cast

from deepprove_dist.kernels import (
    BaseVector,
    CodeShape,
    Commitment,
    Extension,
    ExtensionVector,
    Transcript,
)
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.prover import Prover
from tests.attacks.arithmetic import ONE, Values, listed
from tests.attacks.tracked import Tracked
from tests.backends import local

Vector = BaseVector | ExtensionVector


class Recorder:
    """Takes a transcript's place for all code that is not compiled, and keeps what happens.

    `events` are (label, drawn bytes), with None in place of the bytes for what was absorbed.
    """

    def __init__(self, transcript: Transcript) -> None:
        self._inner = transcript
        self.events: list[tuple[str, bytes | None]] = []

    def absorb(self, label: str, data: bytes) -> None:
        self._inner.absorb(label, data)
        self.events.append((label, None))

    def absorb_extension(self, label: str, values: ExtensionVector) -> None:
        self.absorb(label, bytes(values))

    def challenge(self, label: str) -> Extension:
        drawn = self._inner.challenge(label)
        self.events.append((label, bytes(drawn)))
        return drawn

    def challenges(self, label: str, count: int) -> ExtensionVector:
        drawn = self._inner.challenges(label, count)
        self.events.append((label, bytes(drawn)))
        return drawn

    def indices(self, label: str, count: int, bits: int) -> list[int]:
        drawn = self._inner.indices(label, count, bits)
        self.events.append((label, repr(drawn).encode()))
        return drawn


class Channel:
    """What a prover does in front of the verifier; lying provers override `alter`, `commit` or `show`.

    `pads` are all that a hiding proof has, the four of row K last. `scalars` are all that were sent so
    far: in a hiding proof as they were sent, with their pads.
    """

    def __init__(self, key: Prover, transcript: Transcript, witness: Witness, *, stubborn: bool) -> None:
        self.key, self.stubborn = key, stubborn
        self.recorder = Recorder(transcript)
        self.transcript = cast(Transcript, self.recorder)
        self.random_rows: BaseVector | None = witness.random_rows
        self.pads = listed(witness.pads)
        self.scalars: Values = []
        self._used = 0

    def alter(self, label: str, values: Values) -> Values:
        """What is sent in place of the values."""
        return values

    def commit(self, label: str, values: Vector, shape: CodeShape) -> Commitment:
        """The tree that is opened for the values; its root is what `show` says."""
        return self.tree(values, shape)

    def show(self, label: str, tree: Commitment) -> bytes:
        """The root that is sent for a tree."""
        return tree.root

    def tree(self, values: Vector, shape: CodeShape) -> Commitment:
        encoder, pool = local(self.key).encoder, self.key.backend.pool
        if isinstance(values, BaseVector):
            return Commitment.of_base(values, shape, encoder, pool, self.random_rows)
        return Commitment.of_extension(values, shape, encoder, pool)

    def send_root(self, label: str, values: Vector, shape: CodeShape) -> tuple[bytes, Commitment]:
        tree = self.commit(label, values, shape)
        root = self.show(label, tree)
        self.transcript.absorb(label, root)
        return root, tree

    def send(self, label: str, values: Values) -> Values:
        """Sends values as they are; returns what was sent."""
        values = self.alter(label, values)
        self.show_values(label, values)
        return values

    def send_padded(self, label: str, values: Values) -> list[Tracked]:
        """Sends values with the next pads, if there are pads."""
        values = self.alter(label, values)
        if not self.pads:
            self.show_values(label, values)
            return list(map(Tracked, values))
        numbers = range(self._used, self._used + len(values))
        self._used += len(values)
        padded = [value + self.pads[number] for value, number in zip(values, numbers, strict=True)]
        self.show_values(label, padded)
        return [Tracked(value, {number: ONE}) for value, number in zip(padded, numbers, strict=True)]

    def true(self, tracked: Tracked) -> Extension:
        """The value without pads."""
        return tracked.true(self.pads)

    def draw(self, label: str) -> Extension:
        return self.transcript.challenge(label)

    def show_values(self, label: str, values: Values) -> None:
        """Sends values that are settled."""
        self.scalars += values
        self.transcript.absorb_extension(label, ExtensionVector(values))
