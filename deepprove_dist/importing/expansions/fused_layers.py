"""Layers with what comes around them, as onnxruntime's optimiser writes them: an activation, a factor,
transpositions.
"""

from collections.abc import Mapping
from typing import Any

import onnx

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.standard import RUNTIME

# Of each activation the attributes that its parameters are, in order.
ACTIVATIONS: Mapping[str, tuple[str, ...]] = {
    "": (),
    "Elu": ("alpha",),
    "HardSigmoid": ("alpha", "beta"),
    "LeakyRelu": ("alpha",),
    "Relu": (),
    "Sigmoid": (),
    "Softplus": (),
    "Softsign": (),
    "Tanh": (),
}
BOUNDS = "Clip"
GEMM_PARAMETERS = ("activation_alpha", "activation_beta", "activation_gamma")


def _conv(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    attributes = dict(new.attributes)
    activation = attributes.pop("activation", b"").decode()
    parameters = attributes.pop("activation_params", [])
    tensor = new.add("Conv", *node.input[:3], **attributes)
    if new.input(3):
        tensor = new.add("Add", tensor, new.input(3))
    return _activated(new, tensor, activation, parameters)


def _gemm(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    new = NodeReplacement(node, scope)
    attributes = dict(new.attributes)
    activation = attributes.pop("activation", b"").decode()
    parameters = [attributes.pop(name) for name in GEMM_PARAMETERS if name in attributes]
    return _activated(new, new.add("Gemm", *node.input, **attributes), activation, parameters)


def _activated(
    new: NodeReplacement, tensor: str, activation: str, parameters: list[Any]
) -> list[onnx.NodeProto] | None:
    if activation == BOUNDS and len(parameters) == 2:
        bounds = [new.constant(bound, new.input(0)) for bound in parameters]
        return new.finished(new.add(BOUNDS, tensor, *bounds))
    if activation not in ACTIVATIONS:
        return None
    attributes = dict(zip(ACTIVATIONS[activation], parameters, strict=False))
    return new.finished(new.add(activation, tensor, **attributes) if activation else tensor)


def _matmul(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """alpha * A' * B', where either may be transposed."""
    new = NodeReplacement(node, scope)
    factors = []
    for side, index in (("A", 0), ("B", 1)):
        tensor = new.input(index)
        order = list(range(len(new.shape(tensor))))
        if new.attributes.get(f"transBatch{side}", 0):
            # The first axis comes after those of the batch.
            order = [*order[1:-1], 0, order[-1]]
        if new.attributes.get(f"trans{side}", 0):
            # One axis is a vector, which transposing leaves as it is.
            order = [*order[:-2], *reversed(order[-2:])]
        factors.append(tensor if order == sorted(order) else new.add("Transpose", tensor, perm=order))
    product = new.add("MatMul", *factors)
    alpha = new.attributes.get("alpha", 1.0)
    if alpha != 1:
        product = new.add("Mul", product, new.constant(alpha, new.input(0)))
    return new.finished(product)


EXPANSIONS = (
    Expansion("FusedConv", "with any activation that has a rule", _conv, RUNTIME),
    Expansion("FusedGemm", "with any activation that has a rule", _gemm, RUNTIME),
    Expansion("FusedMatMul", "of any tensors", _matmul, RUNTIME),
    Expansion("TransposeMatMul", "of any tensors", _matmul, RUNTIME),
)
