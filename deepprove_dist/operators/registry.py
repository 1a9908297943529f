"""All operators, as the modules of this folder have them; nothing lists them.

The module of an integer operator has the operator's name. So a model loads those that it has, and no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules
from types import ModuleType
from typing import TypeVar

import deepprove_dist.operators
from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.operators.integer_operator import IntegerOperator

Kind = TypeVar("Kind")

_FOLDER = deepprove_dist.operators


class IntegerOperators(Mapping[str, IntegerOperator]):
    """Every operator that an integer model may have, by the name that models' files have for it."""

    def __init__(self) -> None:
        self._loaded: dict[str, IntegerOperator] = {}

    def __getitem__(self, name: str) -> IntegerOperator:
        if name not in self._loaded:
            # A name may be anything that a file has.
            if name not in self._modules:
                raise KeyError(name)
            for kind in _concrete(IntegerOperator, _module(name)):  # type: ignore[type-abstract]
                self._loaded[kind.name] = kind()
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        for name in self._modules:
            for kind in _concrete(IntegerOperator, _module(name)):  # type: ignore[type-abstract]
                yield kind.name

    def __len__(self) -> int:
        return len(list(iter(self)))

    @cached_property
    def _modules(self) -> tuple[str, ...]:
        return tuple(_module_names())


OPERATORS = IntegerOperators()


def float_operators() -> tuple[type[FloatOperator], ...]:
    """Every operator that a float graph may have."""
    return tuple(
        kind
        for name in _module_names()
        for kind in _concrete(FloatOperator, _module(name))  # type: ignore[type-abstract]
    )


def _module_names() -> Iterator[str]:
    for module in iter_modules(_FOLDER.__path__):
        if f"{_FOLDER.__name__}.{module.name}" != __name__:
            yield module.name


def _module(name: str) -> ModuleType:
    return import_module(f"{_FOLDER.__name__}.{name}")


def _concrete(base: type[Kind], module: ModuleType) -> Iterator[type[Kind]]:
    """The classes below a base that a module defines, but for the abstract ones."""
    for value in vars(module).values():
        if not isinstance(value, type) or value.__module__ != module.__name__:
            continue
        if issubclass(value, base) and not isabstract(value):
            yield value
