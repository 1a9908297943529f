"""Whatever a message holds arrives as it was sent, with its type, and equal values are equal bytes."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.errors import PeerError, WorkerError
from deepprove_dist.execution.calls.messages import decoder, encode
from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.calls.requests import (
    Answer,
    Outcome,
    Run,
    method_call,
    read_answer,
    read_request,
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
Integers = npt.NDArray[np.signedinteger[Any]]

scalars = st.one_of(st.none(), st.booleans(), st.integers(-(1 << 63), 1 << 63), st.text(), st.binary())
plain = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.integers(0, 99) | st.text(max_size=3), inner, max_size=4),
    ),
    max_leaves=12,
)


class State:
    """Of methods whose types are what matters here."""

    def anything(self, value: Any) -> Any:
        return value

    def nested(self, values: dict[int, tuple[ExtensionVector, bytes]]) -> list[BaseVector]:
        return []

    def array(self, x: Integers) -> Integers:
        return x


@given(value=plain)
def test_plain_values(value: object) -> None:
    assert Call.to(State.anything, value).read(encode(value)) == value


@pytest.mark.parametrize("value", FIELD_VALUES, ids=lambda value: type(value).__name__)
def test_field_values(value: Any) -> None:
    copy = decoder(type(value)).decode(encode(value))
    assert type(copy) is type(value)
    assert bytes(copy) == bytes(value)
    assert encode(copy) == encode(value)


@pytest.mark.parametrize("dtype", ["i1", "<i2", "<i4", "<i8"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_arrays(dtype: str, shape: tuple[int, ...]) -> None:
    size = int(np.prod(shape))
    array = (np.arange(size) - 2).astype(dtype).reshape(shape)
    for sent in (array, np.asfortranarray(array), array[..., ::-1] if shape else array):
        copy = decoder(Integers).decode(encode(sent))
        assert (copy.dtype, copy.shape) == (sent.dtype, sent.shape)
        assert (copy == sent).all()


@pytest.mark.parametrize(
    "content",
    [
        3,
        [],
        ["<i4", [3], b"1234"],
        ["<i4", [-1], bytes(8)],
        ["<i4", [True], bytes(4)],
        ["|O", [1], bytes(8)],
        ["<f8", [1], bytes(8)],
        ["<i4", 1, bytes(4)],
    ],
)
def test_what_is_no_array(content: object) -> None:
    with pytest.raises(ValueError, match=r"array|size|reshape"):
        decoder(Integers).decode(encode(content))


def test_a_call_has_the_types_of_its_signature() -> None:
    call = Call.to(State.nested, {3: (VECTOR, b"root")})
    assert call.method.name == "nested"
    values = call.method.read_arguments(call.arguments)["values"]
    assert bytes(values[3][0]) == bytes(VECTOR)
    assert values[3][1] == b"root"
    (vector,) = call.read(encode([FIELD_VALUES[0]]))
    assert bytes(vector) == bytes(FIELD_VALUES[0])


def test_arguments_may_have_names_or_places() -> None:
    assert Call.to(State.anything, 5).arguments == Call.to(State.anything, value=5).arguments


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({}, "values"),
        ({"values": {}, "more": 1}, "more"),
        ({"values": {"a": 1}}, r"\$\.values"),
        ({"values": {1: [b"123", b""]}}, r"\$\.values\[...\]\[0\]"),
        ({"values": {1: [b"", b"", b""]}}, r"\$\.values\[...\]"),
    ],
)
def test_other_arguments_are_refused_with_their_path(arguments: dict[str, Any], path: str) -> None:
    with pytest.raises(ValueError, match=path):
        Call.to(State.nested, {}).method.read_arguments(encode(arguments))


@pytest.mark.parametrize("value", [object(), 1j, {1 + 1j}, np.int64(3), 1 << 70, np.zeros(3)])
def test_other_values_are_not_sent(value: object) -> None:
    with pytest.raises((TypeError, OverflowError)):
        encode(value)


def test_requests_arrive_as_they_were_sent() -> None:
    run = Run((method_call(Call.to(State.anything, 1)), method_call(Call.to(State.array, np.arange(3)))))
    copy = read_request(encode(run))
    assert encode(copy) == encode(run)


def test_errors_are_answers() -> None:
    answer = read_answer(encode(Answer(1.5, 7, Outcome.of_error(ValueError("too large")))))
    assert (answer.seconds, answer.fetched) == (1.5, 7)
    with pytest.raises(WorkerError, match=r"^ValueError: too large$"):
        answer.outcome.require()
    with pytest.raises(PeerError, match=r"^gone$"):
        Outcome.of_error(PeerError("gone")).require()


def test_the_digest_is_of_values_and_errors() -> None:
    outcomes = [
        Outcome.of_value(VECTOR),
        Outcome.of_value(VECTOR.plus(VECTOR)),
        Outcome.of_error(ValueError()),
    ]
    assert len({outcome.digest() for outcome in outcomes}) == 3
    assert Outcome.of_value(VECTOR).digest() == outcomes[0].digest()


@given(data=st.binary(max_size=60), at=st.integers(0, 200))
def test_answers_that_were_altered_are_values_or_errors(data: bytes, at: int) -> None:
    call = Call.to(State.nested, {})
    answer = encode(Answer(0.0, 0, Outcome.of_value([FIELD_VALUES[0]])))
    for altered in (data, answer[:at], answer[:at] + data, answer[:at] + data + answer[at + len(data) :]):
        try:
            call.read(read_answer(altered).outcome.require())
        except (WorkerError, ValueError):
            continue


def test_elements_that_are_not_canonical_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        decoder(Extension).decode(encode(b"\xff" * len(bytes(Extension(1)))))


@pytest.mark.parametrize(("largest", "width"), [(127, 1), (1 << 14, 2), (1 << 20, 4)])
def test_base_vectors_take_as_few_bytes_as_hold_their_integers(largest: int, width: int) -> None:
    values = np.array([largest, -largest, 0, 3] * 1000, dtype=np.int64)
    vector = BaseVector.from_array(values)
    message = encode(vector)
    assert width * len(values) < len(message) < width * len(values) + 50
    assert bytes(decoder(BaseVector).decode(message)) == bytes(vector)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(7),
        (1).to_bytes(8, "little"),
        (1 << 60).to_bytes(8, "little") + b"\x01\x80",
        (1).to_bytes(8, "little") + b"\x03\x00\x00\x00",
        (1).to_bytes(8, "little") + b"\x01\x80\x00",
        # The number 0 in two bytes, where one is enough, and one beyond the field.
        (1).to_bytes(8, "little") + b"\x02\x00\x80",
        (1).to_bytes(8, "little") + b"\x04\xff\xff\xff\xff",
    ],
)
def test_other_bytes_are_no_base_vector(content: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoder(BaseVector).decode(encode(content))
