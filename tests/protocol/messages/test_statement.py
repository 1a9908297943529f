"""Public integers have one encoding, and none outside their range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.errors import VerificationError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.kernels import Extension
from deepprove_dist.protocol.messages.epoch import EpochWeights
from deepprove_dist.protocol.messages.proof import StatementBytes
from deepprove_dist.protocol.messages.statement import (
    decode_tensor,
    dequantise,
    encode_tensor,
    require_tensors,
    start_transcript,
)
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import PublicTensor
from tests.records import replace

BYTE = PublicTensor("x", 0, (2, 3), -100, 100, Scale.of(0.5))
EPOCH = EpochWeights(3, bytes(32), Extension(7))
STATEMENT = StatementBytes(bytes(32), EPOCH, 1, (b"in",), (b"out",), b"")

ends = st.integers(-LARGEST_SIGNED, LARGEST_SIGNED)
ranges = st.tuples(ends, ends).map(sorted) | st.tuples(ends, st.integers(0, 70000)).map(
    lambda pair: [min(pair[0], LARGEST_SIGNED - pair[1]), min(pair[0], LARGEST_SIGNED - pair[1]) + pair[1]]
)


@given(data=st.data(), interval=ranges, batch=st.integers(1, 3))
def test_decoding_undoes_encoding(data: st.DataObject, interval: list[int], batch: int) -> None:
    low, high = interval
    tensor = PublicTensor("x", 0, (2, 2), low, high, Scale.of(1.0))
    values = data.draw(st.lists(st.integers(low, high), min_size=4 * batch, max_size=4 * batch))
    array = np.array(values, dtype=np.int64).reshape(batch, 2, 2)
    encoded = encode_tensor(tensor, array)
    assert np.array_equal(decode_tensor(tensor, batch, encoded).array, array)
    assert len(encoded) == array.size * (1 if high - low < 256 else 2 if high - low < 65536 else 4)


@pytest.mark.parametrize(("span", "size"), [(0, 1), (255, 1), (256, 2), (65535, 2), (65536, 4)])
def test_an_element_takes_the_bytes_of_its_range(span: int, size: int) -> None:
    tensor = PublicTensor("x", 0, (), -7, span - 7, Scale.of(1.0))
    assert encode_tensor(tensor, np.array([span - 7])) == span.to_bytes(size, "little")
    assert encode_tensor(tensor, np.array([-7])) == bytes(size)


def test_a_value_above_the_range_is_refused() -> None:
    assert decode_tensor(BYTE, 1, bytes([200] * 6)).array.tolist() == [[[100] * 3] * 2]
    with pytest.raises(VerificationError, match=r"\(x\): a value above 100"):
        decode_tensor(BYTE, 1, bytes([200] * 5 + [201]))
    with pytest.raises(VerificationError) as caught:
        decode_tensor(BYTE, 1, bytes([0, 202, 201, 202, 0, 0]))
    assert (caught.value.index, caught.value.actual) == (1, 102)


@pytest.mark.parametrize("length", [0, 5, 7, 12])
def test_another_number_of_elements_is_refused(length: int) -> None:
    with pytest.raises(VerificationError, match="another number of elements"):
        decode_tensor(BYTE, 1, bytes(length))


@pytest.mark.parametrize("data", [(), (bytes(6), bytes(6))])
def test_another_number_of_tensors_is_refused(data: tuple[bytes, ...]) -> None:
    with pytest.raises(VerificationError, match="the model 1"):
        require_tensors((BYTE,), data)


def test_real_values_are_scaled() -> None:
    values = {"x": decode_tensor(BYTE, 1, bytes(range(6))).array}
    assert dequantise((BYTE,), values)["x"].tolist() == [[[-50, -49.5, -49], [-48.5, -48, -47.5]]]


@pytest.mark.parametrize(
    "other",
    [
        replace(STATEMENT, key_digest=bytes([1] * 32)),
        replace(STATEMENT, epoch=None),
        replace(STATEMENT, epoch=replace(EPOCH, number=4)),
        replace(STATEMENT, epoch=replace(EPOCH, root=bytes([1] * 32))),
        replace(STATEMENT, epoch=replace(EPOCH, answer=Extension(8))),
        replace(STATEMENT, batch=2),
        replace(STATEMENT, inputs=(b"im",)),
        replace(STATEMENT, inputs=(b"i", b"n")),
        replace(STATEMENT, inputs=(), outputs=(b"in", b"out")),
        replace(STATEMENT, outputs=(b"",)),
        replace(STATEMENT, outputs=(b"out", b"")),
        replace(STATEMENT, context=b"context"),
    ],
)
def test_every_part_of_a_statement_changes_the_challenges(other: StatementBytes) -> None:
    first = start_transcript(b"security", STATEMENT).digest()
    assert start_transcript(b"security", other).digest() != first
    assert start_transcript(b"other", STATEMENT).digest() != first
    assert start_transcript(b"security", STATEMENT).digest() == first
