"""Walks over all that a proof consists of, and changes one thing in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from operator import add
from typing import Any

from deepprove_dist.canonical import DIGEST_BYTES, Record
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector
from deepprove_dist.protocol.messages.proof import ProofContent
from tests.records import replace

Path = tuple[str | int, ...]
"""Names of fields and places in tuples, vectors and bytes, from the proof down."""

Change = tuple[Path, Callable[[], ProofContent]]

ELEMENT_BYTES = {BaseVector: 4, ExtensionVector: 20}


def name(path: Path) -> str:
    """The field that a path leads to, without places: `opening.leaves.rows`."""
    return ".".join(step for step in path if isinstance(step, str))


def changes(proof: ProofContent) -> Iterator[Change]:
    """The proof with each element, digest, byte string and number changed by the least."""
    for path, value in parts(proof):
        match value:
            case int():
                # A number below 0 is no file: another check's.
                steps = (-1, 1) if value > 0 else (1,)
                yield from ((path, _change(proof, path, partial(add, value, step))) for step in steps)
            case Extension():
                yield path, _change(proof, path, partial(add, value, 1))
            case BaseVector() | ExtensionVector():
                for index in range(len(value)):
                    yield (*path, index), _change(proof, path, partial(add_one, value, index))
            case bytes():
                step = 1 if len(value) % DIGEST_BYTES else DIGEST_BYTES
                for index in range(0, len(value), step):
                    yield (*path, index), _change(proof, path, partial(flip, value, index))


def parts(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """All fields that are neither records nor tuples."""
    if isinstance(value, Record):
        for field in value.__struct_fields__:
            yield from parts(getattr(value, field), (*path, field))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from parts(item, (*path, index))
    else:
        yield path, value


def put(whole: Any, path: Path, new: Any) -> Any:
    """`whole` with what stands at the path replaced."""
    if not path:
        return new
    step, inner = path[0], path[1:]
    if isinstance(step, int):
        return (*whole[:step], put(whole[step], inner, new), *whole[step + 1 :])
    return replace(whole, **{step: put(getattr(whole, step), inner, new)})


def get(whole: Any, path: Path) -> Any:
    """What stands at the path."""
    for step in path:
        whole = whole[step] if isinstance(step, int) else getattr(whole, step)
    return whole


def flip(data: bytes, index: int) -> bytes:
    """One bit of one byte."""
    return data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :]


def add_one(vector: BaseVector | ExtensionVector, index: int) -> BaseVector | ExtensionVector:
    """One element of a vector, its lowest coefficient plus one modulo p."""
    data, start = bytes(vector), index * ELEMENT_BYTES[type(vector)]
    value = (int.from_bytes(data[start : start + 4], "little") + 1) % MODULUS
    return type(vector).from_bytes(data[:start] + value.to_bytes(4, "little") + data[start + 4 :])


def _change(proof: ProofContent, path: Path, new: Callable[[], Any]) -> Callable[[], ProofContent]:
    return lambda: put(proof, path, new())
