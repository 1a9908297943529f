"""Shares of large layers: accumulators and bound weights join to those of the whole layer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from deepprove_dist.execution.calls.messages import decoder, encode
from deepprove_dist.execution.phases.layer_shares import (
    LayerShare,
    ShareMessage,
    SplitLayer,
    read_share,
    share_messages,
    split_layers,
)
from deepprove_dist.kernels import BaseVector, Pool
from deepprove_dist.model import file as model_file
from deepprove_dist.model.constants import index_constants
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.lower import lower
from deepprove_dist.model.operator_threads import OperatorThreads
from deepprove_dist.narrow_integers import narrow
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.relations.contraction import BoundRelation, product_instances
from deepprove_dist.protocol.relations.prove import LocalBinder, bind_to_taps
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import space_bits
from tests.execution.shared_keys import network
from tests.lowering.networks import Network
from tests.protocol.naive import challenges

POOL = Pool(1)
CAPACITIES = ((1,), (1, 1), (1, 2, 1), (3, 1, 1, 2))
AXES = {1: [1, 1, 1, 1], 2: [0, 1, 1, 1], 3: [0, 1, 1, 1], 4: [0, 1, 0, 1], 8: [0, 1, 0], 9: [1, 0], 64: []}
"""Along which axis the layers of `network` are cut for so many ranks; those that are too short are not."""


@dataclass(frozen=True)
class Cut:
    """A model whose layers are cut for some ranks, and each layer's shares by rank."""

    model: IntegerModel
    layers: dict[str, SplitLayer]
    shares: dict[str, list[LayerShare]]


def cut(model: IntegerModel, folder: Path, capacities: tuple[int, ...]) -> Cut:
    """Cuts all layers that can be, and reads the shares from a file, as workers do."""
    path = folder / "model.integer"
    path.write_bytes(model_file.dump(model))
    layers = split_layers(model, lower(model), len(capacities), 1)
    shares: dict[str, list[LayerShare]] = {name: [] for name in layers}
    for message in share_messages(layers, index_constants(path), capacities):
        for share in decoder(list[ShareMessage]).decode(encode(message)):
            shares[share.output].append(read_share(share, path))
    return Cut(model, layers, shares)


@pytest.fixture(params=CAPACITIES, ids=str)
def cuts(request: pytest.FixtureRequest, tmp_path: Path) -> Cut:
    return cut(network(), tmp_path, request.param)


def test_plain_layers_are_cut_and_grouped_ones_are_not(cuts: Cut) -> None:
    layers = list(cuts.layers.values())
    assert [layer.node.operator for layer in layers] == ["conv", "conv", "dense", "dense"]
    # The first convolution has many places, the second one many channels.
    ranks = max(map(len, cuts.shares.values()))
    assert [layer.axis for layer in layers] == AXES[ranks]
    assert [layer.node.attributes.get("groups", 1) for layer in layers] == [1, 1, 1, 1]
    assert len({(layer.product, layer.side) for layer in layers}) == 4


def test_channels_of_several_axes_are_cut_along_the_first(tmp_path: Path) -> None:
    net = Network((1, 4, 6, 2, 3))
    joined = net.node("reshape", ("x",), {"shape": (1, 24, 2, 3)})
    split = cut(net.model(net.conv(joined, (5, 24, 2, 2))), tmp_path, (1, 1))
    (layer,), ((first, second),) = split.layers.values(), split.shares.values()
    assert (layer.axis, layer.shape) == (1, (5, 4, 6, 2, 2))
    x = np.random.default_rng(3).integers(-128, 128, (2, 1, 24, 2, 3))
    shares = [
        share.accumulate(narrow(layer.cut(x, share.interval)), OperatorThreads(1))
        for share in (first, second)
    ]
    runner = IntegerRunner(split.model)
    expected = runner.run({"x": x.reshape(2, 1, 4, 6, 2, 3)}).outputs[layer.node.output]
    assert np.array_equal(layer.join_accumulators(shares), expected)


def test_a_kernel_is_not_cut(tmp_path: Path) -> None:
    """The only channel has no axis, so that the weights' second axis is the kernel's."""
    net = Network((1, 6, 7))
    image = net.node("reshape", ("x",), {"shape": (1, 1, 6, 7)})
    split = cut(net.model(net.conv(image, (5, 1, 6, 7))), tmp_path, (1, 1))
    assert all(layer.axis == 0 for layer in split.layers.values())


