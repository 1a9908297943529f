"""Normalisation by the root of the sum of squares over the last axis: exact in integers.

For a row c of N integers in [-m, m], cut into groups of one width, and constants k, E >= 1 and M:

    V_g = sum over group g of c^2,    v = E + sum_g floor(V_g / 2^k),
    b the integer nearest to sqrt(v),    y = floor((2 M c + b) / (2 b)).

A group's sum is below p. It is committed in limbs, the first of k bits, each of them a tensor for all rows
and groups. The last group may end with zeros. The root is b with v = b^2 + b - t and 0 <= t <= 2 b - 1. So
E >= 1 gives b >= 1. Where k > 0, E is at least the number of groups. Then v >= V / 2^k, and
|c| <= 2^(k/2) sqrt(v) < 2^(k/2) (b + 1/2). So y is in a range that follows from constants.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isqrt, prod, sqrt
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import ModelError, QuantisationError
from deepprove_dist.field import MODULUS
from deepprove_dist.lowering.builder import LIMB_BITS, Builder, Limb, Source
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.lowering.quotient import Remainder, remainders, require_quotient
from deepprove_dist.lowering.root import committed_root, nearest_root, nearest_roots
from deepprove_dist.lowering.rows import cut_rows, row_sums
from deepprove_dist.lowering.views import Reader
from deepprove_dist.operators.attributes import integer
from deepprove_dist.operators.float_operator import Need, Planner, Readers
from deepprove_dist.operators.formats import FINE, PUBLIC, Form, Format, Reference
from deepprove_dist.operators.integer_operator import Analysis, Constants, Inference, IntegerOperator
from deepprove_dist.operators.linear import require_requantised
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.node_operator import NodeOperator
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import Affine, Constant, Factor, Product
from deepprove_dist.protocol.system.table import Interval

ROOT, SQUARES, TOTAL = "b", "v", "total"

LARGEST_ROOT = 3 * 2**13 - 1
"""So that v and the root's square together are below p: rows may be much smaller than the largest one."""
MOST_BITS = 14
"""Of the input. So a group of squares has 7 entries at least."""
MOST_GROUPS = 128
LARGEST_QUOTIENT = 2**15 - 1
STEPS = 2**9
"""Of y, for the root of a row's mean square, where the range of y allows them."""
LARGEST_SUM = MODULUS - 2**26
"""Of a group: what its limbs may add up to is below p."""


@dataclass(frozen=True)
class NormaliseConstants:
    """The constants k, E and M, and the ends -limit and limit of y."""

    shift: int
    epsilon: int
    multiplier: int
    limit: int


