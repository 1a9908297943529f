"""The integer model's file: canonical msgpack, so that bytes and model determine each other.

Keys come in a fixed order, constants and attributes sorted by name. Arrays are little-endian bytes of the
narrowest signed type that holds them. Reading takes exactly what writing makes (checked by writing again) and
validates the model: a file is untrusted. Nothing is ever unpickled.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from deepprove_dist.arrays import Shape
from deepprove_dist.canonical import each, fields, integers, pack, record, require_canonical, typed, unpack
from deepprove_dist.errors import FormatError
from deepprove_dist.model.constants import FORMAT, VERSION, digest_bytes, read_constant, write_array
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.validate import analyse
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.protocol.scale import Scale
from deepprove_dist.protocol.table import Piece, Table


def dump(model: IntegerModel) -> bytes:
    """The model's file; equal models give equal bytes."""
    return pack(
        {
            "format": FORMAT,
            "version": VERSION,
            "inputs": [_write_public(tensor) for tensor in model.inputs],
            "outputs": [_write_public(tensor) for tensor in model.outputs],
            "constants": [[name, *write_array(model.constants[name])] for name in sorted(model.constants)],
            "nodes": [_write_node(node) for node in model.nodes],
            "formats": [_write_format(name, model.formats[name]) for name in sorted(model.formats)],
        }
    )


def load(data: bytes) -> IntegerModel:
    """The model of a file that ``dump`` wrote, validated. Raises InputError for any other bytes."""
    content = unpack(data, FORMAT, VERSION)
    lists = ("inputs", "outputs", "constants", "nodes", "formats")
    _, _, inputs, outputs, constants, nodes, formats = record(
        content, {"format": str, "version": int} | dict.fromkeys(lists, list)
    )
    model = IntegerModel(
        each(inputs, _read_public),
        each(outputs, _read_public),
        dict(each(constants, read_constant)),
        each(nodes, _read_node),
    )
    shapes = analyse(model).shapes
    model = replace(model, formats=dict(each(formats, lambda item: _read_format(item, shapes))))
    require_canonical(data, dump(model))
    return model


def digest(model: IntegerModel) -> bytes:
    """BLAKE2b of the model's file, 32 bytes."""
    return digest_bytes(dump(model))


def _write_public(tensor: ModelTensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "lo": tensor.lo,
        "hi": tensor.hi,
        "scale": tensor.scale.write(),
    }


def _read_public(item: object) -> ModelTensor:
    name, shape, lo, hi, scale = record(
        item, {"name": str, "shape": list, "lo": int, "hi": int, "scale": object}
    )
    sizes = integers(shape)
    return ModelTensor(name, sizes, lo, hi, Scale.read(scale, sizes, name))


def _write_format(name: str, format: Format) -> list[Any]:
    return [name, format.scale.write(), format.lo, format.hi]


def _read_format(item: object, shapes: Mapping[str, Shape]) -> tuple[str, Format]:
    name, scale, lo, hi = fields(item, (str, object, int, int))
    if name not in shapes:
        raise FormatError(f"'{name}' has a format, but nothing computes it")
    return name, Format(Scale.read(scale, shapes[name], name), lo, hi)


def _write_node(node: Node) -> dict[str, Any]:
    return {
        "operator": node.operator,
        "name": node.name,
        "inputs": list(node.inputs),
        "output": node.output,
        "attributes": {key: _write_attribute(node.attributes[key]) for key in sorted(node.attributes)},
    }


def _read_node(item: object) -> Node:
    operator, name, inputs, output, attributes = record(
        item, {"operator": str, "name": str, "inputs": list, "output": str, "attributes": dict}
    )
    return Node(
        operator,
        name,
        each(inputs, lambda value: typed(value, str)),
        output,
        {typed(key, str): _read_attribute(value) for key, value in attributes.items()},
    )


def _write_attribute(value: Attribute) -> int | list[int] | dict[str, Any]:
    if isinstance(value, Table):
        pieces = [[piece.start, piece.value, piece.slope] for piece in value.pieces]
        return {"first": value.first, "size": value.size, "pieces": pieces}
    return list(value) if isinstance(value, tuple) else value


def _read_attribute(value: object) -> Attribute:
    if isinstance(value, list):
        return integers(value)
    if isinstance(value, dict):
        first, size, pieces = record(value, {"first": int, "size": int, "pieces": list})
        return Table(first, size, each(pieces, lambda piece: Piece(*fields(piece, (int, int, int)))))
    return typed(value, int)
