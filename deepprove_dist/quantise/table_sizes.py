"""How many entries tables may have: each is committed, so what is much depends on the model's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.quantise.activation_bits import ACTIVATION_BITS
from deepprove_dist.quantise.activations import LARGE_TABLE

SMALL_SHARE = 2**-6
"""Of a model's values: a table of so many entries costs little."""

LARGEST_SHARE = 2**-3
"""Of a model's values: the entries that one table may have at most."""

MOST = range(2**18, 2**20 + 1)
"""The entries that one table may have at most, in the smallest and in the largest model."""

MOST_BENDS = 2**18
"""Of all tables of a model. A rounded curve has a piece for two of them, which takes three bytes of a key. No
model that was measured is more exact with twice as many, and finer tables have more entries to commit.
"""

FEWEST_BENDS = 2**9
"""Of one table, however many there are."""


@dataclass(frozen=True)
class TableSizes:
    """``large``: of more entries a table is made coarser, to save some; ``most``: no table has more.

    ``bends``: how often the slope of one may change; no limit where that is as many as entries.
    """

    large: int = LARGE_TABLE
    most: int = MOST[0]
    bends: int = MOST[-1]

    @classmethod
    def of(cls, graph: FloatGraph, bits: int) -> TableSizes:
        """For a model with so many values. Those of the most bits are to be exact: none is made coarser."""
        values = sum(prod(graph.shapes[node.output]) for node in graph.nodes)
        most = min(max(MOST[0], int(LARGEST_SHARE * values)), MOST[-1])
        large = most if bits == ACTIVATION_BITS[-1] else max(LARGE_TABLE, int(SMALL_SHARE * values))
        return cls(large, most)

    def shared_by(self, bends: Sequence[int]) -> TableSizes:
        """For tables that would bend so often: those that do so most are made coarser, as far as needed."""
        left = MOST_BENDS
        for others, needed in zip(range(len(bends), 0, -1), sorted(bends), strict=True):
            if needed * others > left:
                return replace(self, bends=max(FEWEST_BENDS, left // others))
            left -= needed
        return self
