"""Requantisation: a right shift with rounding, then a table (clamp, activation).

    acc + 2^(s-1) = q * 2^s + r,  0 <= r < 2^s,  y = T(q)        (s = 0: q = acc, no remainder)

The remainder is committed in limbs, r = sum_l r_l * 2^(w_0 + ... + w_(l-1)) with 0 <= r_l < 2^(w_l) and
widths that sum to exactly s. T's domain covers every q and (size of T) * 2^s <= p, hence (q, r) is the only
solution modulo p.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy.typing as npt

from deepprove_dist.arrays import Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.field import MODULUS
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.protocol.relations.system import Constant
from deepprove_dist.protocol.table import IntArray, Interval, Table


class Requantise(IntegerOperator):
    """Attributes: ``shift`` s, ``table`` T, ``limbs`` the widths w_l. Columns: "q", "r0", "r1", ..."""

    name: ClassVar[str] = "requantise"
    inputs: ClassVar[Sequence[int]] = (1,)
    attributes: ClassVar[Mapping[str, type]] = {"shift": int, "table": Table, "limbs": tuple}

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """The input's shape."""
        shift, _, limbs = read(node.attributes)
        if any(width < 1 for width in limbs) or sum(limbs) != shift:
            raise ModelError(f"'{node.name}': limbs {limbs} do not sum to the shift {shift}")
        return shapes[0]

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """The table's values; its domain has to cover the quotients, and not wrap."""
        shift, table, _ = read(node.attributes)
        # Compared before shifting: an untrusted shift may be of any size.
        if shift >= MODULUS.bit_length() or table.size << shift > MODULUS:
            raise ModelError(
                f"'{node.name}': a table of {table.size} entries and a shift by {shift} wrap modulo p"
            )
        lo, hi = (quotient(bound, shift) for bound in intervals[0])
        if lo < table.first or hi >= table.first + table.size:
            raise ModelError(
                f"'{node.name}': quotients reach [{lo}, {hi}], outside the table's "
                f"[{table.first}, {table.first + table.size - 1}]"
            )
        return table.interval()

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Shift, mask and look up; the columns are the quotient and the limbs of the remainder."""
        shift, table, limbs = read(node.attributes)
        shifted: IntArray = inputs[0] + rounding(shift)
        columns = {"q": shifted >> shift}
        offset = 0
        for index, width in enumerate(limbs):
            columns[f"r{index}"] = (shifted >> offset) & ((1 << width) - 1)
            offset += width
        return Inference(table.apply(columns["q"]), columns)

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """The decomposition is one relation, each limb and the pair (q, y) a lookup."""
        shift, table, limbs = read(node.attributes)
        value = inputs[0]
        quotients = value
        if shift > 0 or value.products:
            quotients = builder.witness(f"{node.output}.q", value, Source(node.output, "q"))
            whole = scaled(quotients.value, 1 << shift)
            offset = 0
            for index, width in enumerate(limbs):
                limb = builder.witness(f"{node.output}.r{index}", value, Source(node.output, f"r{index}"))
                builder.look_up(0, 1 << width, None, limb.value)
                whole = added(whole, scaled(limb.value, 1 << offset))
                offset += width
            constants = (Constant(-rounding(shift)),) if shift else ()
            builder.require_equal(node.name, replace(whole, constants=constants), value)
        result = builder.witness(node.output, value, Source(node.output))
        builder.look_up(table.first, table.size, table, quotients.value, result.value)
        return result


def read(attributes: Mapping[str, Attribute]) -> tuple[int, Table, tuple[int, ...]]:
    """Shift, table and limb widths of a requantisation. Raises ModelError where they are of other types."""
    shift, table, limbs = (attributes.get(key) for key in ("shift", "table", "limbs"))
    if isinstance(shift, int) and isinstance(table, Table) and isinstance(limbs, tuple):
        return shift, table, limbs
    raise ModelError("a requantisation has a shift, a table and limbs")


def rounding(shift: int) -> int:
    """What is added before the shift: 2^(s-1), or 0 for s = 0."""
    return (1 << shift) >> 1


def quotient(accumulator: int, shift: int) -> int:
    """floor((acc + 2^(s-1)) / 2^s), the accumulator rounded to units of 2^s (halves up)."""
    return (accumulator + rounding(shift)) >> shift
