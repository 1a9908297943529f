"""The fraction tree by parts: what `FractionLeaves.prove` sends, from parts that may be on several machines.

The rounds of a layer bind top bits, which pair nodes of one part. So a part answers each round with its share
of two sums. When 2^gather_log nodes of each child remain, the parts hand them over. What remains of the layer
is proven here, and so are all layers of at most 2^gather_log nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from deepprove_dist.kernels import Extension, ExtensionVector, FractionRounds, Pool, Transcript


class FractionParts(Protocol):
    """Calls that all parts of a tree get, each as the method of `FractionPart` of the same name.

    `layer` and `gather` return one vector a part, in the parts' order. `start` and `fold` return one or more
    sums of any parts; together they count each part once.
    """

    def layer(self, level: int) -> Sequence[ExtensionVector]:
        """Each part's nodes of the layer of 2^level nodes: numerators, then denominators."""

    def start(self, z: ExtensionVector, batching: Extension) -> Sequence[ExtensionVector]:
        """Begins the layer of 2^len(z) nodes; the two sums of its first round."""

    def fold(self, r: Extension) -> Sequence[ExtensionVector]:
        """Binds a variable to r; the two sums of the next round."""

    def gather(self, r: Extension) -> Sequence[ExtensionVector]:
        """Binds a variable to r and ends the layer; each part's p0, p1, q0, q1, one after the other."""


def prove_by_parts(
    parts: FractionParts,
    levels: int,
    gather_log: int,
    transcript: Transcript,
    pads: ExtensionVector,
    pool: Pool,
) -> ExtensionVector:
    """Proves that the fractions of 2^levels leaves add up to zero, as `FractionTree.prove_fractions` does.

    At least one node a part is handed over: of 2^s parts, gather_log >= s.

    Raises Rejected where what parts hand over does not fit, or is not what their sums led to.
    """
    rounds = FractionRounds(levels, pads)
    top = min(gather_log + 1, levels)
    rounds.top(parts.layer(top), transcript, pool)
    for level in range(top, levels):
        z, batching = rounds.start(transcript)
        r = rounds.round(parts.start(z, batching), transcript)
        for _ in range(level - gather_log - 1):
            r = rounds.round(parts.fold(r), transcript)
        rounds.finish(parts.gather(r), transcript, pool)
    sent, *_ = rounds.result()
    return sent
