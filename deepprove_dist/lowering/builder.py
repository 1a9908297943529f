"""Gathers tensors, tables, relations and lookups while operators lower themselves, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from deepprove_dist import canonical
from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.errors import ModelError
from deepprove_dist.lowering.axes import coarser_axes, cuts
from deepprove_dist.lowering.derived_ranges import with_derived_ranges
from deepprove_dist.lowering.expression import Expression, added, moved, scaled, stored
from deepprove_dist.lowering.public_rows import PublicRows
from deepprove_dist.narrow_integers import Integers, narrow_if_large
from deepprove_dist.protocol.system.arg_max import order_relation, selection_relation
from deepprove_dist.protocol.system.bounds import widened
from deepprove_dist.protocol.system.names import as_name
from deepprove_dist.protocol.system.system import (
    BATCH,
    Affine,
    ArgMax,
    Constant,
    Lookup,
    LookupTable,
    Matrix,
    PublicTensor,
    Relation,
    System,
    Tensor,
    Term,
)
from deepprove_dist.protocol.system.table import Interval, Table

LIMB_BITS = 12


@dataclass(frozen=True)
class Limb:
    """Of a value minus `low`, or with the sign -1 of `low` minus it, the `bits` bits from bit `offset` on."""

    low: int
    offset: int
    bits: int
    sign: int = 1


@dataclass(frozen=True)
class Source:
    """Where a witness tensor's values come from: a value of the inference, or a further column of a node.

    They may be a limb of these, or a function of that limb.
    """

    value: str
    column: str | None = None
    limb: Limb | None = None
    function: Table | None = None

    def read(self, values: Mapping[str, Integers], columns: Mapping[tuple[str, str], Integers]) -> Integers:
        """The integers, from all those of an inference."""
        integers = values[self.value] if self.column is None else columns[self.value, self.column]
        if self.limb is None:
            return integers
        distance = self.limb.sign * (integers.astype(np.int64, copy=False) - self.limb.low)
        limb: IntArray = distance >> self.limb.offset & (1 << self.limb.bits) - 1
        return narrow_if_large(limb if self.function is None else self.function.apply(limb))


@dataclass(frozen=True)
class Origins:
    """The model's node that each tensor, relation and lookup of a system comes from; "" beside nodes."""

    tensors: tuple[str, ...]
    relations: tuple[str, ...]
    lookups: tuple[str, ...]


@dataclass(frozen=True)
class Lowered:
    """A system; for its witness tensors their sources (multiplicities have none), for its weights the names
    of the model's constants. ``origins`` say which node is the first that needs each part. No source is of a
    node that ``rows`` leave unread.
    """

    system: System
    sources: Mapping[int, Source]
    constants: Mapping[int, str]
    origins: Origins
    rows: PublicRows = field(default_factory=PublicRows)


MAX_PARTS = 1 << 16
"""Terms, constants and products, of a node's inputs or of all statements. A key has at most so many lists."""


NO_USES: Mapping[Table, int] = MappingProxyType({})


