"""What must hold of hidden inputs and outputs: each has a matrix, and a range, of its own.

A verifier sees the commitment to a hidden tensor and none of its integers. That they are in [lo, hi] is what
lookups show: of an equal tensor of the witness, or of limbs. Every bound on what depends on them rests on it.
"""

from __future__ import annotations

from collections.abc import Mapping

from deepprove_dist.protocol.parameters import MAX_HIDDEN
from deepprove_dist.protocol.system.check_expressions import require
from deepprove_dist.protocol.system.system import Matrix, System
from deepprove_dist.protocol.system.table import Interval


def check_hidden(system: System) -> None:
    """Requires that each hidden tensor is that of one input or output, and is in linear relations alone.

    A product, a lookup or a table reads the witness only. Raises FormatError.
    """
    hidden = [index for index, tensor in enumerate(system.tensors) if tensor.matrix is Matrix.HIDDEN]
    require(len(hidden) <= MAX_HIDDEN, f"a system hides at most {MAX_HIDDEN} inputs and outputs")
    same = sorted(public.tensor for public in system.hidden) == hidden
    require(same, "each hidden tensor is that of one input or output")
    for relation in system.relations:
        affines = [factor.value for product in relation.products for factor in (product.left, product.right)]
        if relation.products:
            affines.append(relation.affine)
        tensors = {term.tensor for affine in affines for term in affine.terms}
        require(tensors.isdisjoint(hidden), f"relation '{relation.name}' multiplies, and has a hidden tensor")


def check_hidden_ranges(system: System, ranges: Mapping[int, Interval]) -> None:
    """Requires that all integers of hidden tensors are shown to be in their ranges. Raises FormatError."""
    for public in system.hidden:
        low, high = ranges.get(public.tensor, (public.lo - 1, public.hi + 1))
        within = public.lo <= low and high <= public.hi
        require(within, f"nothing shows that the hidden '{public.name}' is in its range")
