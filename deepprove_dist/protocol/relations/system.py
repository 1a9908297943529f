"""The lowered model: tensors, public tensors, tables, and the relations between them.

This is all that a verifier knows of a model. Four kinds of relation hold between committed tensors:

- contraction:  sum of terms + constant = sum of products of two factors over contracted axes;
- linear:       the same without products;
- lookup:       rows of columns stand in a table;
- (product: a polynomial that vanishes; none of today's operators lowers to it.)

Axes are numbered. A relation has output axes 0, 1, ..., each with a size; a term says for each axis of its
tensor which output axis that is, and is constant along the others. The size `BATCH` stands for the number of
samples of a proof; `System.for_batch` puts it in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from math import prod

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
    scale: float


@dataclass(frozen=True)
class Term:
    """coefficient * tensor, whose axis k is output axis `axes[k]`."""

    coefficient: int
    tensor: int
    axes: tuple[int, ...]


@dataclass(frozen=True)
class Affine:
    """Terms plus a constant over an index space of the given axes."""

    space: Shape
    terms: tuple[Term, ...]
    constant: int


@dataclass(frozen=True)
class Factor:
    """A tensor in a product; its axis k is output axis `axes[k]`, or contracted axis axes[k] - |space|."""

    tensor: int
    axes: tuple[int, ...]


@dataclass(frozen=True)
class Product:
    """sum over the contracted axes of left * right. Contracted axes stand in the same order in both factors,
    and each output axis in exactly one.
    """

    contracted: Shape
    left: Factor
    right: Factor


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
    """The rows of `columns`, tensors of one shape, stand in table number `table`."""

    table: int
    columns: tuple[int, ...]


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
        tensors = tuple(replace(t, shape=with_batch(t.shape, batch)) for t in self.tensors)
        relations = tuple(
            replace(r, affine=replace(r.affine, space=with_batch(r.affine.space, batch)))
            for r in self.relations
        )
        return replace(self, tensors=tensors, relations=relations)


def with_batch(shape: Shape, batch: int) -> Shape:
    """The shape with the number of samples put in."""
    return tuple(batch if size == BATCH else size for size in shape)


def axis_bits(size: int) -> int:
    """Coordinates that an axis of `size` places takes: ceil(log2 size)."""
    return (size - 1).bit_length()


def space_bits(shape: Shape) -> int:
    """Coordinates of a whole index space."""
    return sum(axis_bits(size) for size in shape)
