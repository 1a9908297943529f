"""Activations that onnxruntime's optimiser writes: the standard's operators, with a bias added before."""

from collections.abc import Callable

import onnx

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.standard import RUNTIME

QUICK_ALPHA = 1.702


def _gelu(approximate: str) -> Callable[[onnx.NodeProto, Scope], list[onnx.NodeProto] | None]:
    def expand(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
        new = NodeReplacement(node, scope)
        tensor = first = new.input(0)
        if new.input(1):
            tensor = new.add("Add", first, new.input(1))
        return new.finished(new.add_like(first, "Gelu", tensor, approximate=approximate))

    return expand


def _quick_gelu(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    tensor = new.input(0)
    alpha = new.constant(new.attributes.get("alpha", QUICK_ALPHA), tensor)
    gate = new.add("Sigmoid", new.add("Mul", tensor, alpha))
    return new.finished(new.add("Mul", tensor, gate))


def _bias_add(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    biased = new.add("Add", new.input(0), new.input(1))
    return new.finished(new.add("Add", biased, new.input(2)))


EXPANSIONS = (
    Expansion("Gelu", "of any tensor", _gelu("none"), RUNTIME),
    Expansion("BiasGelu", "of any tensor", _gelu("none"), RUNTIME),
    Expansion("FastGelu", "of any tensor", _gelu("tanh"), RUNTIME),
    Expansion("QuickGelu", "of any tensor", _quick_gelu, RUNTIME),
    Expansion("BiasAdd", "of any tensors", _bias_add, RUNTIME),
)
