"""What an input or output is to whoever reads its integers, in a model as in a key."""

from __future__ import annotations

from typing import Protocol

from deepprove_dist.arrays import Shape
from deepprove_dist.protocol.system.scale import Scale


class NamedTensor(Protocol):
    """An input or output: integers in [lo, hi] that stand for scale * integer."""

    @property
    def name(self) -> str:
        """Its name in the statement."""

    @property
    def shape(self) -> Shape:
        """Of one sample."""

    @property
    def lo(self) -> int:
        """The least integer."""

    @property
    def hi(self) -> int:
        """The largest integer."""

    @property
    def scale(self) -> Scale:
        """What an integer stands for."""
