"""The integer model's file: canonical msgpack, so that bytes and model determine each other.

Keys come in a fixed order, constants and attributes sorted by name. Arrays are little-endian bytes of the
narrowest signed type that holds them. Reading takes exactly what writing makes (checked by writing again) and
validates the model: a file is untrusted. Nothing is ever unpickled.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from deepprove_dist.arrays import Shape
from deepprove_dist.canonical import File, Record, decode_file, encode
from deepprove_dist.errors import FormatError
from deepprove_dist.kernels import LinearPieces
from deepprove_dist.model.constants import StoredConstant
from deepprove_dist.model.format import FORMAT, VERSION, digest_bytes
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.validate import analyse
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Table

StoredScale = float | tuple[tuple[int, ...], tuple[float, ...]]
"""One number, or shape and numbers."""


class StoredTensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An input or output in a file."""

    name: str
    shape: tuple[int, ...]
    lo: int
    hi: int
    scale: StoredScale

    @classmethod
    def of(cls, tensor: ModelTensor) -> StoredTensor:
        """A tensor as a file holds it."""
        return cls(tensor.name, tensor.shape, tensor.lo, tensor.hi, _store_scale(tensor.scale))

    def tensor(self) -> ModelTensor:
        """The tensor. Raises FormatError for a scale that is not of its shape."""
        scale = _read_scale(self.scale, self.shape, self.name)
        return ModelTensor(self.name, self.shape, self.lo, self.hi, scale)


class StoredTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table in a file; its pieces as bytes."""

    first: int
    pieces: LinearPieces


class StoredNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node in a file."""

    operator: str
    name: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, int | tuple[int, ...] | StoredTable]

    @classmethod
    def of(cls, node: Node) -> StoredNode:
        """A node as a file holds it."""
        attributes = {key: _store_attribute(node.attributes[key]) for key in sorted(node.attributes)}
        return cls(node.operator, node.name, node.inputs, node.output, attributes)

    def node(self) -> Node:
        """The node. Raises ModelError for a table that is none."""
        attributes = {key: _read_attribute(value) for key, value in self.attributes.items()}
        return Node(self.operator, self.name, self.inputs, self.output, attributes)


class StoredFormat(Record, frozen=True):
    """The format of a tensor in a file."""

    name: str
    scale: StoredScale
    lo: int
    hi: int


class ModelFile(File, frozen=True):
    """A whole file."""

    inputs: tuple[StoredTensor, ...]
    outputs: tuple[StoredTensor, ...]
    constants: tuple[StoredConstant, ...]
    nodes: tuple[StoredNode, ...]
    formats: tuple[StoredFormat, ...]


def dump(model: IntegerModel) -> bytes:
    """The model's file; equal models give equal bytes."""
    constants = (StoredConstant.of(name, model.constants[name]) for name in sorted(model.constants))
    return encode(_file(model, tuple(constants)))


def load(data: bytes) -> IntegerModel:
    """The model of a file that ``dump`` wrote, validated. Raises InputError for any other bytes."""
    file = decode_file(data, ModelFile, FORMAT, VERSION)
    model = IntegerModel(
        tuple(stored.tensor() for stored in file.inputs),
        tuple(stored.tensor() for stored in file.outputs),
        {stored.name: stored.array() for stored in file.constants},
        tuple(stored.node() for stored in file.nodes),
    )
    shapes = analyse(model).shapes
    formats = {}
    for stored in file.formats:
        if stored.name not in shapes:
            raise FormatError(f"'{stored.name}' has a format, but nothing computes it")
        scale = _read_scale(stored.scale, shapes[stored.name], stored.name)
        formats[stored.name] = Format(scale, stored.lo, stored.hi)
    model = replace(model, formats=formats)
    # Names that are listed twice or in another order, and wider types than needed, have the same content.
    names = [stored.name for stored in file.constants]
    narrow = names == sorted(model.constants) and all(stored.is_narrowest for stored in file.constants)
    # The constants' bytes are what the model was made of: they are not written again.
    if not narrow or encode(_file(model, ())) != encode(msgspec.structs.replace(file, constants=())):
        raise FormatError("the file is not in canonical form")
    return model


def digest(model: IntegerModel) -> bytes:
    """BLAKE2b of the model's file, 32 bytes."""
    return digest_bytes(dump(model))


def _file(model: IntegerModel, constants: tuple[StoredConstant, ...]) -> ModelFile:
    return ModelFile(
        FORMAT,
        VERSION,
        tuple(map(StoredTensor.of, model.inputs)),
        tuple(map(StoredTensor.of, model.outputs)),
        constants,
        tuple(map(StoredNode.of, model.nodes)),
        tuple(_store_format(name, model.formats[name]) for name in sorted(model.formats)),
    )


def _store_format(name: str, format: Format) -> StoredFormat:
    return StoredFormat(name, _store_scale(format.scale), format.lo, format.hi)


def _store_scale(scale: Scale) -> StoredScale:
    return scale.number if scale.is_single else (scale.shape, scale.values)


def _read_scale(stored: StoredScale, shape: Shape, name: str) -> Scale:
    scale = Scale(*stored) if isinstance(stored, tuple) else Scale.of(stored)
    scale.require(shape, name)
    return scale


def _store_attribute(value: Attribute) -> int | tuple[int, ...] | StoredTable:
    if isinstance(value, Table):
        return StoredTable(value.first, value.pieces)
    return value


def _read_attribute(value: int | tuple[int, ...] | StoredTable) -> Attribute:
    if isinstance(value, StoredTable):
        return Table(value.first, value.pieces)
    return value