def test_slices_of_weights_cover_them_once(cuts: Cut) -> None:
    for name, layer in cuts.layers.items():
        weight = cuts.model.constants[layer.node.inputs[1]]
        slices = [share.weights for share in cuts.shares[name]]
        assert (np.concatenate(slices, axis=layer.axis) == weight.reshape(layer.shape)).all()


def test_accumulators_join_with_the_bias_counted_once(cuts: Cut) -> None:
    tensor = cuts.model.inputs[0]
    x = np.random.default_rng(5).integers(tensor.lo, tensor.hi + 1, (3, *tensor.shape))
    trace = IntegerRunner(cuts.model).run({tensor.name: x})
    for name, layer in cuts.layers.items():
        source = trace.values[layer.node.inputs[0]]
        shares = [
            share.accumulate(narrow(layer.cut(source, share.interval)), OperatorThreads(1))
            for share in cuts.shares[name]
        ]
        joined = layer.join_accumulators(shares)
        assert joined.dtype == np.int64
        assert (joined == trace.values[name]).all()


def test_bound_slices_join(cuts: Cut) -> None:
    system = lower(cuts.model).system.for_batch(2)
    bound = [
        BoundRelation.at(relation, challenges(index, space_bits(relation.affine.space)))
        for index, relation in enumerate(system.relations)
    ]
    products = product_instances(bound)
    for name, layer in cuts.layers.items():
        instance = products[layer.product]
        factor = instance.factors[layer.side]
        weights = cuts.model.constants[layer.node.inputs[1]].reshape(-1)
        assert factor.value.stored is not None
        joined = layer.join_bound([share.bind(products, POOL) for share in cuts.shares[name]])
        stored = factor.value.stored
        vectors = {stored: BaseVector.from_array(weights)}
        expected = LocalBinder(system, vectors, {stored: weights}, POOL).bind_factor(instance, factor)
        assert bytes(bind_to_taps(joined, instance, factor, POOL)) == bytes(expected)


def test_weights_of_several_layers_stay_here() -> None:
    network = Network((1, 16))
    x = network.relu(network.dense("x", 16))
    model = network.model(network.node("dense", (x, "dense1.w", "dense1.b"), {}))
    assert split_layers(model, lower(model), 2, 1) == {}


def test_small_layers_are_not_cut() -> None:
    model = network()
    sizes = {
        node.output: model.constants[node.inputs[1]].size
        for node in model.nodes
        if node.operator in ("dense", "conv") and node.attributes.get("groups", 1) == 1
    }
    for least in (1, *sizes.values(), 1 << 20):
        layers = split_layers(model, lower(model), 2, least)
        assert set(layers) == {name for name, size in sizes.items() if size >= least}


@pytest.mark.parametrize(
    ("ranks", "axes"),
    [(1, [1, 1, 1, 1]), (2, [0, 1, 1, 1]), (4, [0, 1, 0, 1]), (8, [0, 1, 0]), (9, [1, 0]), (64, [])],
)
def test_axes_that_are_too_short_for_all_ranks(ranks: int, axes: list[int]) -> None:
    model = network()
    layers = split_layers(model, lower(model), ranks, 1)
    for layer in layers.values():
        least = 4 if (layer.node.operator, layer.axis) == ("dense", 1) else 1
        assert layer.shape[layer.axis] >= ranks * least
    assert [layer.axis for layer in layers.values()] == axes


def test_a_single_weight_stays_here() -> None:
    """Its tensor has no axis that could be cut."""
    x, y = ModelTensor("x", (), -8, 7, Scale.of(1.0)), ModelTensor("y", (1, 1), -24, 21, Scale.of(1.0))
    view = Node("reshape", "view", ("x",), "view", {"shape": (1, 1)})
    dense = Node("dense", "dense", ("view", "w"), "y", {})
    model = IntegerModel((x,), (y,), {"w": np.array([[3]])}, (view, dense))
    lowered = lower(model)
    assert [lowered.system.tensors[tensor].shape for tensor in lowered.constants] == [()]
    assert split_layers(model, lowered, 1, 1) == {}
