"""Provers that lie about windows and shared axes in the middle of the protocol, for false statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import AxisWeights, Extension, ExtensionVector, SpaceWeights, Transcript
from deepprove_dist.model.inference import InferenceTrace, IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.protocol.relations import contraction
from deepprove_dist.protocol.relations.contraction import BoundRelation, ProductInstance
from deepprove_dist.protocol.system.system import System, Taps
from deepprove_dist.prover import Prover
from tests.attacks.arithmetic import ONE, ZERO, Values, inverse
from tests.attacks.expected import of_prover
from tests.attacks.models import check, honest_attempt, images, make_key, prove_fast, state, witness_of
from tests.attacks.reference_expressions import expression_values
from tests.attacks.reference_prover import Attempt, ReferenceProver
from tests.attacks.reference_sumchecks import product_sum
from tests.attacks.test_convolutions import altered
from tests.lowering.networks import convolution
from tests.records import replace

RELATIONS = "deepprove_dist.protocol.relations"


def rejected(key: Prover, proof: ProofContent) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        check(key, proof)
    return caught.value


def false_attempt(key: Prover, model: IntegerModel) -> Attempt:
    """The attempt to pass another model's inference for one of the key's model."""
    trace = IntegerRunner(model).run(images())
    attempt = Attempt(state(key, trace), trace, witness_of(key, trace))
    assert attempt.statement.outputs != honest_attempt(key, images()).statement.outputs
    return attempt


class OtherThirdFactor(ReferenceProver):
    """Scales eq of the shared axes such that a product fits any committed tensors.

    It is not sent: a verifier has its own. A prover that `hides` scales the left factor's final evaluation.
    """

    def __init__(self, key: Prover, attempt: Attempt, *, hides: bool, stubborn: bool) -> None:
        super().__init__(key, attempt, stubborn=stubborn)
        self.hides, self.ratio = hides, ONE

    def factors(self, instance: ProductInstance) -> list[Values]:
        values = super().factors(instance)
        if not instance.sumcheck.shared:
            return values
        self.ratio = required_sum(self, instance) * inverse(product_sum(values))
        return [*values[:2], [self.ratio * value for value in values[2]]]

    def alter(self, label: str, values: Values) -> Values:
        if not self.hides or label != "sumcheck/finals":
            return values
        # After the two factors of the first product.
        return [*values[:2], self.ratio * values[2], *values[3:]]


def required_sum(prover: ReferenceProver, instance: ProductInstance) -> Extension:
    """What the product would have to add up to for the committed tensors."""
    relations = prover.instance.system.relations
    (relation,) = (relation for relation in relations if instance.product in relation.products)
    total = ZERO
    for position, value in expression_values(relation.affine, prover.tensors).items():
        weight = value
        for output, index in zip(instance.outputs, position, strict=True):
            weight *= output.dense[index]
        total += weight
    return total


@pytest.fixture(scope="module")
def other_kernels(image_key: Prover) -> Attempt:
    """The depthwise convolution has the kernels of its channels swapped."""
    constants = dict(image_key.model.constants)
    (name,) = (name for name, values in constants.items() if values.shape == (2, 1, 2, 2))
    constants[name] = constants[name][::-1]
    return false_attempt(image_key, replace(image_key.model, constants=constants))


def test_a_third_factor_that_is_not_eq(
    image_key: Prover, image_attempt: Attempt, other_kernels: Attempt
) -> None:
    true = OtherThirdFactor(image_key, image_attempt, hides=False, stubborn=False)
    check(image_key, true.prove())
    assert true.ratio == ONE
    prover = OtherThirdFactor(image_key, other_kernels, hides=False, stubborn=False)
    proof = prover.prove()
    assert prover.ratio != ONE
    assert rejected(image_key, proof).check == of_prover(image_key, Check.SUMCHECK_CLAIM)
    # Nothing but the verifier's own third factor would have caught it.
    true_weight = ProductInstance.shared_weight

    def scaled(instance: ProductInstance, point: ExtensionVector) -> Extension:
        return prover.ratio * true_weight(instance, point)

    with patch.object(ProductInstance, "shared_weight", scaled):
        check(image_key, proof)


def test_a_third_factor_hidden_in_another_evaluation(image_key: Prover, other_kernels: Attempt) -> None:
    for stubborn in (False, True):
        prover = OtherThirdFactor(image_key, other_kernels, hides=True, stubborn=stubborn)
        error = rejected(image_key, prover.prove())
        assert error.check == (Check.OPENING_FINAL if stubborn else Check.OPENING_CLAIM)


def moved(taps: Taps, **changes: int) -> Taps:
    return replace(taps, map=replace(taps.map, **changes))


class OtherMaps(ReferenceProver):
    """Spreads the kernel of the first convolution by other maps than the key's."""

    def __init__(
        self,
        key: Prover,
        attempt: Attempt,
        change: Callable[[Taps, Taps], tuple[Taps, ...]],
        *,
        stubborn: bool,
    ) -> None:
        super().__init__(key, attempt, stubborn=stubborn)
        self.change = change

    def factors(self, instance: ProductInstance) -> list[Values]:
        product = instance.product
        if product.taps and not instance.sumcheck.shared:
            rows, columns = product.taps
            product = replace(product, taps=self.change(rows, columns))
            values = super().factors(replace(instance, product=product))
            assert product_sum(values) == required_sum(self, instance)
            return values
        return super().factors(instance)


