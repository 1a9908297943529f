"""The functions that recurrent layers name in their attribute ``activations``, as nodes of the standard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError

WriteFunction = Callable[[str], str]
"""Writes a function of a tensor, and gives the new tensor."""


@dataclass(frozen=True)
class _Kind:
    """A function: its operator, and the parameters that it takes, with their defaults."""

    operator: str
    parameters: Mapping[str, float]


_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "affine": _Kind("", {"alpha": 1.0, "beta": 0.0}),
        "elu": _Kind("Elu", {"alpha": 1.0}),
        "hardsigmoid": _Kind("HardSigmoid", {"alpha": 0.2, "beta": 0.5}),
        "leakyrelu": _Kind("LeakyRelu", {"alpha": 0.01}),
        "relu": _Kind("Relu", {}),
        "scaledtanh": _Kind("Tanh", {"alpha": 1.0, "beta": 1.0}),
        "sigmoid": _Kind("Sigmoid", {}),
        "softplus": _Kind("Softplus", {}),
        "softsign": _Kind("Softsign", {}),
        "tanh": _Kind("Tanh", {}),
        "thresholdedrelu": _Kind("ThresholdedRelu", {"alpha": 1.0}),
    }
)


# onnxruntime takes other numbers than any operator's defaults for what is not stated.
_WITHOUT_DEFAULTS = ("affine", "scaledtanh", "thresholdedrelu")


def read_functions(writing: NodeReplacement, defaults: Sequence[str], directions: int) -> list[WriteFunction]:
    """The functions of all directions, one direction after the other.

    Raises KeyError for one that there is not. Parameters are in the order of those functions that take them.
    Raises UnsupportedNodeError where the standard has no default for one that is missing.
    """
    attributes = writing.attributes
    stated = [name.decode() for name in attributes.get("activations", ())] or [*defaults] * directions
    given = {name: list(attributes.get(f"activation_{name}", ())) for name in ("alpha", "beta")}
    functions = []
    for name in stated:
        kind = _KINDS[name.lower()]
        if name.lower() in _WITHOUT_DEFAULTS and not all(map(given.get, kind.parameters)):
            raise UnsupportedNodeError(
                f"its function {name} has no parameters",
                "activation_alpha, and activation_beta where the function has one, for this function",
            )
        parameters = {
            key: given[key].pop(0) if given[key] else default for key, default in kind.parameters.items()
        }
        functions.append(_function(writing, name.lower(), kind.operator, parameters))
    return functions


def _function(
    writing: NodeReplacement, name: str, operator: str, parameters: Mapping[str, Any]
) -> WriteFunction:
    like = writing.input(0)

    def multiplied(tensor: str, factor: float) -> str:
        return writing.add("Mul", tensor, writing.constant(factor, like))

    def write(tensor: str) -> str:
        if name == "affine":
            scaled = multiplied(tensor, parameters["alpha"])
            return writing.add("Add", scaled, writing.constant(parameters["beta"], like))
        if name == "scaledtanh":
            inner = multiplied(tensor, parameters["beta"])
            return multiplied(writing.add(operator, inner), parameters["alpha"])
        return writing.add(operator, tensor, **parameters)

    return write
