"""Large layers cut among workers: each holds a slice of the weights, for inference and for binding.

A layer may be cut along its first contracted axis. Then accumulators add up, and bound slices stand in a row.
A worker needs its part of the input. Or it is cut along its outputs. Then accumulators stand in a row, and
bound slices add up. A worker needs all of the input.

Of the two ways the one is taken that sends less. Dense layers, and convolutions of many channels, are cut
along the contracted axis, convolutions of many positions along the outputs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.execution.group.assignment import slices
from deepprove_dist.kernels import ExtensionVector, Pool
from deepprove_dist.lowering.builder import Lowered
from deepprove_dist.model.constants import ConstantLocation
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.operator_threads import OperatorThreads
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.operators.integer_operator import SplitAxes
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.registry import OPERATORS
from deepprove_dist.protocol.parameters.cost import EXTENSION_BYTES
from deepprove_dist.protocol.relations.contraction import ProductInstance
from deepprove_dist.protocol.relations.prove import bind_outputs
from deepprove_dist.protocol.system.system import Factor, Relation

#: Of one integer, as narrow as messages make it mostly.
_INPUT_BYTES, _ACCUMULATOR_BYTES = 2, 4


@dataclass(frozen=True)
class SplitLayer:
    """A layer that is cut along `axis` of its weight tensor: 0, its outputs, or 1, the first contracted one.

    The weights are a factor of a product. `product` is its number in the system, and `side` is 0 for the left
    factor, 1 for the right one. Inference of a sample takes so many `multiplications`, and sends so many
    `sent_bytes` if workers share it.
    """

    node: Node
    axes: SplitAxes
    tensor: int
    shape: tuple[int, ...]
    axis: int
    product: int
    side: int
    multiplications: int
    sent_bytes: int

    def cut(self, x: IntArray, interval: tuple[int, int]) -> IntArray:
        """What a share needs of the layer's input."""
        if self.axis == 0:
            return x
        # Channels, or elements of a row, for each index of the axis: a dimension may be several axes.
        width = x.shape[self.axes.source] // self.shape[1]
        indices = [slice(None)] * x.ndim
        indices[self.axes.source] = slice(interval[0] * width, interval[1] * width)
        return x[tuple(indices)]

    def join_accumulators(self, shares: Sequence[IntArray]) -> IntArray:
        """The layer's accumulator, [samples, 1, outputs, *positions]."""
        if self.axis == 0:
            return np.concatenate(shares, axis=self.axes.output, dtype=np.int64)
        total = shares[0].astype(np.int64)
        for share in shares[1:]:
            total += share
        return total

    def join_bound(self, shares: Sequence[ExtensionVector]) -> ExtensionVector:
        """The weights with all output axes bound."""
        total = shares[0]
        for share in shares[1:]:
            total = total.plus(share) if self.axis == 0 else total + share
        return total


def split_layers(
    model: IntegerModel, lowered: Lowered, ranks: int, least_weights: int
) -> dict[str, SplitLayer]:
    """The layers that are cut, by the name of their output: large ones, with weights of their own."""
    uses = _products_by_weights(lowered.system.relations)
    readers = Counter(name for node in model.nodes for name in node.inputs)
    splittable = {node.inputs[1]: node for node in model.nodes if _split_axes(node) is not None}
    layers = {}
    for tensor, name in lowered.constants.items():
        if name in splittable and readers[name] == len(uses[tensor]) == 1:
            layer = _split(splittable[name], tensor, uses[tensor][0], lowered, model, ranks)
            if layer is not None and prod(layer.shape) >= least_weights:
                layers[layer.node.output] = layer
    return layers


def _split(
    node: Node, tensor: int, use: _Use, lowered: Lowered, model: IntegerModel, ranks: int
) -> SplitLayer | None:
    """A layer cut along the axis that leaves less to send; None where that axis is too short."""
    axes, shape = _split_axes(node), lowered.system.tensors[tensor].shape
    assert axes is not None, "only layers that may be cut"
    contracts = len(shape) > 1 and shape[1] >= axes.least * ranks and _contracts(use, shape, ranks)
    # An only channel may have no axis: then the next one is the kernel's, not one to cut.
    contracts = contracts and model.constants[node.inputs[1]].shape[1] % shape[1] == 0
    is_output = [axis < len(use.outputs) for axis in use.factor.axes]
    # A single weight has no axis at all.
    fits = is_output[:2] == [True, False] if contracts else is_output[:1] == [True] and shape[0] >= ranks
    if not fits:
        return None
    # Each output is a sum of so many products as it has weights.
    multiplications, sent = use.output_count * prod(shape[1:]), sum(_sent(use, ranks, contracts))
    product = use.product, use.side
    return SplitLayer(node, axes, tensor, shape, int(contracts), *product, multiplications, sent)


def _split_axes(node: Node) -> SplitAxes | None:
    return OPERATORS[node.operator].split_axes(node)


