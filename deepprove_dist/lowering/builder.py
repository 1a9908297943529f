"""Gathers tensors, tables, relations and lookups while operators lower themselves, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deepprove_dist.lowering.expression import Expression, added, scaled, stored
from deepprove_dist.protocol.names import as_name
from deepprove_dist.protocol.relations.system import (
    BATCH,
    Affine,
    Lookup,
    LookupTable,
    Matrix,
    PublicTensor,
    Relation,
    Shape,
    System,
    Tensor,
    Term,
)
from deepprove_dist.protocol.table import Table


@dataclass(frozen=True)
class Source:
    """Where a witness tensor's values come from: a value of the inference, or a further column of a node."""

    value: str
    column: str | None = None


@dataclass(frozen=True)
class Lowered:
    """A system; for its witness tensors their sources (multiplicities have none), for its weights the names
    of the model's constants.
    """

    system: System
    sources: Mapping[int, Source]
    constants: Mapping[int, str]


class Builder:
    """What operators lower themselves with."""

    def __init__(self) -> None:
        self._tensors: list[Tensor] = []
        self._sources: dict[int, Source] = {}
        self._constants: dict[int, str] = {}
        self._weights: dict[tuple[str, Shape], int] = {}
        self._tables: dict[tuple[int, int, Table | None], int] = {}
        self._multiplicities: list[int] = []
        self._relations: list[Relation] = []
        self._lookups: list[Lookup] = []

    def weight(self, name: str, axes: Shape) -> Affine:
        """The weight tensor of a constant, stored with these axes; the same one for the same question."""
        key = (name, axes)
        if key not in self._weights:
            self._weights[key] = self._tensor(Tensor(as_name(name), axes, Matrix.WEIGHTS))
            self._constants[self._weights[key]] = name
        return Affine(axes, (Term(1, self._weights[key], tuple(range(len(axes)))),), ())

    def witness(self, name: str, like: Expression, source: Source) -> Expression:
        """A new witness tensor over the index space of another value."""
        tensor = self._tensor(Tensor(as_name(name), like.space, Matrix.WITNESS))
        self._sources[tensor] = source
        return stored(tensor, like.shape, like.axes)

    def look_up(self, first: int, size: int, function: Table | None, *columns: Affine) -> None:
        """The rows of `columns` stand in a table: (q), or (q, T(q)) with a function."""
        key = (first, size, function)
        if key not in self._tables:
            self._tables[key] = len(self._tables)
            multiplicity = Tensor(f"multiplicities {len(self._tables) - 1}", (size,), Matrix.WITNESS)
            self._multiplicities.append(self._tensor(multiplicity))
        self._lookups.append(Lookup(self._tables[key], columns))

    def require_equal(self, name: str, affine: Affine, value: Expression) -> None:
        """affine = value, at every place of their index space."""
        difference = added(affine, scaled(value.value, -1))
        self._relations.append(Relation(as_name(name), difference, value.products, *value.hidden))

    def store(self, name: str, value: Expression, source: Source) -> Expression:
        """The value itself, if it is stored, or a new tensor equal to it."""
        if value.stored is not None:
            return value
        tensor = self.witness(name, value, source)
        self.require_equal(name, tensor.value, value)
        return tensor

    def finish(self, inputs: tuple[PublicTensor, ...], outputs: tuple[PublicTensor, ...]) -> Lowered:
        """The system of everything so far."""
        tables = tuple(
            LookupTable(first, size, function, multiplicity)
            for (first, size, function), multiplicity in zip(self._tables, self._multiplicities, strict=True)
        )
        system = System(
            tuple(self._tensors), inputs, outputs, tables, tuple(self._relations), tuple(self._lookups)
        )
        return Lowered(system, self._sources, self._constants)

    def _tensor(self, tensor: Tensor) -> int:
        assert BATCH not in tensor.shape[1:], "samples are the first axis"
        self._tensors.append(tensor)
        return len(self._tensors) - 1
