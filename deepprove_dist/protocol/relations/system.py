"""The lowered model: tensors, public tensors, tables, and the relations between them.

This is all that a verifier knows of a model. Three kinds of relation hold between committed tensors:

- contraction:  an affine expression = a sum of products of two factors over contracted axes;
- linear:       the same without products;
- lookup:       rows of affine expressions stand in a table.

Axes are numbered. An expression has axes 0, 1, ..., each with a size; a term says for each axis of its tensor
which axis of the expression it follows, and is constant along the others. It may follow several axes joined:
then a tensor is read under any axes that its own are cut into. It may follow through a window: then slices,
padding, concatenation and sums over windows are still linear in the tensor. The size `BATCH` stands for the
number of samples of a proof; `System.for_batch` puts it in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from math import prod

from deepprove_dist.protocol.scale import Scale
from deepprove_dist.protocol.table import Table

BATCH = 0
"""Size of the axis of samples, until a proof fixes it."""

Shape = tuple[int, ...]


class Matrix(Enum):
    """The two committed matrices."""

    WEIGHTS = "weights"
    WITNESS = "witness"


@dataclass(frozen=True)
class Tensor:
    """A committed tensor: its axes and the matrix that holds it.

    `name` is for messages, and tells public weights which constant of the model they are.
    """

    name: str
    shape: Shape
    matrix: Matrix


@dataclass(frozen=True)
class PublicTensor:
    """A tensor of the statement: integers in [lo, hi], in row-major order, that stand for scale * integer.

    `shape` is that of one sample, as in the ONNX model; `tensor` the committed tensor with the same elements.
    """

    name: str
    tensor: int
    shape: Shape
    lo: int
    hi: int
    scale: Scale


@dataclass(frozen=True)
class Joined:
    """Two or more axes of an expression taken as one, in row-major order: index i of sizes d is
    (i[0] d[1] + i[1]) d[2] + i[2], and so on.
    """

    axes: tuple[int, ...]


Followed = int | Joined
"""What an axis follows: an axis of an expression, or several joined."""


@dataclass(frozen=True)
class Window:
    """An axis of a tensor that follows an expression's axis place by place, in steps.

    Place h of the expression's axis, first <= h < end, has scale[h] times the sum over i < taps of the
    tensor's places stride * h + dilation * i + offset; places outside the tensor, and all other h, count as
    0. Without `scale` the factor is 1 everywhere.
    """

    axis: Followed
    taps: int
    stride: int
    dilation: int
    offset: int
    first: int
    end: int
    scale: tuple[int, ...] = ()


@dataclass(frozen=True)
class Term:
    """coefficient * tensor, whose axis k follows the expression's axis `axes[k]`."""

    coefficient: int
    tensor: int
    axes: tuple[Followed | Window, ...]

    @property
    def follows(self) -> tuple[int, ...]:
        """All axes of the expression that it follows, in the order of the tensor's axes."""
        return tuple(axis for own in self.axes for axis in parts(own))


@dataclass(frozen=True)
class Constant:
    """A value at the places that lie in all `ranges` (axis, first, end): everywhere, if there are none."""

    value: int
    ranges: tuple[tuple[Followed, int, int], ...] = ()


@dataclass(frozen=True)
class Affine:
    """Terms plus constants over an index space of the given axes."""

    space: Shape
    terms: tuple[Term, ...]
    constants: tuple[Constant, ...]

    @property
    def stored(self) -> int | None:
        """The tensor that this expression is, axis by axis; None for any other expression."""
        if self.constants or len(self.terms) != 1:
            return None
        (term,) = self.terms
        return term.tensor if term.coefficient == 1 and term.axes == tuple(range(len(self.space))) else None

    @property
    def in_order(self) -> int | None:
        """The tensor whose elements, in row-major order, are those of this expression; None if there is
        none. Its axes may be joined here.
        """
        if self.constants or len(self.terms) != 1:
            return None
        (term,) = self.terms
        windows = any(isinstance(axis, Window) for axis in term.axes)
        same = not windows and term.follows == tuple(range(len(self.space)))
        return term.tensor if term.coefficient == 1 and same else None


@dataclass(frozen=True)
class Factor:
    """An expression in a product. Its axis k is axis `axes[k]` of the product: output axes come first, then
    contracted axes, then windows.
    """

    value: Affine
    axes: tuple[int, ...]


@dataclass(frozen=True)
class Convolution:
    """A window axis of a product: output place h and window place i meet input place
    stride * h + dilation * i + offset of contracted axis `contracted`, where that is inside.
    """

    output: Followed
    contracted: int
    taps: int
    stride: int
    dilation: int
    offset: int


@dataclass(frozen=True)
class Product:
    """coefficient * the sum over contracted axes and windows of left * right.

    An output axis is in one factor, in both (shared), or that of a window. What is left of a factor when its
    output axes are bound and its windows spread has the shared, then the contracted axes, in this order.
    """

    coefficient: int
    contracted: Shape
    windows: tuple[Convolution, ...]
    left: Factor
    right: Factor

    def shared(self, outputs: int) -> tuple[int, ...]:
        """The output axes that are in both factors."""
        both = set(self.left.axes) & set(self.right.axes)
        return tuple(sorted(axis for axis in both if axis < outputs))


@dataclass(frozen=True)
class Relation:
    """`affine` = sum of `products`: a contraction, or, without products, a linear relation.

    With the weights' terms moved to the other side, `low` and `high` bound what the witness's terms have to
    equal, over the integers; the key's maker derives them from the weights.
    """

    name: str
    affine: Affine
    products: tuple[Product, ...]
    low: int
    high: int


@dataclass(frozen=True)
class LookupTable:
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


@dataclass(frozen=True)
class Lookup:
    """The rows of `columns`, expressions over one index space, stand in table number `table`."""

    table: int
    columns: tuple[Affine, ...]

    @property
    def stored(self) -> tuple[int, ...] | None:
        """The columns' tensors, where all of them are stored."""
        tensors = tuple(column.stored for column in self.columns)
        return tuple(t for t in tensors if t is not None) if None not in tensors else None


@dataclass(frozen=True)
class System:
    """A lowered model; tensors are referred to by their index."""

    tensors: tuple[Tensor, ...]
    inputs: tuple[PublicTensor, ...]
    outputs: tuple[PublicTensor, ...]
    tables: tuple[LookupTable, ...]
    relations: tuple[Relation, ...]
    lookups: tuple[Lookup, ...]

    @property
    def public(self) -> tuple[PublicTensor, ...]:
        """Inputs, then outputs."""
        return self.inputs + self.outputs

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


def parts(axis: Followed | Window) -> tuple[int, ...]:
    """The axes of the expression that an axis follows."""
    if isinstance(axis, int):
        return (axis,)
    own = axis.axis if isinstance(axis, Window) else axis
    return own.axes if isinstance(own, Joined) else (own,)


def size_along(space: Shape, axis: Followed | Window) -> int:
    """Places of an index space along all axes that an axis follows."""
    if isinstance(axis, int):
        return space[axis]
    return prod(space[own] for own in parts(axis))


def with_batch(shape: Shape, batch: int) -> Shape:
    """The shape with the number of samples put in."""
    return tuple(batch if size == BATCH else size for size in shape)


def axis_bits(size: int) -> int:
    """Coordinates that an axis of `size` places takes: ceil(log2 size)."""
    return (size - 1).bit_length()


def space_bits(shape: Shape) -> int:
    """Coordinates of a whole index space."""
    return sum(axis_bits(size) for size in shape)
