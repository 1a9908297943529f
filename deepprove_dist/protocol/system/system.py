"""The lowered model: tensors, public tensors, tables, and the relations between them.

This is all that a verifier knows of a model. Three kinds of relation hold between committed tensors:

- contraction:  an affine expression = a sum of products of two factors over contracted axes;
- linear:       the same without products;
- lookup:       rows of affine expressions stand in a table.

Axes are numbered. An expression has axes 0, 1, ..., each with a size. A term says for each axis of its tensor
what that axis follows: one axis of the expression, or some of them by an index map. It may cover parts of
further axes, and is 0 outside of these. It is constant along the others. The size `BATCH` stands for the
number of samples of a proof; `System.for_batch` puts it in.

The types are also the schema of the key's file: a record is a list of its fields, in their order.
"""

from __future__ import annotations

from enum import Enum
from functools import cached_property
from math import prod

from deepprove_dist.arrays import Shape
from deepprove_dist.canonical import FrozenStruct, Record, replace
from deepprove_dist.kernels import Expression, TensorShapes
from deepprove_dist.protocol.system.index_map import Axis, IndexMap, followed, is_plain
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Interval, Table

BATCH = 0
"""Size of the axis of samples, until a proof fixes it."""


FACTORS = 2
"""Of every product; also the degree of its sumcheck, one less than with shared axes."""


class Matrix(Enum):
    """The kinds of committed matrices, in the order of addresses and trees.

    An anchor has weights of an older epoch, in certificates alone. Each hidden input or output is a matrix of
    its own, of the kind HIDDEN. The statement has its commitment.
    """

    ANCHOR = "anchor"
    WEIGHTS = "weights"
    HIDDEN = "hidden"
    WITNESS = "witness"


class Tensor(Record, frozen=True):
    """A committed tensor: its axes and the matrix that holds it.

    `name` is for messages, and tells public weights which constant of the model they are.
    """

    name: str
    shape: Shape
    matrix: Matrix


class PublicTensor(Record, frozen=True):
    """A tensor of the statement: integers in [lo, hi], in row-major order, that stand for scale * integer.

    `shape` is that of one sample, as in the ONNX model; `tensor` the committed tensor with the same elements.
    Where that is of the kind HIDDEN, the statement has its commitment in the place of integers.
    """

    name: str
    tensor: int
    shape: Shape
    lo: int
    hi: int
    scale: Scale


class Term(Record, frozen=True):
    """coefficient * tensor, whose axis k follows `axes[k]`.

    Where there are more of `axes`, it is as if the tensor had more axes, of size 1. These maps are covers.
    """

    coefficient: int
    tensor: int
    axes: tuple[Axis, ...]

    def sizes(self, shape: Shape) -> Shape:
        """The size of what each of its axes leads to, for a tensor of this shape."""
        return (*shape, *(1 for _ in self.axes[len(shape) :]))

    def beside(self, shape: Shape) -> tuple[IndexMap, ...]:
        """The maps beside its tensor's axes, for a tensor of this shape."""
        return tuple(axis for axis in self.axes[len(shape) :] if isinstance(axis, IndexMap))

    @property
    def follows(self) -> tuple[int, ...]:
        """All axes of the expression that it follows, in the order of the tensor's axes."""
        return tuple(k for axis in self.axes for k in followed(axis))

    def slices(self, space: Shape) -> tuple[slice, ...] | None:
        """The indices of all positions of a space, axis by axis, where axis k follows axis k; else None."""
        if self.follows != tuple(range(len(space))) or len(self.axes) != len(space):
            return None
        slices = [
            slice(None) if isinstance(axis, int) else axis.strided(size)
            for axis, size in zip(self.axes, space, strict=True)
        ]
        return tuple(part for part in slices if part is not None) if None not in slices else None

    def is_plain(self, space: Shape, shape: Shape) -> bool:
        """Whether each axis of its tensor, of this shape, has every index once, in order."""
        pairs = zip(self.axes, self.sizes(shape), strict=True)
        return all(is_plain(axis, space, size) for axis, size in pairs)


class Constant(Record, frozen=True):
    """A value at the positions that all maps of `within` cover: everywhere, if there are none.

    It is a term of a tensor with the one element `value`: each map is `IndexMap.covering` of something.
    """

    value: int
    within: tuple[IndexMap, ...] = ()


