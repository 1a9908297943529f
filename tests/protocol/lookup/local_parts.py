"""All parts of a fraction tree in this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deepprove_dist.arrays import IntArray
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector, FractionPart, Pool
from deepprove_dist.protocol.claims.layout import Layout
from deepprove_dist.protocol.lookup.leaves import PartLeaves, PartValues, expression_values, small_values
from deepprove_dist.protocol.lookup.tree import Challenges, LeafLayout
from deepprove_dist.protocol.system.system import System


def split_values(
    system: System,
    leaves: LeafLayout,
    witness: BaseVector,
    tensors: Mapping[int, IntArray],
    log_parts: int,
) -> list[PartValues]:
    """What each part gets, from a witness in the order of addresses and by tensor."""
    small = small_values(system, leaves, tensors, log_parts)
    expressions = expression_values(system, leaves, tensors, log_parts)
    # A column has a multiple of 2^log_parts rows: addresses and rows are the same modulo that.
    rows = witness.parts(log_parts)
    return [PartValues(part_rows, small, listed) for part_rows, listed in zip(rows, expressions, strict=True)]


@dataclass(frozen=True)
class LocalParts:
    """Every call goes to all parts; sums are handed on one by one."""

    parts: list[FractionPart]
    pool: Pool

    @classmethod
    def of(
        cls,
        system: System,
        leaves: LeafLayout,
        layout: Layout,
        values: list[PartValues],
        drawn: Challenges,
        pool: Pool,
    ) -> LocalParts:
        """The parts with their leaves."""
        log_parts, parts = len(values).bit_length() - 1, []
        for part, part_values in enumerate(values):
            tree = PartLeaves(system, leaves, layout, log_parts, part).build(part_values, drawn)
            parts.append(FractionPart(tree, leaves.levels, (log_parts, part), pool))
        return cls(parts, pool)

    def layer(self, level: int) -> list[ExtensionVector]:
        return [part.layer(level) for part in self.parts]

    def start(self, z: ExtensionVector, batching: Extension) -> list[ExtensionVector]:
        return [part.start(z, batching, self.pool) for part in self.parts]

    def fold(self, r: Extension) -> list[ExtensionVector]:
        return [part.fold(r, self.pool) for part in self.parts]

    def gather(self, r: Extension) -> list[ExtensionVector]:
        return [part.gather(r, self.pool) for part in self.parts]