@dataclass(frozen=True)
class LayerShare:
    """A worker's slice of a layer's weights: for inference, and in the slice's shape."""

    node: Node
    product: int
    side: int
    axis: int
    interval: tuple[int, int]
    constants: tuple[npt.NDArray[Any], ...]
    weights: Integers

    def accumulate(self, x: Integers, operators: OperatorThreads) -> IntArray:
        """The share of the accumulator of an input, or of the slice of it that the share reads."""
        with operators.single_blas():
            return operators.infer(self.node, [x.astype(np.int64), *self.constants]).output

    def bind(self, products: Sequence[ProductInstance], pool: Pool) -> ExtensionVector:
        """The slice with its output axes bound."""
        instance = products[self.product]
        weights = [
            None if axis is None else axis.dense for axis in instance.bound_axes(instance.factors[self.side])
        ]
        whole = weights[self.axis]
        if whole is not None:
            weights[self.axis] = whole[slice(*self.interval)]
        bound = bind_outputs(self.weights.reshape(-1), self.weights.shape, weights, pool)
        assert isinstance(bound, ExtensionVector), "the outputs of a split layer are bound"
        return bound


class ShareMessage(msgspec.Struct, frozen=True):
    """What a rank has to know of its slice of a layer; `constants` are the weights and the bias, if any."""

    operator: str
    name: str
    output: str
    attributes: dict[str, int | tuple[int, ...]]
    constants: tuple[ConstantLocation, ...]
    shape: tuple[int, ...]
    axis: int
    product: int
    side: int
    interval: tuple[int, int]


def share_messages(
    layers: Mapping[str, SplitLayer], locations: Mapping[str, ConstantLocation], capacities: Sequence[int]
) -> list[list[ShareMessage]]:
    """For each rank, what it has to know of its slices."""
    messages: list[list[ShareMessage]] = [[] for _ in capacities]
    for layer in layers.values():
        node = layer.node
        for rank, interval in enumerate(slices(layer.shape[layer.axis], capacities)):
            if interval[0] < interval[1]:
                message = ShareMessage(
                    node.operator,
                    node.name,
                    node.output,
                    {key: _plain(value) for key, value in node.attributes.items()},
                    tuple(locations[name] for name in node.inputs[1:]),
                    layer.shape,
                    layer.axis,
                    layer.product,
                    layer.side,
                    interval,
                )
                messages[rank].append(message)
    return messages


def _plain(attribute: Attribute) -> int | tuple[int, ...]:
    assert isinstance(attribute, int | tuple), "a layer that is cut has no table"
    return attribute


def read_share(message: ShareMessage, path: Path) -> LayerShare:
    """The slice that a message describes, read from a model file."""
    axis, (start, end), shape = message.axis, message.interval, message.shape
    weight, *bias = (stored.map(path) for stored in message.constants)
    index = (slice(start, end),) if axis == 0 else (slice(None), slice(start, end))
    # A file may hold them at any address.
    part = np.require(weight.reshape(shape)[index], requirements=["C_CONTIGUOUS", "ALIGNED"])
    if axis == 0:
        constants, bias = part.reshape(-1, *weight.shape[1:]), [b[start:end] for b in bias]
    else:
        # Lowered weights may lack axes of size 1. Shares of sums: one of them has the bias.
        constants, bias = part.reshape(len(part), -1, *weight.shape[2:]), bias if start == 0 else []
    inputs = ("x", "weight", "bias")[: 2 + len(bias)]
    node = Node(message.operator, message.name, inputs, message.output, message.attributes)
    kind = OPERATORS[node.operator].constant_type
    return LayerShare(
        node,
        message.product,
        message.side,
        axis,
        (start, end),
        tuple(np.asarray(c, dtype=kind) for c in (constants, *bias)),
        part,
    )


@dataclass(frozen=True)
class _Use:
    """A factor of a product: the product's number, the side, and the sizes of the axes around."""

    product: int
    side: int
    factor: Factor
    outputs: Shape
    contracted: Shape

    @property
    def output_count(self) -> int:
        """Of one sample: how many there will be is open, and their axis has no size yet."""
        return prod(size or 1 for size in self.outputs)


def _sent(use: _Use, ranks: int, contracts: bool) -> tuple[int, int]:
    """Bytes of input and of accumulators: a layer is cut along its contracted axis, or along its outputs."""
    x, accumulator = _INPUT_BYTES * prod(use.contracted), _ACCUMULATOR_BYTES * use.output_count
    return (x, ranks * accumulator) if contracts else (ranks * x, accumulator)


def _contracts(use: _Use, shape: Shape, ranks: int) -> bool:
    """Whether a layer that is cut along its contracted axis has less to send: input, sums, bound slices."""
    bound = EXTENSION_BYTES * prod(shape[1:])
    return sum(_sent(use, ranks, True)) + bound <= sum(_sent(use, ranks, False)) + ranks * bound


def _products_by_weights(relations: Sequence[Relation]) -> defaultdict[int, list[_Use]]:
    """For each stored tensor the factors that it is; none for others."""
    uses: defaultdict[int, list[_Use]] = defaultdict(list)
    numbered = ((relation, product) for relation in relations for product in relation.products)
    for number, (relation, product) in enumerate(numbered):
        for side, factor in enumerate((product.left, product.right)):
            if factor.value.stored is not None:
                use = _Use(number, side, factor, relation.affine.space, product.contracted)
                uses[factor.value.stored].append(use)
    return uses