@dataclass(frozen=True)
class FloatNormalise(NodeOperator):
    """factor * c / sqrt(sum c^2 + epsilon) over the last axis, of this ``size``.

    ``wide``: what reads it takes its exact quotients. ``arithmetic`` is how it is computed in integers, once
    that is planned.
    """

    size: int
    factor: float
    epsilon: float
    wide: bool = False
    arithmetic: NormaliseConstants | None = None

    @property
    def most_bits(self) -> int:
        """As many as make no more than MOST_GROUPS groups of squares."""
        room = (LARGEST_SUM * MOST_GROUPS // self.size).bit_length() - 1
        return min(MOST_BITS, room // 2)

    def unrounded(self) -> FloatNormalise:
        """With its exact quotients, which are wide."""
        return replace(self, wide=True)

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """By the definition; a row of zeros stays one."""
        squares = np.square(inputs[0]).sum(axis=-1, keepdims=True) + self.epsilon
        result: FloatArray = self.factor * inputs[0] / np.sqrt(np.where(squares > 0, squares, 1.0))
        return result

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """Its input in fine steps: rows may be much smaller than the largest one."""
        return [Need(self.input, FINE, Reference(self.input))]

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """The exact quotients, which hold an output in full width; for layers they are rescaled."""
        if form != PUBLIC:
            exact = planner.planned_output(self, PUBLIC, Reference(self.output))
            if self.wide and form == Form():
                return exact
            return planner.rescaled(self.name, exact, self.output, form, reference)
        source = planner.planned_by_axis(self.input, None, FINE)
        arithmetic, unit = self._choose(source.format)
        format = Format(Scale.of(unit), -arithmetic.limit, arithmetic.limit)
        planned = replace(self, arithmetic=arithmetic)
        return planner.computed(planned, [source], format, form, reference)

    def integer_node(self, sources: tuple[str, ...], output: str, intervals: Sequence[Interval]) -> Node:
        """A normalisation with its constants."""
        assert self.arithmetic is not None, "it is planned"
        attributes: dict[str, Attribute] = {
            "size": self.size,
            "shift": self.arithmetic.shift,
            "epsilon": self.arithmetic.epsilon,
            "multiplier": self.arithmetic.multiplier,
            "largest": max(map(abs, intervals[0])),
        }
        return Node(Normalise.name, self.name, sources, output, attributes)

    def _choose(self, source: Format) -> tuple[NormaliseConstants, float]:
        """The constants for a source, and the unit of y."""
        largest = max(-source.lo, source.hi)
        groups, width = _groups(self.size, largest)
        epsilon = self.epsilon / source.unit**2
        if groups > MOST_GROUPS or epsilon >= MODULUS / 2:
            raise QuantisationError(
                f"'{self.name}': it normalises {self.size} values, or has an epsilon that is too large"
            )
        shift = 0
        while (groups * width * largest**2 + epsilon) / 2**shift + groups + 1 > LARGEST_ROOT**2:
            shift += 1
        # What a shift takes off is a half for each group on average.
        whole = max(round(epsilon / 2**shift + (groups / 2 if shift else 0)), groups if shift else 1)
        least = 1.0 + 0.5 / max(1, isqrt(whole))
        reach = 2 ** (shift / 2) * least
        multiplier = max(
            1, int(min(sqrt(self.size) * STEPS / 2 ** (shift / 2), (LARGEST_QUOTIENT - 1) / reach / 2))
        )
        return (
            NormaliseConstants(shift, whole, multiplier, _limit(shift, whole, multiplier)),
            self.factor / 2 ** (shift / 2) / multiplier,
        )


def _limit(shift: int, epsilon: int, multiplier: int) -> int:
    """The largest |y|: |c| / b is below 2^(k/2) (1 + 1/(2 b)), and b is the root of E at least."""
    # In integers: ceil(M 2^(k/2)) from the root of M^2 2^k.
    reach = isqrt((multiplier**2 << shift) - 1) + 1
    return reach + -(-reach // (2 * nearest_root(epsilon))) + 1


class Normalise(IntegerOperator):
    """Attributes: ``size`` N, ``shift`` k, ``epsilon`` E, ``multiplier`` M, ``largest`` m.

    Columns: "v", the sums V_g; "total", v - E; "b", the root; "root_r" and "root_s", which are t and
    2 b - 1 - t; "r", "s".
    """

    name: ClassVar[str] = "normalise"
    inputs: ClassVar[Sequence[int]] = (1,)
    attributes: ClassVar[Mapping[str, type]] = {
        "size": int,
        "shift": int,
        "epsilon": int,
        "multiplier": int,
        "largest": int,
    }

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """The input's."""
        if not shapes[0] or shapes[0][-1] != integer(node, "size"):
            raise ModelError(f"'{node.name}': it normalises {integer(node, 'size')} entries of {shapes[0]}")
        return shapes[0]

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """What M c / b can be, as the module says."""
        size, shift, epsilon, multiplier = _constants(node)
        largest = integer(node, "largest")
        if not 1 <= largest < MODULUS or max(map(abs, intervals[0])) > largest:
            raise ModelError(f"'{node.name}': its input in {intervals[0]} is not within +-{largest}")
        groups, width = _groups(size, largest)
        fits = 0 <= shift <= LIMB_BITS and multiplier >= 1 and epsilon >= (groups if shift else 1)
        if node.inputs[0] in constants or not fits or groups > MOST_GROUPS:
            raise ModelError(f"'{node.name}': a normalisation of constants, or by constants that do not fit")
        total = groups * (width * largest**2 >> shift) + epsilon
        limit = _limit(shift, epsilon, multiplier)
        wraps = 2 * multiplier * largest + 2 * limit * LARGEST_ROOT + 4 * LARGEST_ROOT >= MODULUS
        if total > LARGEST_ROOT**2 or limit > LARGEST_QUOTIENT or wraps:
            raise ModelError(f"'{node.name}': a normalisation of {intervals[0]} that would wrap modulo p")
        return -limit, limit

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Sums of squares, their root, and quotients; the columns are all that is committed."""
        (c,), (size, shift, epsilon, multiplier) = inputs, _constants(node)
        _, width = _groups(size, integer(node, "largest"))
        squares = np.add.reduceat(np.square(c), range(0, size, width), axis=-1)
        total = (squares >> shift).sum(axis=-1)
        root, of_root = nearest_roots(total + epsilon)
        quotient, of_division = remainders(multiplier * c, root[..., None])
        sums = {SQUARES: squares, TOTAL: total}
        return Inference(quotient, {**sums, ROOT: root, **of_root, **of_division})

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """A contraction of each group with itself, a root for each row, and a division."""
        require_requantised(node, inputs[0])
        (*_, multiplier), shape = _constants(node), inputs[0].shape
        reader = Reader(node.name, analysis.intervals, builder)
        c = reader.summable(node.inputs[0], inputs[0], len(shape) - 1)
        total = _total(node, c, builder)
        name = f"{node.output}.{ROOT}"
        root = committed_root(node.name, name, Source(node.output, ROOT), total, LARGEST_ROOT, builder)
        low, high = analysis.intervals[node.output]
        result = builder.witness(node.output, Expression(shape, c, (), (0, 0)), Source(node.output))
        builder.look_up(low, high - low + 1, None, result.value)
        left_over = Remainder(node.name, node.output, 2 * LARGEST_ROOT - 1, prod(shape))
        divisor = Factor(root, tuple(range(len(root.space))))
        require_quotient(scaled(c, 2 * multiplier), result.value, divisor, left_over, builder)
        return result


def _total(node: Node, c: Affine, builder: Builder) -> Affine:
    """The sum of all groups, shifted, and E, for each row."""
    size, shift, epsilon, _ = _constants(node)
    largest = integer(node, "largest")
    groups, width = _groups(size, largest)
    parts = c if groups == 1 else cut_rows(c, groups, width)
    part = Factor(parts, tuple(range(len(parts.space))))
    space = parts.space[:-1]
    like = Expression(space[1:], Affine(space, (), ()), (), (0, 0))
    whole = shifted = Affine(space, (), ())
    for limb in _limbs(shift, width * largest**2):
        name = f"{node.output}.{SQUARES}.{limb.offset}"
        value = builder.witness(name, like, Source(node.output, SQUARES, limb)).value
        builder.look_up(0, min(1 << limb.bits, (width * largest**2 >> limb.offset) + 1), None, value)
        whole = added(whole, scaled(value, 1 << limb.offset))
        if limb.offset >= shift:
            shifted = added(shifted, scaled(value, 1 << limb.offset - shift))
    squares = (Product(1, (width,), (), part, part),)
    builder.require_equal(node.name, whole, replace(like, products=squares))
    if groups > 1:
        shifted = row_sums(f"{node.output}.{TOTAL}", shifted, Source(node.output, TOTAL), builder)
    return added(shifted, Affine(shifted.space, (), (Constant(epsilon),)))


def _constants(node: Node) -> tuple[int, int, int, int]:
    """N, k, E and M."""
    size, shift, epsilon, multiplier = (
        integer(node, key) for key in ("size", "shift", "epsilon", "multiplier")
    )
    return size, shift, epsilon, multiplier


def _groups(size: int, largest: int) -> tuple[int, int]:
    """How many groups there are, and how many entries each has: sums of their squares are below p."""
    most = max(1, LARGEST_SUM // max(1, largest**2))
    width = -(-size // -(-size // most))
    return -(-size // width), width


def _limbs(shift: int, largest: int) -> Iterator[Limb]:
    """The bits that a shift takes off, if any, then limbs of the others, of one width.

    The last one is not narrower: what all limbs may add up to is then close to the largest value.
    """
    if shift:
        yield Limb(0, 0, shift)
    bits = max(1, largest.bit_length() - shift)
    width = -(-bits // -(-bits // (LIMB_BITS + 1)))
    for offset in range(shift, shift + bits, width):
        yield Limb(0, offset, width)