class Builder:
    """What operators lower themselves with.

    Raises ModelError where relations and lookups together have more parts than a key can hold.
    """

    def __init__(self, *, rounded: bool = False, uses: Mapping[Table, int] = NO_USES) -> None:
        """`rounded` widens the intervals of accumulators, so that limbs tell little of the weights.

        `uses`: of each table in the model, how many values are looked up in it, for one sample.
        """
        self.uses = uses
        self._rounded = rounded
        self._tensors: list[Tensor] = []
        self._sources: dict[int, Source] = {}
        self._constants: dict[int, str] = {}
        self._weights: dict[tuple[str, Shape], int] = {}
        self._tables: dict[tuple[int, int, Table | None], int] = {}
        self._multiplicities: list[int] = []
        self._relations: list[Relation] = []
        self._lookups: list[Lookup] = []
        self._origins = Origins((), (), ())
        self._parts = 0
        self._looked_up: dict[int, Interval] = {}
        self._arg_maxima: list[tuple[str, int, ArgMax]] = []

    def weight(self, name: str, axes: Shape) -> Affine:
        """The weight tensor of a constant, stored with these axes; the same one for the same question."""
        key = (name, axes)
        if key not in self._weights:
            self._weights[key] = self._tensor(Tensor(as_name(name), axes, Matrix.WEIGHTS))
            self._constants[self._weights[key]] = name
        return Affine(axes, (Term(1, self._weights[key], tuple(range(len(axes)))),), ())

    def witness(self, name: str, like: Expression, source: Source, axes: Shape | None = None) -> Expression:
        """A new witness tensor over the index space of another value, or with these axes."""
        axes = like.axes if axes is None else axes
        tensor = self._tensor(Tensor(as_name(name), (BATCH, *axes), Matrix.WITNESS))
        self._sources[tensor] = source
        return stored(tensor, like.shape, axes)

    def look_up(self, first: int, size: int, function: Table | None, *columns: Affine) -> None:
        """The rows of `columns` stand in a table: (q), or (q, T(q)) with a function."""
        key = (first, size, function)
        if key not in self._tables:
            self._tables[key] = len(self._tables)
            multiplicity = Tensor(f"multiplicities {len(self._tables) - 1}", (size,), Matrix.WITNESS)
            self._multiplicities.append(self._tensor(multiplicity))
        self._count(sum(len(column.terms) + len(column.constants) for column in columns))
        ends = (
            [(first, first + size - 1)]
            if function is None
            else [(first, first + size - 1), function.interval()]
        )
        for column, interval in zip(columns, ends, strict=True):
            if column.stored is not None:
                self._looked_up[column.stored] = interval
        self._lookups.append(Lookup(self._tables[key], columns))

    def require_equal(self, name: str, affine: Affine, value: Expression) -> None:
        """affine = value, at every index of their index space."""
        difference = added(affine, scaled(value.value, -1))
        self._count(len(difference.terms) + len(difference.constants) + len(value.products))
        self._relations.append(Relation(as_name(name), difference, value.products, *value.weight_bounds))

    def index_largest(
        self, name: str, scores: Expression, largest: Expression, margin: Expression, indices: Expression
    ) -> None:
        """The stored `indices` are those of the largest of each row of the stored scores; see `arg_max`.

        They have to be a public output. `largest` and `margin` are stored, and looked up in their ranges.
        """
        tensors = [value.stored for value in (scores, largest, margin, indices)]
        x, m, d, t = (tensor for tensor in tensors if tensor is not None)
        order, title = len(self._relations), as_name(name)
        self._relations.append(order_relation(title, scores.space, x, m, d))
        self._relations.append(selection_relation(title, scores.space, d))
        self._arg_maxima.append((name, t, ArgMax(0, x, m, d, order, order + 1)))

    def store(self, name: str, value: Expression, source: Source, axes: Shape | None = None) -> Expression:
        """The value itself, if it is stored with these axes, or a new tensor equal to it.

        `axes` are those that the value's are cuts of; without them, the value's.
        """
        axes = value.axes if axes is None else axes
        if value.stored is not None and axes == value.axes:
            return value
        tensor = self.witness(name, value, source, axes)
        self.require_equal(name, _over(value, tensor), value)
        return tensor

    def hide(
        self, name: str, value: Expression, source: Source, interval: Interval, *, computed: bool
    ) -> tuple[Expression, Interval]:
        """A hidden tensor equal to a stored value, and the interval in which its elements are shown to be.

        That is the given one. For an output, which is `computed`, it may be a wider one that tells less.

        Its axes are those of the value's shape, as far as the value's are cuts of them. So a tensor's
        commitment does not depend on what a model does with it.
        """
        assert value.stored is not None, "what is looked up is stored"
        axes = coarser_axes(value.axes, value.shape)
        tensor = self._tensor(Tensor(as_name(f"{name}.hidden"), (BATCH, *axes), Matrix.HIDDEN))
        self._sources[tensor] = source
        result = stored(tensor, value.shape, axes)
        over = _over(value, result)
        known = self._looked_up.get(value.stored)
        if known is None or known[0] < interval[0] or known[1] > interval[1]:
            if self._rounded and computed:
                interval = widened(*interval)
            self._require_within(name, value, over, source, interval)
        self.require_equal(f"{name}.hidden", over, value)
        return result, interval

    def _require_within(
        self, name: str, value: Expression, hidden: Affine, source: Source, interval: Interval
    ) -> None:
        """Each element of a stored value, and of the hidden tensor that is equal to it, is in an interval.

        A long interval takes limbs from both ends: top ones alone would leave values beyond one of them.
        """
        low, high = interval
        if high - low < 1 << LIMB_BITS:
            self.look_up(low, high - low + 1, None, value.value)
            return
        for end, sign, side in ((low, 1, "from"), (high, -1, "to")):
            total = Affine(value.space, (), (Constant(end),))
            for offset in range(0, (high - low).bit_length(), LIMB_BITS):
                size = min(1 << LIMB_BITS, (high - low >> offset) + 1)
                limb = replace(source, limb=Limb(end, offset, LIMB_BITS, sign))
                column = self.witness(f"{name}.{side}.{offset}", value, limb)
                self.look_up(0, size, None, column.value)
                total = added(total, scaled(column.value, sign << offset))
            self.require_equal(f"{name}.{side}", total, Expression(value.shape, hidden, (), (0, 0)))

    def store_in_limbs(
        self, name: str, value: Expression, source: Source, axes: Shape, interval: Interval
    ) -> Expression:
        """An accumulator of an interval [low, high] as low + sum_l 2^(12 l) limb_l. Each limb is looked up in
        its exact range: what is committed has a proven range.
        """
        low, high = widened(*interval) if self._rounded else interval
        total = Affine((BATCH, *axes), (), (Constant(low),))
        for offset in range(0, max(1, (high - low).bit_length()), LIMB_BITS):
            size = min(1 << LIMB_BITS, (high - low >> offset) + 1)
            limb = Limb(low, offset, LIMB_BITS)
            column = self.witness(f"{name}.{offset}", value, replace(source, limb=limb), axes)
            self.look_up(0, size, None, column.value)
            total = added(total, scaled(column.value, 1 << offset))
        result = Expression(value.shape, total, (), (0, 0))
        self.require_equal(name, _over(value, result), value)
        return result

    def shape_of(self, tensor: int) -> Shape:
        """The shape of a committed tensor."""
        return self._tensors[tensor].shape

    def finish(self, inputs: tuple[PublicTensor, ...], outputs: tuple[PublicTensor, ...]) -> Lowered:
        """The system of everything so far."""
        tables = tuple(
            LookupTable(first, size, function, multiplicity)
            for (first, size, function), multiplicity in zip(self._tables, self._multiplicities, strict=True)
        )
        system = System(
            tuple(self._tensors),
            inputs,
            outputs,
            tables,
            tuple(self._relations),
            tuple(self._lookups),
            tuple(self._public_indices(outputs)),
        )
        self.come_from("")
        return Lowered(with_derived_ranges(system), self._sources, self._constants, self._origins)

    def _public_indices(self, outputs: tuple[PublicTensor, ...]) -> Iterator[ArgMax]:
        numbers = {public.tensor: number for number, public in enumerate(outputs)}
        for name, tensor, item in self._arg_maxima:
            if tensor not in numbers:
                raise ModelError(f"'{name}': its indices are no public output; the scores can be one")
            yield canonical.replace(item, output=numbers[tensor])

    def come_from(self, node: str) -> None:
        """All parts since the last call come from a node."""
        known, counts = self._origins, (len(self._tensors), len(self._relations), len(self._lookups))
        parts = zip((known.tensors, known.relations, known.lookups), counts, strict=True)
        self._origins = Origins(*((*names, *[node] * (count - len(names))) for names, count in parts))

    def _count(self, parts: int) -> None:
        self._parts += parts
        if self._parts > MAX_PARTS:
            raise ModelError("the model's relations and lookups have more terms than a key can hold")

    def _tensor(self, tensor: Tensor) -> int:
        assert BATCH not in tensor.shape[1:], "samples are the first axis"
        self._tensors.append(tensor)
        return len(self._tensors) - 1


def _over(value: Expression, other: Expression) -> Affine:
    """Another value over the index space of one whose axes are cuts of its axes."""
    cut_axes = [(0,), *(tuple(1 + k for k in parts) for parts in cuts(other.axes, value.axes))]
    return moved(other.value, value.space, cut_axes)
