"""The constants in an integer model's file: readable without its operators."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from deepprove_dist.canonical import Record
from deepprove_dist.errors import ModelError
from deepprove_dist.narrow_integers import TYPES, Integers, narrowest

MAX_RANK = 31
"""Axes of a tensor: every numpy has arrays of 32, and the samples take one."""


@dataclass(frozen=True)
class ConstantLocation:
    """Where a model file has a constant's bytes, to be mapped into memory: offset, type and shape."""

    offset: int
    dtype: str
    shape: tuple[int, ...]

    def map(self, path: Path) -> npt.NDArray[Any]:
        """The constant's integers, read from the file when they are looked at."""
        return np.memmap(path, dtype=self.dtype, mode="r", offset=self.offset, shape=self.shape)


class _MappedConstant(Record, frozen=True):
    """A `StoredConstant` whose bytes stay in the file."""

    name: str
    code: str
    shape: tuple[int, ...]
    data: memoryview


class _Constants(msgspec.Struct):
    """The constants of a file; its other fields are passed over."""

    constants: tuple[_MappedConstant, ...]


def index_constants(path: Path) -> dict[str, ConstantLocation]:
    """The locations of all constants in a model file that has been validated. Their bytes are not read."""
    file = np.memmap(path, dtype=np.uint8, mode="r")
    first, stored = _address(file.data), msgspec.msgpack.decode(file.data, type=_Constants).constants
    return {
        constant.name: ConstantLocation(_address(constant.data) - first, f"<{constant.code}", constant.shape)
        for constant in stored
    }


def _address(data: memoryview) -> int:
    return int(np.frombuffer(data, np.uint8).ctypes.data)


class StoredConstant(Record, frozen=True):
    """A constant in a file: its name, the narrowest type that holds it, its shape, and its bytes."""

    name: str
    code: str
    shape: tuple[int, ...]
    data: bytes

    @classmethod
    def of(cls, name: str, values: Integers) -> StoredConstant:
        """An array as a file holds it."""
        code = narrowest(values)
        return cls(name, code, values.shape, values.astype(f"<{code}", copy=False).tobytes())

    @property
    def is_narrowest(self) -> bool:
        """Whether no narrower type holds the values; `array` has found type and length to fit."""
        return self.code == TYPES[0] or self.code == narrowest(self.array())

    def array(self) -> Integers:
        """The values, a read-only view. Raises ModelError where bytes do not fit type and shape."""
        if (
            self.code not in TYPES
            or len(self.shape) > MAX_RANK
            or any(size < 1 for size in self.shape)
            or prod(self.shape) * int(self.code[1]) != len(self.data)
        ):
            raise ModelError(f"constant '{self.name}': type, shape and length contradict each other")
        return np.frombuffer(self.data, dtype=f"<{self.code}").reshape(self.shape)
