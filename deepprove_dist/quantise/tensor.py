"""A tensor of the integer model while it is planned."""

from dataclasses import dataclass

from deepprove_dist.operators.formats import Format


@dataclass(frozen=True)
class Tensor:
    """An integer tensor that holds the float tensor ``reference`` in the given format; "" where it holds
    none.
    """

    name: str
    reference: str
    format: Format
