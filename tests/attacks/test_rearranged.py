"""Provers that put elements in another order than the key's network, or lie about joined axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.model.inference import InferenceTrace, IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.operators.attributes import integers
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.system import System
from deepprove_dist.prover import Prover
from tests.attacks.expected import of_prover
from tests.attacks.models import (
    check,
    commit_tensors,
    honest_attempt,
    make_key,
    prove_fast,
    state,
    witness_of,
)
from tests.attacks.reference_prover import Attempt, ReferenceProver
from tests.attacks.test_convolutions import image, require_rejection
from tests.lowering.networks import Network
from tests.lowering.rearranged import NETWORKS, shuffled
from tests.records import replace


def small() -> IntegerModel:
    """Inputs cut in two ways, an accumulator whose places are cut, and outputs of a depthwise layer."""
    network = Network((1, 2, 3, 3))
    x = shuffled(network, "x", (2, 9), (1, 0), (3, 3, 2))
    x = network.conv(x, (4, 3, 2, 1), pads=(1, 0, 0, 0))
    x = network.relu(shuffled(network, x, (2, 2, 3, 2), (1, 3, 2, 0), (2, 6, 2)))
    x = network.relu(network.conv(x, (4, 1, 2, 2), groups=2))
    return network.model(network.dense(x, 2))


def values(samples: int = 1) -> dict[str, Any]:
    return {"x": np.random.default_rng(4).integers(-128, 128, (samples, 1, 2, 3, 3))}


@pytest.fixture(scope="module")
def key(hiding: bool) -> Prover:
    return make_key(small(), hiding=hiding)


def joined_axes(system: System) -> list[IndexMap]:
    affines = [r.affine for r in system.relations]
    affines += [f.value for r in system.relations for p in r.products for f in (p.left, p.right)]
    axes = [axis for affine in affines for term in affine.terms for axis in term.axes]
    axes += [taps.map for r in system.relations for p in r.products for taps in p.taps]
    return [axis for axis in axes if isinstance(axis, IndexMap) and len(axis.axes) > 1]


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("stubborn", [False, True])
def test_an_honest_reference_prover_makes_the_real_bytes(key: Prover, samples: int, stubborn: bool) -> None:
    """It takes joined axes apart by the definition, place by place."""
    assert len(joined_axes(key.verifying.system)) > 2
    attempt = honest_attempt(key, values(samples))
    real = prove_fast(key, attempt)
    assert proof_file.dump(ReferenceProver(key, attempt, stubborn=stubborn).prove()) == proof_file.dump(real)
    check(key, real)


def without_transposition(model: IntegerModel, number: int) -> IntegerModel:
    """The model with one transposition left out; the reshape after it takes any shape."""
    index = [i for i, node in enumerate(model.nodes) if node.operator == "transpose"][number]
    rank = len(integers(model.nodes[index], "permutation"))
    same = replace(model.nodes[index], attributes={"permutation": tuple(range(rank))})
    return replace(model, nodes=(*model.nodes[:index], same, *model.nodes[index + 1 :]))


@pytest.mark.parametrize("number", [0, 1])
def test_another_permutation(key: Prover, number: int) -> None:
    lie = IntegerRunner(without_transposition(small(), number)).run(values())
    attempt = Attempt(state(key, lie), lie, witness_of(key, lie))
    assert attempt.statement.outputs != honest_attempt(key, values()).statement.outputs
    with pytest.raises(VerificationError) as caught:
        check(key, prove_fast(key, attempt))
    assert caught.value.check == Check.OPENING_CLAIM
    with pytest.raises(VerificationError) as caught:
        check(key, ReferenceProver(key, attempt, stubborn=True).prove())
    assert caught.value.check == Check.OPENING_FINAL


@pytest.mark.parametrize("name", ["patches", "places of an accumulator"])
def test_another_permutation_of_an_output(name: str) -> None:
    model = NETWORKS[name]()
    x = image(model)
    honest = IntegerRunner(model).run(x)
    output = model.outputs[0].name
    wrong = np.roll(honest.outputs[output], 1, axis=-1)
    lie = InferenceTrace({**honest.values, output: wrong}, honest.columns, {output: wrong})
    require_rejection(model, lie, x, Check.OPENING_CLAIM)


def test_another_permutation_of_an_accumulator_in_limbs() -> None:
    model = NETWORKS["accumulators without common axes"]()
    x = image(model)
    require_rejection(model, IntegerRunner(without_transposition(model, 0)).run(x), x, Check.OPENING_CLAIM)


@pytest.mark.parametrize("step", [1, -1, 4096])
def test_a_limb_of_an_accumulator_alone(hiding: bool, step: int) -> None:
    """One limb of the stored accumulator is another number, in its range or outside of it."""
    key = make_key(NETWORKS["accumulators without common axes"](), hiding=hiding)
    x = image(key.model)
    trace = key.runner.run(x)
    honest = witness_of(key, trace)
    names = [tensor.name for tensor in key.verifying.system.tensors]
    limb = next(index for index, name in enumerate(names) if name.endswith(" input.0"))
    changed = honest.tensors[limb].copy()
    changed[2] += step
    witness = commit_tensors(key, 1, {**honest.tensors, limb: changed})
    attempt = Attempt(state(key, trace), trace, witness)
    with pytest.raises(VerificationError) as caught:
        check(key, prove_fast(key, attempt))
    assert caught.value.check == of_prover(key, Check.FRACTION_SUM)
