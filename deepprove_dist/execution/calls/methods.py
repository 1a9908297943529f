"""Methods of workers, called with the types of their signatures.

A method is a function of a worker's state and of arguments. The coordinator names it by the function itself,
so mypy checks every call: `Call.to(gram, log_blocks=2)` is a `Call[ExtensionVector]`. Messages have the
function's name. Their schemas are the function's type hints.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, get_args, get_type_hints

import msgspec

from deepprove_dist.execution.calls.messages import decoder, encode

P = ParamSpec("P")
R = TypeVar("R")

SHARES = "shares"
"""The argument of a method that gets what all ranks published: one value for each rank, in their order."""


@dataclass(frozen=True)
class Method:
    """A function of a worker's state, and what reads its arguments, its result and the shares it uses."""

    function: Callable[..., Any]
    names: tuple[str, ...]
    arguments: msgspec.msgpack.Decoder[Any]
    result: msgspec.msgpack.Decoder[Any]
    share: msgspec.msgpack.Decoder[Any] | None

    @property
    def name(self) -> str:
        """The function's name, which messages have."""
        return self.function.__name__

    def read_arguments(self, data: bytes | msgspec.Raw) -> dict[str, Any]:
        """Arguments by name, but for shares. Raises ValueError where they are not those of the signature."""
        return msgspec.structs.asdict(self.arguments.decode(data))

    def read_shares(self, values: Sequence[bytes]) -> list[Any]:
        """What ranks published. Raises ValueError where it is not what the signature says."""
        if self.share is None:
            raise ValueError(f"method '{self.name}' uses no shares")
        return [self.share.decode(value) for value in values]


@cache
def method_of(function: Callable[..., Any]) -> Method:
    """The schemas of a function's signature; its first parameter is the worker's state."""
    hints = get_type_hints(function)
    names = tuple(inspect.signature(function).parameters)[1:]
    fields = [(name, hints[name]) for name in names if name != SHARES]
    arguments = msgspec.defstruct(function.__name__, fields, forbid_unknown_fields=True)
    share = decoder(get_args(hints[SHARES])[0]) if SHARES in names else None
    plain = tuple(name for name, _ in fields)
    return Method(function, plain, decoder(arguments), decoder(hints["return"]), share)


@dataclass(frozen=True)
class Call(Generic[R]):
    """A method with its arguments, encoded; its result is of type R."""

    method: Method
    arguments: bytes = field(repr=False)

    @staticmethod
    def to(function: Callable[Concatenate[Any, P], R], *args: P.args, **kwargs: P.kwargs) -> Call[R]:
        """A call of a function with all its arguments but the state."""
        return _call(function, args, kwargs)

    @staticmethod
    def with_shares(
        function: Callable[Concatenate[Any, Sequence[Any], P], R], *args: P.args, **kwargs: P.kwargs
    ) -> Call[R]:
        """A call of a function with all its arguments but the state and what ranks published."""
        return _call(function, args, kwargs)

    def read(self, result: bytes | msgspec.Raw) -> R:
        """The result that a worker sent. Raises ValueError where it has another type."""
        value: R = self.method.result.decode(result)
        return value


def _call(function: Callable[..., Any], args: Sequence[object], kwargs: dict[str, object]) -> Call[Any]:
    method = method_of(function)
    return Call(method, encode(dict(zip(method.names, args, strict=False)) | kwargs))
