"""Proofs of networks with convolutions, pooling, residual additions and views."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from deepprove_dist.kernels import Pool
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.prover import Prover, prove
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify
from tests.lowering.networks import Network, convolution, depthwise, lenet, residual, views


def max_pool(shape: tuple[int, ...], *geometry: tuple[int, ...]) -> IntegerModel:
    network = Network(shape)
    return network.model(network.max_pool("x", *geometry))


def average(
    shape: tuple[int, ...], pads: tuple[int, ...], weights: tuple[tuple[int, ...], ...]
) -> IntegerModel:
    network = Network(shape)
    return network.model(network.sum_pool("x", (3, 3), (2, 2), pads, weights))


CASES: dict[str, Callable[[], IntegerModel]] = {
    "plain": lambda: convolution((1, 3, 8, 8), (5, 3, 3, 3)),
    "stride and asymmetric padding": lambda: convolution(
        (1, 3, 9, 7), (4, 3, 3, 2), strides=(2, 1), pads=(1, 0, 1, 1)
    ),
    "dilation": lambda: convolution((1, 2, 11, 9), (4, 2, 3, 2), dilations=(2, 3), pads=(2, 1, 0, 3)),
    "one output place": lambda: convolution((1, 3, 5, 5), (4, 3, 5, 5)),
    "one output place, padded": lambda: convolution((1, 3, 4, 4), (4, 3, 5, 5), pads=(1, 1, 0, 0)),
    "pointwise with one output": lambda: convolution((1, 3, 4, 4), (1, 3, 1, 1)),
    "one input channel": lambda: convolution((1, 1, 6, 5), (2, 1, 3, 3)),
    "one row, all padding around it": lambda: convolution((1, 3, 1, 6), (2, 3, 3, 3), pads=(1, 1, 1, 1)),
    "one dimension": lambda: convolution((1, 3, 10), (5, 3, 3), strides=(2,), pads=(1, 1)),
    "depthwise to one place": lambda: convolution((1, 6, 3, 3), (6, 1, 3, 3), groups=6),
    "depthwise with a multiplier": lambda: convolution((1, 3, 5, 5), (6, 1, 3, 3), groups=3),
    "groups without places": lambda: convolution((1, 6), (4, 3), groups=2),
    "groups of one output without places": lambda: convolution((1, 6), (2, 3), groups=2),
    "groups": lambda: convolution((1, 6, 6, 6), (4, 3, 3, 3), groups=2, pads=(1, 1, 1, 1)),
    "max pool, padded and dilated": lambda: max_pool((1, 2, 9, 9), (3, 2), (2, 1), (1, 1, 0, 1), (1, 2)),
    "global max pool": lambda: max_pool((1, 2, 4, 4), (4, 4), (1, 1)),
    "max pool in one dimension": lambda: max_pool((1, 2, 9), (3,), (2,)),
    "average": lambda: average((1, 3, 12, 12), (1, 1, 1, 1), ((3, 2, 2, 2, 2, 2),) * 2),
    "lenet": lenet,
    "residual": residual,
    "depthwise and grouped network": depthwise,
    "views": views,
}


def prove_and_verify(model: IntegerModel, options: Options) -> None:
    key = Prover.generate(model, options, Pool(2))
    verifying = key_file.load(key_file.dump(key.verifying))
    random = np.random.default_rng(1)
    shape = (options.max_batch, *model.inputs[0].shape)
    for x in (random.integers(-128, 128, shape), np.full(shape, -128), np.full(shape, 127)):
        trace = key.runner.run({"x": x})
        statement = verify(verifying, prove(key, trace, options.max_batch), weights=key.public_weights)
        for tensor in model.outputs:
            assert np.array_equal(statement.output_integers[tensor.name], trace.outputs[tensor.name])


@pytest.mark.parametrize("case", CASES)
def test_proofs_of_all_inputs_verify(case: str) -> None:
    prove_and_verify(CASES[case](), Options())


@pytest.mark.parametrize("case", ["lenet", "residual", "depthwise and grouped network"])
@pytest.mark.parametrize(("weights", "samples"), [("committed", 3), ("public", 1)])
def test_batches_and_public_weights(case: str, weights: Weights, samples: int) -> None:
    prove_and_verify(CASES[case](), Options(weights=weights, max_batch=samples))


def test_smaller_batches_than_the_key_allows() -> None:
    key = Prover.generate(lenet(), Options(max_batch=4), Pool(2))
    x = np.random.default_rng(2).integers(-128, 128, (3, *key.model.inputs[0].shape))
    verify(key.verifying, prove(key, key.runner.run({"x": x}), 3))
