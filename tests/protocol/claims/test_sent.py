"""A value that is computed from padded scalars is the true value, and a pad part that is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.kernels import Extension, ExtensionVector
from deepprove_dist.protocol.claims.sent import PadPart, Pads, SentValue, SentVector
from tests.protocol.naive import challenges, items

seeds = st.integers(0, 2**32)


def sent(true: ExtensionVector, values: ExtensionVector) -> SentVector:
    """What a verifier knows of scalars that are sent with these pads."""
    padded = Pads(len(values), values).padded(true)
    return Pads(len(values)).received(padded)


@given(count=st.integers(1, 9), seed=seeds)
def test_a_scalar_is_sent_with_its_pad(count: int, seed: int) -> None:
    true, values = challenges(seed, count), challenges(seed + 1, count)
    received = sent(true, values)
    assert len(received) == count
    for index, scalar in enumerate(received):
        assert scalar.value == true[index] + values[index]
        assert scalar.true_value(values) == true[index]
        assert received[index] == scalar


@given(count=st.integers(1, 9), seed=seeds)
def test_affine_functions_keep_their_true_value(count: int, seed: int) -> None:
    true, values = challenges(seed, count), challenges(seed + 1, count)
    weights, (factor, constant) = challenges(seed + 2, count), items(challenges(seed + 3, 2))
    received, exact = sent(true, values), true.dot(weights)
    weighed = received.dot(weights)
    assert weighed.true_value(values) == exact
    assert received.pad_part(weights) == weighed.pads
    assert weighed.scaled(factor).true_value(values) == factor * exact
    assert (weighed + received[0]).true_value(values) == exact + true[0]
    assert (weighed - received[0]).true_value(values) == exact - true[0]
    assert (SentValue(constant) - weighed).true_value(values) == constant - exact


@given(data=st.data(), count=st.integers(1, 9), seed=seeds)
def test_a_part_has_the_pads_of_the_whole(data: st.DataObject, count: int, seed: int) -> None:
    true, values = challenges(seed, count), challenges(seed + 1, count)
    first = data.draw(st.integers(0, count - 1))
    end = data.draw(st.integers(first + 1, count))
    part = sent(true, values).part(first, end)
    assert [scalar.true_value(values) for scalar in part] == items(true)[first:end]


@given(seed=seeds)
def test_a_dense_pad_part_has_one_coefficient_a_pad(seed: int) -> None:
    run, other = challenges(seed, 3), challenges(seed + 1, 2)
    part = PadPart(((1, run),)) + PadPart(((3, other),)).scaled(Extension(2))
    zero = Extension(0)
    expected = [zero, run[0], run[1], run[2] + other[0] * 2, other[1] * 2, zero]
    assert items(part.dense(6)) == expected
    assert items(PadPart().dense(2)) == [zero, zero]


def test_pads_are_taken_in_the_order_of_sending() -> None:
    values = challenges(0, 6)
    prover, verifier = Pads(6, values), Pads(6)
    assert items(prover.take(2)) == items(values[:2])
    assert items(prover.padded(ExtensionVector([0, 0, 0]))) == items(values[2:5])
    assert (prover.remaining, verifier.remaining) == (1, 6)
    assert verifier.received(challenges(1, 2)).first == 0
    assert verifier.received(challenges(1, 3)).first == 2
    assert verifier.received(challenges(1, 1)).first == 5
    assert verifier.remaining == 0
    with pytest.raises(AssertionError, match="as many scalars"):
        verifier.received(challenges(1, 1))


def test_a_transparent_proof_has_no_pads() -> None:
    true = challenges(0, 4)
    prover, verifier = Pads(0, ExtensionVector([])), Pads(0)
    assert len(prover.take(7)) == 0
    assert items(prover.padded(true)) == items(true)
    received = verifier.received(true)
    assert received.first is None
    assert received.part(1, 3).first is None
    assert [scalar.pads.runs for scalar in received] == [()] * 4
    assert received.dot(true).pads == PadPart()
    assert (prover.remaining, verifier.remaining) == (0, 0)