class Affine(Record, frozen=True, dict=True):
    """Terms plus constants over an index space of the given axes."""

    space: Shape
    terms: tuple[Term, ...]
    constants: tuple[Constant, ...]

    @cached_property
    def bits(self) -> int:
        """Coordinates of its index space."""
        return space_bits(self.space)

    @cached_property
    def kernel(self) -> Expression:
        """The same for the kernels. Raises ValueError where indices are those of a public input."""
        return Expression(self)

    @cached_property
    def slices(self) -> tuple[tuple[slice, ...] | None, ...]:
        """For each term the part of its tensor, a slice an axis, that has the values of all positions.

        None of a term that is no such part. Whether the tensor is large enough is not known here.
        """
        return tuple(term.slices(self.space) for term in self.terms)

    @cached_property
    def stored(self) -> int | None:
        """The tensor that this expression is, axis by axis; None for any other expression."""
        if self.constants or len(self.terms) != 1:
            return None
        (term,) = self.terms
        return term.tensor if term.coefficient == 1 and term.axes == tuple(range(len(self.space))) else None

    def in_order(self, system: System) -> int | None:
        """The tensor whose elements, in row-major order, are those of this expression; None if there is
        none. Its axes may be joined here.
        """
        if self.constants or len(self.terms) != 1 or self.stored is not None:
            return self.stored
        (term,) = self.terms
        same = term.coefficient == 1 and term.follows == tuple(range(len(self.space)))
        plain = same and term.is_plain(self.space, system.tensors[term.tensor].shape)
        return term.tensor if plain else None


class Factor(Record, frozen=True):
    """An expression in a product. Its axis k is axis `axes[k]` of the product.

    A product's axes are the output axes, then the contracted axes, then its axes of taps.
    """

    value: Affine
    axes: tuple[int, ...]


class Taps(Record, frozen=True):
    """An axis of taps in a product.

    `map` follows output axes. Position h of these and tap i meet one index of the contracted axis
    `contracted`, where that is inside.
    """

    contracted: int
    map: IndexMap


class Product(Record, frozen=True):
    """coefficient * the sum over contracted axes and taps of left * right.

    An output axis is in one factor, in both (shared), or followed by the map of an axis of taps. Taps are in
    one factor, and the contracted axis that they meet is in the other. Output axes are bound first, and that
    axis is bound to taps. Then a factor has the shared, then the contracted axes, in this order.
    """

    coefficient: int
    contracted: Shape
    taps: tuple[Taps, ...]
    left: Factor
    right: Factor

    @property
    def summed(self) -> Shape:
        """What the sum is over, once output axes are bound: taps stand for the contracted axis they meet."""
        counts = {taps.contracted: taps.map.taps for taps in self.taps}
        return tuple(counts.get(axis, size) for axis, size in enumerate(self.contracted))

    def shared(self, outputs: int) -> tuple[int, ...]:
        """The output axes that are in both factors."""
        both = set(self.left.axes) & set(self.right.axes)
        return tuple(sorted(axis for axis in both if axis < outputs))


class SumcheckSpace(FrozenStruct, frozen=True):
    """What the sumcheck of a product runs over, once its other output axes are bound.

    Attributes:
        shared: the output axes that are in both factors.
        sizes: of shared axes, then of contracted axes or their taps.
        variables: of the sumcheck.
        degree: factors of the sumcheck. With shared axes, eq is a third, which both sides compute.
    """

    shared: tuple[int, ...]
    sizes: Shape
    variables: int
    degree: int

    @classmethod
    def of(cls, product: Product, outputs: Shape) -> SumcheckSpace:
        """Of a product over output axes of these sizes."""
        shared = product.shared(len(outputs))
        sizes = (*(outputs[axis] for axis in shared), *product.summed)
        return cls(shared, sizes, space_bits(sizes), FACTORS + bool(shared))


class Relation(Record, frozen=True, dict=True):
    """`affine` = sum of `products`: a contraction, or, without products, a linear relation.

    Let the weights' terms be moved to the other side. Then `low` and `high` bound what the witness's terms
    have to equal, over the integers. The key's maker derives them from the weights.
    """

    name: str
    affine: Affine
    products: tuple[Product, ...]
    low: int
    high: int

    @cached_property
    def sumchecks(self) -> tuple[SumcheckSpace, ...]:
        """Of its products, in their order."""
        return tuple(SumcheckSpace.of(product, self.affine.space) for product in self.products)


