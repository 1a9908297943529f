"""Networks with several inputs and outputs, and with tensors of no axes beside the samples."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import ExtensionVector
from deepprove_dist.model.inference import InferenceTrace
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.prover import Prover
from tests.attacks.models import check, make_key, prove_fast, state, witness_of
from tests.attacks.reference_prover import Attempt, ReferenceProver
from tests.records import replace


def branches() -> IntegerModel:
    """y = W x + b and z = W u: two networks of one shape, side by side, with the same weights."""
    weights = np.array([[3, -1], [2, 7]])
    nodes = (Node("dense", "y", ("x", "w", "b"), "y", {}), Node("dense", "z", ("u", "w"), "z", {}))
    inputs = (ModelTensor("x", (2,), -8, 7, Scale.of(1.0)), ModelTensor("u", (2,), -8, 7, Scale.of(1.0)))
    outputs = (
        ModelTensor("y", (2,), -72, 63, Scale.of(1.0)),
        ModelTensor("z", (2,), -72, 63, Scale.of(1.0)),
    )
    return IntegerModel(inputs, outputs, {"w": weights, "b": np.array([5, 0])}, nodes)


def single() -> IntegerModel:
    """One input, one output: all tensors have the samples' axis at most."""
    constants = {"w": np.array([[3]]), "b": np.array([-2])}
    output = ModelTensor("y", (1,), -26, 19, Scale.of(1.0))
    nodes = (Node("dense", "y", ("x", "w", "b"), "y", {}),)
    return IntegerModel((ModelTensor("x", (1,), -8, 7, Scale.of(1.0)),), (output,), constants, nodes)


@pytest.fixture(scope="module", params=["committed", "public"])
def wide(request: pytest.FixtureRequest, hiding: bool) -> Prover:
    return make_key(branches(), folds=False, weights=request.param, hiding=hiding)


@pytest.fixture(scope="module", params=["committed", "public"])
def narrow(request: pytest.FixtureRequest, hiding: bool) -> Prover:
    return make_key(single(), folds=False, weights=request.param, hiding=hiding)


def attempt(key: Prover, claimed: InferenceTrace, samples: int) -> Attempt:
    """The true witness of random inputs, and a statement of the values that `claimed` has."""
    return Attempt(state(key, claimed), claimed, witness_of(key, run(key, samples)))


def run(key: Prover, samples: int) -> InferenceTrace:
    random = np.random.default_rng(samples)
    shapes = {tensor.name: (samples, *tensor.shape) for tensor in key.model.inputs}
    return key.runner.run({name: random.integers(-8, 8, shape) for name, shape in shapes.items()})


def require_rejection(key: Prover, true: InferenceTrace, false: InferenceTrace, samples: int) -> None:
    honest = attempt(key, true, samples)
    check(key, prove_fast(key, honest))
    check(key, ReferenceProver(key, honest, stubborn=True).prove())
    assert state(key, false) != state(key, true)
    lie = attempt(key, false, samples)
    # Without hidden layers nothing is looked up.
    for proof in (prove_fast(key, lie), ReferenceProver(key, lie, stubborn=True).prove()):
        with pytest.raises(VerificationError) as caught:
            check(key, proof)
        assert caught.value.check in {Check.OPENING_CLAIM, Check.OPENING_FINAL}


@pytest.mark.parametrize("samples", [1, 2, 3])
@pytest.mark.parametrize("name", ["x", "u", "y", "z"])
def test_each_of_several_public_tensors_is_bound(wide: Prover, name: str, samples: int) -> None:
    true = run(wide, samples)
    values = true.values[name].copy()
    values[-1, 1] += 1 if values[-1, 1] < 7 else -1
    false = replace(true, values={**true.values, name: values})
    require_rejection(wide, true, replace(false, outputs={k: false.values[k] for k in "yz"}), samples)


@pytest.mark.parametrize("pair", ["xu", "yz"])
def test_public_tensors_of_one_shape_do_not_trade_places(wide: Prover, pair: str) -> None:
    true = run(wide, 2)
    first, second = pair[0], pair[1]
    traded = {first: true.values[second], second: true.values[first]}
    values = {**true.values, **traded}
    false = replace(true, values=values, outputs={k: values[k] for k in "yz"})
    require_rejection(wide, true, false, 2)


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("name", ["x", "y"])
def test_tensors_without_axes_of_their_own_are_bound(narrow: Prover, name: str, samples: int) -> None:
    true = run(narrow, samples)
    values = {**true.values, name: true.values[name] ^ 1}
    false = replace(true, values=values, outputs={"y": values["y"]})
    require_rejection(narrow, true, false, samples)


def test_a_fraction_tree_of_a_network_without_lookups_is_refused(narrow: Prover) -> None:
    proof = prove_fast(narrow, attempt(narrow, run(narrow, 1), 1))
    assert len(proof.fractions) == 0
    check(narrow, proof)
    with pytest.raises(VerificationError) as caught:
        check(narrow, replace(proof, fractions=ExtensionVector([0])))
    assert caught.value.check == Check.FRACTION_ABSENT
