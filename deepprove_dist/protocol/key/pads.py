"""The pads of a hiding proof: how many scalars it sends padded, and the tensor that holds their pads."""

from __future__ import annotations

from deepprove_dist.canonical import replace
from deepprove_dist.field import EXTENSION_DEGREE
from deepprove_dist.protocol.key.account import protocol_shape
from deepprove_dist.protocol.parameters import FINALS
from deepprove_dist.protocol.system.system import Matrix, System, Tensor


def count_pads(system: System) -> int:
    """The scalars that a proof sends padded, for a fixed number of samples."""
    products = protocol_shape(system).products
    return products.padded if products.rows else 0


def with_pads(system: System, pads: int) -> System:
    """The system with the tensor of pads as its last; the same where there are none."""
    if pads == 0:
        return system
    tensor = Tensor("pads", (pads + FINALS, EXTENSION_DEGREE), Matrix.WITNESS)
    return replace(system, tensors=(*system.tensors, tensor))
