"""A key's digest stands for all of it, and it allows no more samples than it was made for."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import pytest

from deepprove_dist.errors import FormatError, SecurityError, VerificationError
from deepprove_dist.kernels import Extension, digest
from deepprove_dist.protocol import key as key_module
from deepprove_dist.protocol import key_file
from deepprove_dist.protocol.account import protocol_shape
from deepprove_dist.protocol.key import VerifyingKey
from deepprove_dist.protocol.layout import lay_out
from deepprove_dist.protocol.relations.system import Joined, Window
from deepprove_dist.protocol.weights import WeightCommitment
from deepprove_dist.prover import Options, ProvingKey
from tests.lowering.networks import depthwise
from tests.protocol.example import MAX_BATCH, POOL, proving_key
from tests.protocol.relations import test_joined_axes as joined
from tests.protocol.relations.test_check_windows import SYSTEM

KEY = proving_key().verifying


@pytest.mark.parametrize("batch", range(1, MAX_BATCH + 1))
def test_an_instance_has_its_number_of_samples(batch: int) -> None:
    instance = KEY.instance(batch)
    assert instance.system == KEY.system.for_batch(batch)
    assert all(instance.system.tensors[public.tensor].shape[0] == batch for public in KEY.system.public)
    assert KEY.instance(batch) is instance


@pytest.mark.parametrize("batch", [0, -1, MAX_BATCH + 1, 1 << 40])
def test_other_numbers_of_samples_are_refused(batch: int) -> None:
    with pytest.raises(VerificationError, match=f"1 to {MAX_BATCH} samples, not {batch}"):
        KEY.instance(batch)


def test_the_shape_is_that_of_the_most_samples() -> None:
    assert KEY.shape == protocol_shape(KEY.system.for_batch(MAX_BATCH))


def test_the_digest_stands_for_every_part() -> None:
    assert KEY.weights is not None
    others = [
        replace(KEY, max_batch=2),
        replace(KEY, model_digest=bytes(32)),
        replace(KEY, weights=None),
        replace(KEY, weights=WeightCommitment(bytes(32), KEY.weights.answer)),
        replace(KEY, weights=WeightCommitment(KEY.weights.root, KEY.weights.answer + 1)),
        replace(KEY, system=replace(KEY.system, lookups=KEY.system.lookups[::-1])),
        replace(KEY, system=replace(KEY.system, relations=KEY.system.relations[:1])),
        replace(KEY, schedule=replace(KEY.schedule, initial=replace(KEY.schedule.initial, queries=300))),
    ]
    digests = {KEY.digest, *(other.digest for other in others)}
    assert len(digests) == len(others) + 1
    assert replace(KEY).digest == KEY.digest
    assert all(len(own) == 32 for own in digests)


@pytest.mark.parametrize(
    "key",
    [
        replace(KEY, weights=None),
        replace(KEY, max_batch=MAX_BATCH + 100),
        replace(proving_key("public").verifying, weights=WeightCommitment(bytes(32), Extension(0))),
    ],
)
def test_sizes_that_contradict_each_other_are_refused(key: VerifyingKey) -> None:
    with pytest.raises(FormatError):
        key.check()


def test_the_digest_is_that_of_the_file() -> None:
    assert KEY.digest == digest("deepprove-dist verifying key", key_file.dump(KEY))


def test_few_samples_have_the_columns_of_the_most() -> None:
    """Or the out-of-domain claim would say nothing of the columns that they leave empty."""
    key = ProvingKey(depthwise(), Options(max_batch=64), POOL).verifying
    committed = key.schedule.initial.witness_columns
    assert lay_out(key.system.for_batch(1), key.schedule.initial.log_rows).witness_columns < committed
    assert key.instance(1).layout.witness_columns == committed


def test_the_work_of_a_check_counts_every_place_that_is_visited() -> None:
    system = SYSTEM.for_batch(1)
    # 1 for each term, constant and box; for a window its places, weights, and the tensor's places, twice.
    step, gains, output, inputs = 1 + 2 * (1 + 4 + 4 + 8 + 1 + 8), 2, 2, 2
    # The window's axis of the weights, of two boxes, is listed; spreading takes 4 places of 3 taps.
    weights, spreading = 1 + 3 + (1 + 2) + (1 + 1), 4 * 3 + 8
    table = 2 * 2
    expected = step + gains + output + inputs + weights + spreading + table
    assert key_module._work(system, lay_out(system, 6)) == expected


def test_joined_axes_cost_the_products_of_their_weights() -> None:
    system = joined.SYSTEM.for_batch(1)
    # Two terms and boxes of x and y, joined in closed form; the output; places of two taps, products, places
    # of the contracted axis; weights of a window, listed; inputs.
    cut = 2 + 2 + 2
    expected = cut + (1 + 2) + (6 * 2 + 6 + 6) + (3 + 1 + 2) + (1 + 2)
    assert key_module._work(system, lay_out(system, 6)) == expected
    other = joined.following(0, Joined((1, 2))).for_batch(1)
    assert key_module._work(other, lay_out(other, 6)) == cut + 6 + 6
    ranged = joined.constant(Joined((1, 2)), 0, 4).for_batch(1)
    assert key_module._work(ranged, lay_out(ranged, 6)) == cut + 1 + 6


@pytest.mark.parametrize(("weights", "witness"), [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_the_schedule_has_the_columns_of_the_layout(weights: int, witness: int) -> None:
    initial, layout = KEY.schedule.initial, KEY.instance(MAX_BATCH).layout
    key_file.require_columns(initial, layout, exact=True)
    other = replace(
        layout,
        weight_columns=layout.weight_columns + weights,
        witness_columns=layout.witness_columns + witness,
    )
    # Fewer samples have fewer columns of the witness, and of nothing else.
    fewer = nullcontext() if witness < 0 else pytest.raises(FormatError, match="for other sizes")
    with fewer:
        key_file.require_columns(initial, other, exact=False)
    with pytest.raises(FormatError, match="for other sizes"):
        key_file.require_columns(initial, other, exact=True)


def test_relations_that_take_too_long_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    replace(KEY).check()
    monkeypatch.setattr(key_module, "MAX_WORK", 20)
    with pytest.raises(FormatError, match="too long"):
        replace(KEY).check()


@pytest.mark.parametrize("taps", [1 << 20, 1 << 24])
def test_windows_that_take_too_long_are_refused(taps: int) -> None:
    key = ProvingKey(depthwise(), Options(), POOL).verifying
    key.check()
    sliced = key.system.relations[2]
    (term,) = sliced.products[0].left.value.terms
    assert isinstance(term.axes[0], Window)
    wide = replace(term, axes=(replace(term.axes[0], taps=taps, first=0, end=4), *term.axes[1:]))
    product, *others = sliced.products
    left = replace(product.left, value=replace(product.left.value, terms=(wide,)))
    relation = replace(sliced, products=(replace(product, left=left), *others))
    system = replace(key.system, relations=(*key.system.relations[:2], relation))
    if taps * 4 < key_module.MAX_WORK:
        replace(key, system=system).check()
    else:
        with pytest.raises(FormatError, match="too long"):
            replace(key, system=system).check()


def test_more_lookups_than_the_field_counts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_module, "MODULUS", KEY.shape.lookups.fractions)
    with pytest.raises(FormatError, match="more lookups"):
        replace(KEY).check()


def test_a_schedule_below_the_security_level_is_refused() -> None:
    initial = replace(KEY.schedule.initial, queries=KEY.schedule.initial.queries - 20)
    with pytest.raises(SecurityError):
        replace(KEY, schedule=replace(KEY.schedule, initial=initial)).check()