class LookupTable(Record, frozen=True):
    """A public table: the rows (q) for all q in [first, first + size), or (q, T(q)) with a function T.

    `multiplicity` is the committed tensor that counts how often each row is looked up.
    """

    first: int
    size: int
    function: Table | None
    multiplicity: int

    @property
    def width(self) -> int:
        """Columns of a row."""
        return 1 if self.function is None else 2

    @property
    def intervals(self) -> list[Interval]:
        """The least and greatest value of each column."""
        arguments = (self.first, self.first + self.size - 1)
        return [arguments] if self.function is None else [arguments, self.function.interval()]


class Lookup(Record, frozen=True):
    """The rows of `columns`, expressions over one index space, stand in table number `table`."""

    table: int
    columns: tuple[Affine, ...]

    @property
    def stored(self) -> tuple[int, ...] | None:
        """The columns' tensors, where all of them are stored."""
        tensors = tuple(column.stored for column in self.columns)
        return tuple(t for t in tensors if t is not None) if None not in tensors else None


class ArgMax(Record, frozen=True):
    """A public output that has, for each row of scores, the index of the largest: see `arg_max`.

    Attributes:
        output: its number among the outputs.
        scores: the tensor (BATCH, *rows, n) whose rows are compared.
        largest: the largest of each row, a tensor (BATCH, *rows).
        margin: how far below that each score is, a tensor like the scores.
        order, selection: the numbers of the relations that say so.
    """

    output: int
    scores: int
    largest: int
    margin: int
    order: int
    selection: int


class System(Record, frozen=True, dict=True):
    """A lowered model; tensors are referred to by their index."""

    tensors: tuple[Tensor, ...]
    inputs: tuple[PublicTensor, ...]
    outputs: tuple[PublicTensor, ...]
    tables: tuple[LookupTable, ...]
    relations: tuple[Relation, ...]
    lookups: tuple[Lookup, ...]
    arg_maxima: tuple[ArgMax, ...] = ()

    @cached_property
    def shapes(self) -> TensorShapes:
        """The shapes of all tensors, for the kernels and a fixed number of samples."""
        return TensorShapes([tensor.shape for tensor in self.tensors])

    @property
    def public(self) -> tuple[PublicTensor, ...]:
        """Inputs, then outputs."""
        return self.inputs + self.outputs

    def is_hidden(self, public: PublicTensor) -> bool:
        """Whether the statement has a commitment in the place of this tensor's integers."""
        return self.tensors[public.tensor].matrix is Matrix.HIDDEN

    @property
    def hidden(self) -> tuple[PublicTensor, ...]:
        """The public tensors whose integers are hidden, in the order of their matrices."""
        return tuple(filter(self.is_hidden, self.public))

    @property
    def hidden_values(self) -> tuple[int, ...]:
        """The number of integers of each of these, for a fixed number of samples."""
        return tuple(prod(self.tensors[public.tensor].shape) for public in self.hidden)

    def values(self, matrix: Matrix) -> int:
        """Committed values in a matrix, for a fixed number of samples."""
        return sum(prod(tensor.shape) for tensor in self.tensors if tensor.matrix is matrix)

    def for_batch(self, batch: int) -> System:
        """The system of a proof for `batch` samples."""

        def affine(value: Affine) -> Affine:
            return replace(value, space=with_batch(value.space, batch))

        def product(value: Product) -> Product:
            left, right = (replace(f, value=affine(f.value)) for f in (value.left, value.right))
            return replace(value, left=left, right=right)

        return replace(
            self,
            tensors=tuple(replace(t, shape=with_batch(t.shape, batch)) for t in self.tensors),
            relations=tuple(
                replace(r, affine=affine(r.affine), products=tuple(map(product, r.products)))
                for r in self.relations
            ),
            lookups=tuple(replace(k, columns=tuple(map(affine, k.columns))) for k in self.lookups),
        )


def with_batch(shape: Shape, batch: int) -> Shape:
    """The shape with the number of samples put in."""
    return tuple(batch if size == BATCH else size for size in shape)


def axis_bits(size: int) -> int:
    """Coordinates that an axis of `size` positions takes: ceil(log2 size)."""
    return (size - 1).bit_length()


def space_bits(shape: Shape) -> int:
    """Coordinates of a whole index space."""
    return sum(axis_bits(size) for size in shape)