@pytest.mark.parametrize("stubborn", [False, True])
@pytest.mark.parametrize(
    ("false", "change"),
    [
        pytest.param(
            {"pads": (0, 0, 1, 1)},
            lambda rows, columns: (moved(rows, offset=0), columns),
            id="another offset",
        ),
        pytest.param(
            {"pads": (1, 0, 1, 1), "dilations": (2, 1)},
            lambda rows, columns: (moved(rows, dilation=2), columns),
            id="another dilation",
        ),
        pytest.param(
            {"pads": (0, 1, 1, 0)},
            lambda rows, columns: (moved(rows, offset=0), moved(columns, offset=-1)),
            id="offsets of rows and columns traded",
        ),
    ],
)
def test_a_kernel_spread_by_other_maps(
    image_key: Prover,
    false: dict[str, Any],
    change: Callable[[Taps, Taps], tuple[Taps, ...]],
    stubborn: bool,
) -> None:
    """All sums fit the committed tensors; only the claim on the kernel itself is false."""
    attempt = false_attempt(image_key, altered(image_key.model, "conv", **false))
    error = rejected(image_key, OtherMaps(image_key, attempt, change, stubborn=stubborn).prove())
    assert error.check == (Check.OPENING_FINAL if stubborn else Check.OPENING_CLAIM)


def test_gains_of_a_max_pool_traded_between_two_window_offsets(image_key: Prover) -> None:
    """The maximum stays what it is; neither step to it does."""
    honest = honest_attempt(image_key, images()).trace
    (pool,) = {name for name, _ in honest.columns if name.startswith("max_pool")}
    columns = dict(honest.columns)
    across, down = columns[pool, "d1_1"].copy(), columns[pool, "d0_1"].copy()
    across.reshape(-1)[0] += 1
    down.reshape(-1)[0] -= 1
    assert across.shape == columns[pool, "d1_1"].shape
    columns |= {(pool, "d1_1"): across, (pool, "d0_1"): down}
    lie = replace(honest, columns=columns)
    attempt = Attempt(state(image_key, lie), lie, witness_of(image_key, lie))
    refusal = rejected(image_key, prove_fast(image_key, attempt))
    assert refusal.check == of_prover(image_key, Check.FRACTION_SUM)
    error = rejected(image_key, ReferenceProver(image_key, attempt, stubborn=True).prove())
    assert error.check == Check.OPENING_FINAL


def one_challenge(system: System, transcript: Transcript) -> list[BoundRelation]:
    """A broken protocol: rows and columns of an image are bound at the same coordinates."""
    bound = []
    for item in contraction.draw_points(system, transcript):
        *axes, rows, columns = item.axes
        bound.append(replace(item, axes=SpaceWeights([*axes, rows, AxisWeights(columns.size, rows.point)])))
    return bound


def test_two_window_offsets_that_share_one_challenge(hiding: bool) -> None:
    """An error that is antisymmetric in rows and columns vanishes where they are bound alike."""
    key = make_key(convolution((1, 2, 3, 3), (2, 2, 2, 2), pads=(1, 0, 0, 1)), hiding=hiding)
    (relation,) = key.verifying.system.relations
    assert len(relation.products[0].taps) == 2
    honest = key.runner.run(images())
    (output,) = honest.outputs

    def prove_moved(opposite: int) -> ProofContent:
        wrong = honest.outputs[output].copy()
        wrong[..., 0, 1] += 1
        wrong[..., 1, 0] += opposite
        lie = InferenceTrace({**honest.values, output: wrong}, honest.columns, {output: wrong})
        attempt = Attempt(state(key, lie), lie, witness_of(key, lie))
        return prove_fast(key, attempt)

    assert rejected(key, prove_moved(-1)).check == Check.OPENING_CLAIM
    with (
        patch(f"{RELATIONS}.prove.draw_points", one_challenge),
        patch(f"{RELATIONS}.verify.draw_points", one_challenge),
    ):
        check(key, prove_moved(-1))
        assert rejected(key, prove_moved(1)).check == Check.OPENING_CLAIM


def test_no_two_axes_of_a_relation_share_coordinates(image_key: Prover, image_attempt: Attempt) -> None:
    prover = ReferenceProver(image_key, image_attempt)
    prover.prove()
    labels = {"contraction/point", "linear/point", "sumcheck/challenge"}
    drawn = [data for label, data in prover.recorder.events if label in labels and data is not None]
    coordinates = [chunk[i : i + 20] for chunk in drawn for i in range(0, len(chunk), 20)]
    assert len(set(coordinates)) == len(coordinates) > 10
