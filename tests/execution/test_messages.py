"""Whatever a message holds arrives as it was sent, and equal values are equal bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.errors import WorkerError
from deepprove_dist.execution.messages import (
    answer_digest,
    busy_seconds,
    decode_answer,
    decode_call,
    encode_answer,
    encode_call,
    encode_error,
)
from deepprove_dist.kernels import AxisVector, BaseVector, Extension, ExtensionVector
from tests.protocol.naive import challenges

VECTOR = challenges(3, 6)
FIELD_VALUES = (
    BaseVector.from_array(np.array([0, 1, -1, 5], dtype=np.int64)),
    BaseVector.from_bytes(b""),
    VECTOR,
    ExtensionVector([]),
    VECTOR[2],
    AxisVector.ones(),
    AxisVector.one_hot(7),
    AxisVector.eq(VECTOR),
    AxisVector.explicit(VECTOR),
)

scalars = st.one_of(st.none(), st.booleans(), st.integers(-(1 << 63), 1 << 63), st.text(), st.binary())
plain = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.integers(0, 99) | st.text(max_size=3), inner, max_size=4),
    ),
    max_leaves=12,
)


def returned(value: Any) -> Any:
    """What arrives, as an argument of a call and as an answer."""
    method, arguments = decode_call(encode_call("method", {"value": value}))
    assert method == "method"
    return decode_answer(encode_answer(arguments["value"]))


@given(value=plain)
def test_plain_values(value: object) -> None:
    assert returned(value) == value


@pytest.mark.parametrize("value", FIELD_VALUES, ids=lambda value: type(value).__name__)
def test_field_values(value: Any) -> None:
    found = returned(value)
    assert type(found) is type(value)
    assert bytes(found) == bytes(value)
    assert encode_answer(found) == encode_answer(value)


@pytest.mark.parametrize("dtype", ["i1", "<i2", "<i4", "<i8", "<f8", "<u4"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_arrays(dtype: str, shape: tuple[int, ...]) -> None:
    size = int(np.prod(shape))
    array = (np.arange(size) - 2).astype(dtype).reshape(shape)
    for own in (array, np.asfortranarray(array), array[..., ::-1] if shape else array):
        found = returned(own)
        assert (found.dtype, found.shape) == (own.dtype, own.shape)
        assert (found == own).all()


def test_tuples_arrive_as_lists_and_values_nest() -> None:
    found = returned({3: (VECTOR, [b"root"]), 5: ()})
    assert list(found) == [3, 5]
    assert bytes(found[3][0]) == bytes(VECTOR)
    assert found[3][1] == [b"root"]
    assert found[5] == []


@pytest.mark.parametrize("value", [object(), 1j, {1, 2}, np.int64(3), 1 << 70])
def test_other_values_are_not_sent(value: object) -> None:
    with pytest.raises((TypeError, OverflowError)):
        encode_answer(value)


def test_times_are_not_in_the_digest() -> None:
    quick, slow = encode_answer(VECTOR, 0.5), encode_answer(VECTOR, 2.0)
    assert answer_digest(quick) == answer_digest(slow)
    assert (busy_seconds(quick), busy_seconds(slow), busy_seconds(b"")) == (0.5, 2.0, 0.0)
    assert answer_digest(encode_answer(VECTOR.plus(VECTOR))) != answer_digest(quick)


def test_errors_are_answers() -> None:
    answer = encode_error(ValueError("too large"), 1.5)
    assert busy_seconds(answer) == 1.5
    with pytest.raises(WorkerError, match=r"^ValueError: too large$"):
        decode_answer(answer)


@given(data=st.binary(max_size=60), at=st.integers(0, 200))
def test_answers_that_were_altered_are_values_or_errors(data: bytes, at: int) -> None:
    answer = encode_answer([VECTOR, np.arange(3), {1: b"x"}])
    for altered in (data, answer[:at], answer[:at] + data, answer[:at] + data + answer[at + len(data) :]):
        try:
            decode_answer(altered)
        except WorkerError:
            continue


def test_elements_that_are_not_canonical_are_refused() -> None:
    answer = encode_answer(Extension(1))
    with pytest.raises(WorkerError, match="no answer"):
        decode_answer(answer[:-4] + b"\xff" * 4)
