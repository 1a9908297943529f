"""Strict, canonical msgpack: a file of this package has one encoding only, and reading takes nothing else.

Records are maps with exactly the expected keys in their order; types are compared exactly (True is no 1);
`require_canonical` compares with the encoding of what was read, which excludes trailing bytes, longer forms
of numbers and other orders. Nothing is ever unpickled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgpack

from deepprove_dist.errors import FormatError

T = TypeVar("T")


def pack(content: Any) -> bytes:
    """The encoding of maps, lists, texts, bytes, integers and floats."""
    packed: bytes = msgpack.packb(content)
    return packed


def unpack(data: bytes, form: str, version: int) -> dict[str, Any]:
    """The map in a file that says `format: form` and `version: version`. Raises FormatError otherwise."""
    try:
        content = msgpack.unpackb(data, raw=False, strict_map_key=True)
    except (ValueError, TypeError, RecursionError) as error:
        raise FormatError(f"not a {form} file: {error}") from error
    if not isinstance(content, dict) or content.get("format") != form:
        raise FormatError(f"not a {form} file")
    if content.get("version") != version:
        raise FormatError(f"{form} file of version {content.get('version')}; this release reads {version}")
    return content


def count_items(content: dict[str, Any], most: int) -> tuple[int, int]:
    """The lists in a file's map, however deep, and the items in them; counting stops beyond `most` items."""
    lists = items = 0
    todo = [value for value in content.values() if type(value) is list]
    while todo and items <= most:
        value = todo.pop()
        lists, items = lists + 1, items + len(value)
        if items <= most:
            todo += [item for item in value if type(item) is list]
    return lists, items


def require_canonical(data: bytes, again: bytes) -> None:
    """Raises FormatError unless `data` is what writing makes of what was read."""
    if data != again:
        raise FormatError("the file is not in canonical form")


def record(value: object, types: dict[str, type]) -> list[Any]:
    """The values of a map that has exactly these keys, in their order, each of its type."""
    if not isinstance(value, dict) or list(value) != list(types):
        raise FormatError(f"expected a record of {list(types)}")
    return fields(list(value.values()), tuple(types.values()))


def fields(value: object, types: tuple[type, ...]) -> list[Any]:
    """The items of a list that has exactly these types."""
    if not isinstance(value, list) or len(value) != len(types):
        raise FormatError(f"expected {len(types)} values")
    return [typed(item, kind) for item, kind in zip(value, types, strict=True)]


def each(value: object, read: Callable[[Any], T]) -> tuple[T, ...]:
    """The items of a list, each read."""
    return tuple(read(item) for item in typed(value, list))


def integers(value: object) -> tuple[int, ...]:
    """The items of a list of integers."""
    return each(value, lambda item: typed(item, int))


def typed(value: Any, kind: type[T]) -> T:
    """The value, if it is exactly of this type; `object` is any type."""
    # Not isinstance: a bool is an int to Python, but not to the format.
    if type(value) is not kind and kind is not object:
        raise FormatError(f"expected {kind.__name__}, found {type(value).__name__}")
    return value  # type: ignore[no-any-return]  # a cast would be a call for each number
