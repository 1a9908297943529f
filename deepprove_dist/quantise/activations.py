"""Activation functions, as functions of real arrays and as tables of integers."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from deepprove_dist.protocol.table import Interval, Table
from deepprove_dist.quantise.format import Format

RealArray = npt.NDArray[np.floating[Any]]

IDENTITY = "identity"

ACTIVATIONS: Mapping[str, Callable[[RealArray], RealArray]] = MappingProxyType(
    {IDENTITY: lambda x: x, "relu": lambda x: np.maximum(x, 0.0)}
)

NON_NEGATIVE = frozenset({"relu"})
"""Activations with no negative value: their tensors gain a bit by starting at 0."""


def activation_table(kind: str, domain: Interval, scale: float, target: Format) -> Table:
    """T(q) = clamp(round(f(scale * q) / target.scale)) on the integers q of ``domain``, ends included."""
    first, last = domain
    real = ACTIVATIONS[kind](np.arange(first, last + 1) * scale)
    values = np.clip(np.rint(real / target.scale), target.lo, target.hi)
    return Table.from_values(first, values.astype(np.int64))
