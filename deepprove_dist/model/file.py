"""The integer model's file: canonical msgpack, so that bytes and model determine each other.

Keys come in a fixed order, constants and attributes sorted by name, arrays as little-endian bytes of the
narrowest signed type that holds them. Reading takes exactly what writing makes (checked by writing again) and
validates the model: a file is untrusted. Nothing is ever unpickled.
"""

import hashlib
from collections.abc import Callable
from math import prod
from typing import Any, TypeVar

import msgpack
import numpy as np

from deepprove_dist.errors import ModelError
from deepprove_dist.model.integer_model import Attribute, IntegerModel, Node, PublicTensor
from deepprove_dist.model.table import IntArray, Piece, Table
from deepprove_dist.model.validate import analyse

FORMAT = "deepprove-dist integer model"
VERSION = 1
DIGEST_BYTES = 32

_STORED_TYPES = ("i1", "i2", "i4", "i8")

_T = TypeVar("_T")


def dump(model: IntegerModel) -> bytes:
    """The model's file; equal models give equal bytes."""
    packed: bytes = msgpack.packb(
        {
            "format": FORMAT,
            "version": VERSION,
            "inputs": [_write_public(tensor) for tensor in model.inputs],
            "outputs": [_write_public(tensor) for tensor in model.outputs],
            "constants": [[name, *_write_array(model.constants[name])] for name in sorted(model.constants)],
            "nodes": [_write_node(node) for node in model.nodes],
        }
    )
    return packed


def load(data: bytes) -> IntegerModel:
    """The model of a file that ``dump`` wrote, validated. Raises ModelError for any other bytes."""
    try:
        content = msgpack.unpackb(data, raw=False, strict_map_key=True)
    except (ValueError, TypeError, RecursionError) as error:
        raise ModelError(f"not an integer model file: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ModelError("not an integer model file")
    if content.get("version") != VERSION:
        raise ModelError(
            f"integer model file of version {content.get('version')}; this release reads {VERSION}"
        )
    _, _, inputs, outputs, constants, nodes = _record(
        content,
        {"format": str, "version": int, "inputs": list, "outputs": list, "constants": list, "nodes": list},
    )
    model = IntegerModel(
        tuple(_read_public(item) for item in inputs),
        tuple(_read_public(item) for item in outputs),
        dict(_read_constant(item) for item in constants),
        tuple(_read_node(item) for item in nodes),
    )
    analyse(model)
    if dump(model) != data:
        raise ModelError("integer model file is not in canonical form")
    return model


def digest(model: IntegerModel) -> bytes:
    """BLAKE2b of the model's file, 32 bytes."""
    return hashlib.blake2b(dump(model), digest_size=DIGEST_BYTES).digest()


def _write_public(tensor: PublicTensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "lo": tensor.lo,
        "hi": tensor.hi,
        "scale": float(tensor.scale),
    }


def _read_public(item: object) -> PublicTensor:
    name, shape, lo, hi, scale = _record(
        item, {"name": str, "shape": list, "lo": int, "hi": int, "scale": float}
    )
    return PublicTensor(name, _integers(shape), lo, hi, scale)


def _write_array(values: IntArray) -> tuple[str, list[int], bytes]:
    lo, hi = int(values.min()), int(values.max())
    code = next(code for code in _STORED_TYPES if np.iinfo(code).min <= lo and hi <= np.iinfo(code).max)
    return code, list(values.shape), values.astype(f"<{code}").tobytes()


def _read_constant(item: object) -> tuple[str, IntArray]:
    name, code, shape, data = _fields(item, (str, str, list, bytes))
    sizes = _integers(shape)
    if (
        code not in _STORED_TYPES
        or any(size < 1 for size in sizes)
        or prod(sizes) * int(code[1]) != len(data)
    ):
        raise ModelError(f"constant '{name}' has a type, shape and length that contradict each other")
    values = np.frombuffer(data, dtype=f"<{code}").astype(np.int64).reshape(sizes)
    values.flags.writeable = False
    return name, values


def _write_node(node: Node) -> dict[str, Any]:
    return {
        "operator": node.operator,
        "name": node.name,
        "inputs": list(node.inputs),
        "output": node.output,
        "attributes": {key: _write_attribute(node.attributes[key]) for key in sorted(node.attributes)},
    }


def _read_node(item: object) -> Node:
    operator, name, inputs, output, attributes = _record(
        item, {"operator": str, "name": str, "inputs": list, "output": str, "attributes": dict}
    )
    return Node(
        operator,
        name,
        tuple(_each(inputs, lambda value: _typed(value, str))),
        output,
        {_typed(key, str): _read_attribute(value) for key, value in attributes.items()},
    )


def _write_attribute(value: Attribute) -> int | list[int] | dict[str, Any]:
    if isinstance(value, Table):
        pieces = [[piece.start, piece.value, piece.slope] for piece in value.pieces]
        return {"first": value.first, "size": value.size, "pieces": pieces}
    return list(value) if isinstance(value, tuple) else value


def _read_attribute(value: object) -> Attribute:
    if isinstance(value, list):
        return _integers(value)
    if isinstance(value, dict):
        first, size, pieces = _record(value, {"first": int, "size": int, "pieces": list})
        return Table(first, size, tuple(_each(pieces, lambda piece: Piece(*_fields(piece, (int, int, int))))))
    return _typed(value, int)


def _record(value: object, types: dict[str, type]) -> list[Any]:
    """The values of a map that has exactly these keys, in their order, each of its type."""
    if not isinstance(value, dict) or list(value) != list(types):
        raise ModelError(f"expected a record of {list(types)}")
    return _fields(list(value.values()), tuple(types.values()))


def _fields(value: object, types: tuple[type, ...]) -> list[Any]:
    if not isinstance(value, list) or len(value) != len(types):
        raise ModelError(f"expected {len(types)} values")
    return [_typed(item, kind) for item, kind in zip(value, types, strict=True)]


def _integers(value: object) -> tuple[int, ...]:
    return tuple(_each(_typed(value, list), lambda item: _typed(item, int)))


def _each(values: list[Any], read: Callable[[Any], _T]) -> list[_T]:
    return [read(value) for value in values]


def _typed(value: object, kind: type[_T]) -> _T:
    # Not isinstance: a bool is an int to Python, but not to the format.
    if type(value) is not kind:
        raise ModelError(f"expected {kind.__name__}, found {type(value).__name__}")
    return value
