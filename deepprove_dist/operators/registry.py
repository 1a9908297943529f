"""All operators, as the modules of this folder have them; nothing lists them."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TypeVar

import deepprove_dist.operators
from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.operators.integer_operator import IntegerOperator

Kind = TypeVar("Kind")

_FOLDER = deepprove_dist.operators
_MODULES = tuple(
    import_module(f"{_FOLDER.__name__}.{module.name}")
    for module in iter_modules(_FOLDER.__path__)
    if f"{_FOLDER.__name__}.{module.name}" != __name__
)


def _concrete(base: type[Kind]) -> Iterator[type[Kind]]:
    """The classes below a base that modules here define, but for the abstract ones."""
    for module in _MODULES:
        classes = (value for value in vars(module).values() if isinstance(value, type))
        for kind in classes:
            if issubclass(kind, base) and kind.__module__ == module.__name__ and not isabstract(kind):
                yield kind


OPERATORS: Mapping[str, IntegerOperator] = MappingProxyType(
    {kind.name: kind() for kind in _concrete(IntegerOperator)}  # type: ignore[type-abstract]
)
"""Every operator that an integer model may have, by the name that models' files have for it."""

FLOAT_OPERATORS: tuple[type[FloatOperator], ...] = tuple(
    _concrete(FloatOperator)  # type: ignore[type-abstract]
)
"""Every operator that a float graph may have."""
