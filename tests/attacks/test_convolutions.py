"""Provers that run another network than the key's: a convolution or a pool is computed wrongly, and the false
output is claimed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import AxisWeights, ExtensionVector, Pool, SpaceWeights
from deepprove_dist.model.inference import InferenceTrace, IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.relations.axis_weights import bind_taps, spread_taps
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.prover import Prover, prove
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify
from tests.lowering.networks import Network, convolution
from tests.records import replace


def altered(model: IntegerModel, operator: str, **attributes: Any) -> IntegerModel:
    """The model with other attributes of its first node of that kind."""
    index = next(i for i, node in enumerate(model.nodes) if node.operator == operator)
    node = model.nodes[index]
    changed = replace(node, attributes={**node.attributes, **attributes})
    return replace(model, nodes=(*model.nodes[:index], changed, *model.nodes[index + 1 :]))


def reweighted(model: IntegerModel, change: Any) -> IntegerModel:
    """The model with its first weights changed."""
    name = next(name for name in model.constants if name.endswith(".w"))
    constants: Mapping[str, Any] = {**model.constants, name: change(model.constants[name])}
    return replace(model, constants=constants)


def require_rejection(model: IntegerModel, lie: InferenceTrace, x: dict[str, Any], check: Check) -> None:
    """The honest trace verifies, and the lie, which claims another output, does not."""
    key = Prover.generate(model, Options(), Pool(1))
    honest = key.runner.run(x)
    verify(key.verifying, prove(key, honest, 1))
    output = model.outputs[0].name
    assert not np.array_equal(honest.outputs[output], lie.outputs[output])
    with pytest.raises(VerificationError) as caught:
        verify(key.verifying, prove(key, lie, 1))
    assert caught.value.check == check


def image(model: IntegerModel, seed: int = 3) -> dict[str, Any]:
    shape = (1, *model.inputs[0].shape)
    return {"x": np.random.default_rng(seed).integers(-100, 100, shape)}


SHAPE = (1, 4, 6, 6)
PADDED = {"pads": (1, 1, 1, 1)}


@pytest.mark.parametrize(
    ("weight", "geometry", "false"),
    [
        pytest.param((3, 4, 3, 3), PADDED, {"pads": (0, 1, 2, 1)}, id="a window shifted by one row"),
        pytest.param((3, 4, 3, 3), PADDED, {"pads": (1, 2, 1, 0)}, id="a window shifted by one column"),
        pytest.param((3, 4, 2, 2), {}, {"dilations": (1, 2), "pads": (0, 0, 0, 1)}, id="another dilation"),
    ],
)
def test_another_window(weight: tuple[int, ...], geometry: Any, false: Any) -> None:
    model = convolution(SHAPE, weight, **geometry)
    x = image(model)
    require_rejection(model, IntegerRunner(altered(model, "conv", **false)).run(x), x, Check.OPENING_CLAIM)


@pytest.mark.parametrize(("groups", "weight"), [(1, (3, 4, 3, 3)), (4, (4, 1, 3, 3))])
def test_an_input_that_is_bound_to_other_taps(groups: int, weight: tuple[int, ...]) -> None:
    """The sumcheck runs on what the false window gives. So sums and finals fit the false output.

    Only the last claim, about the input itself, does not hold.
    """
    model = convolution(SHAPE, weight, groups=groups, **PADDED)
    x = image(model)
    lie = IntegerRunner(altered(model, "conv", pads=(0, 0, 2, 2))).run(x)

    def bound(weights: SpaceWeights, axis: IndexMap, *arguments: Any) -> ExtensionVector:
        assert axis.offset == -1
        return bind_taps(weights, replace(axis, offset=0), *arguments)

    key = Prover.generate(model, Options(), Pool(1))
    with patch("deepprove_dist.protocol.relations.prove.bind_taps", bound):
        proof = prove(key, lie, 1)
        # With such a map of its own a verifier takes it: there is nothing else wrong.
        with patch("deepprove_dist.protocol.relations.contraction.spread_taps", shifted_taps):
            verify(key.verifying, prove(key, lie, 1))
    with pytest.raises(VerificationError) as caught:
        verify(key.verifying, proof)
    assert caught.value.check == Check.OPENING_CLAIM


def shifted_taps(weights: SpaceWeights, axis: IndexMap, size: int, taps: AxisWeights) -> AxisWeights:
    """The weights of the window that is not padded before."""
    return spread_taps(weights, replace(axis, offset=0), size, taps)


@pytest.mark.parametrize(
    ("groups", "weight", "change"),
    [
        pytest.param(1, (3, 4, 3, 3), lambda w: w[:, ::-1], id="channels swapped"),
        pytest.param(1, (3, 4, 3, 3), lambda w: w[:, :, :, ::-1], id="a kernel mirrored"),
        pytest.param(2, (4, 2, 3, 3), lambda w: np.roll(w, 2, axis=0), id="groups mixed up"),
        pytest.param(4, (4, 1, 3, 3), lambda w: np.roll(w, 1, axis=0), id="depthwise channels mixed up"),
    ],
)
def test_other_weights(groups: int, weight: tuple[int, ...], change: Any) -> None:
    model = convolution(SHAPE, weight, groups=groups)
    x = image(model)
    require_rejection(model, IntegerRunner(reweighted(model, change)).run(x), x, Check.OPENING_CLAIM)


def test_padding_that_is_not_zero() -> None:
    model = convolution(SHAPE, (3, 4, 3, 3), **PADDED)
    x = image(model)
    honest = IntegerRunner(model).run(x)
    output = model.outputs[0].name
    padded = np.pad(x["x"], [(0, 0), (0, 0), (0, 0), (1, 1), (1, 1)], constant_values=1)
    inner = convolution((1, 4, 8, 8), (3, 4, 3, 3))
    inner = replace(inner, constants=model.constants, inputs=inner.inputs)
    wrong = IntegerRunner(inner).run({"x": padded}).outputs[output]
    lie = InferenceTrace({**honest.values, output: wrong}, honest.columns, {output: wrong})
    require_rejection(model, lie, x, Check.OPENING_CLAIM)


def pool(pads: tuple[int, ...] = (0, 0, 0, 0)) -> IntegerModel:
    network = Network(SHAPE)
    return network.model(network.max_pool("x", (2, 2), (2, 2), pads))


def test_a_maximum_that_is_not_attained() -> None:
    model = pool()
    x = image(model)
    honest = IntegerRunner(model).run(x)
    output = model.outputs[0].name
    columns = dict(honest.columns)
    columns[output, "d0_1"] = columns[output, "d0_1"] + 1
    wrong = honest.outputs[output] + 1
    require_rejection(
        model,
        InferenceTrace({**honest.values, output: wrong}, columns, {output: wrong}),
        x,
        Check.FRACTION_SUM,
    )


def test_a_place_that_is_not_the_maximum() -> None:
    model = pool()
    x = image(model)
    honest = IntegerRunner(model).run(x)
    output = model.outputs[0].name
    columns = dict(honest.columns)
    gains = columns[output, "d0_1"]
    columns[output, "d0_1"] = np.zeros_like(gains)
    wrong = honest.outputs[output] - gains
    require_rejection(
        model,
        InferenceTrace({**honest.values, output: wrong}, columns, {output: wrong}),
        x,
        Check.FRACTION_SUM,
    )


def test_padding_of_a_max_pool_that_is_zero() -> None:
    model = pool((1, 1, 1, 1))
    x = {"x": image(model)["x"] - 28}
    x["x"] = np.minimum(x["x"], -1)
    require_rejection(
        model, IntegerRunner(altered(model, "max_pool", minimum=0)).run(x), x, Check.FRACTION_SUM
    )


def test_a_wrong_average() -> None:
    network = Network(SHAPE)
    weights = ((3, 2, 2), (3, 2, 2))
    model = network.model(network.sum_pool("x", (3, 3), (2, 2), (1, 1, 1, 1), weights))
    x = image(model)
    lie = IntegerRunner(altered(model, "sum_pool", weights=(2, 2, 2, 3, 2, 2))).run(x)
    require_rejection(model, lie, x, Check.OPENING_CLAIM)


def test_a_residual_connection_with_another_multiplier() -> None:
    network = Network(SHAPE)
    y = network.conv("x", (4, 4, 3, 3), pads=(1, 1, 1, 1))
    total = network.node("weighted_sum", (y, "x"), {"multipliers": (1, 17), "constant": 5})
    model = network.model(total)
    x = image(model)
    lie = IntegerRunner(altered(model, "weighted_sum", multipliers=(1, 16))).run(x)
    require_rejection(model, lie, x, Check.OPENING_CLAIM)
