"""A verifying key as the plain lists of its file, to be changed and read again."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import msgpack

from deepprove_dist.canonical import encode
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.key.key import KeyContent

Content = dict[str, Any]


def content(key: KeyContent) -> Content:
    """What the key's file holds; its records are lists in the order of `key_file`."""
    result: Content = msgpack.unpackb(key_file.dump(key))
    return result


def changed(key: KeyContent, change: Callable[[Content], None]) -> bytes:
    """The file with a change."""
    result = copy.deepcopy(content(key))
    change(result)
    data = encode(result)
    # Of bytes: True and 1 are equal, and are not written alike.
    assert data != key_file.dump(key)
    return data


def put_at(*path: str | int) -> Callable[[Any], Callable[[Content], None]]:
    """Makes changes that put a value where these steps lead."""

    def put(value: Any) -> Callable[[Content], None]:
        def change(whole: Content) -> None:
            *steps, last = path
            part: Any = whole
            for step in steps:
                part = part[step]
            part[last] = value

        return change

    return put


def stored(tensor: int, shape: list[int]) -> list[Any]:
    """The expression that is a tensor of this shape."""
    return [shape, [[1, tensor, [*range(len(shape))]]], []]


def factor(tensor: int, shape: list[int], axes: list[int]) -> list[Any]:
    """A whole tensor as a factor along these axes of a product."""
    return [stored(tensor, shape), axes]
