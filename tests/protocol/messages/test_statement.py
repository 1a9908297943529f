"""Statements have the tensors of the model, and all of them is in the transcript."""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import Extension
from deepprove_dist.protocol.messages.epoch import EpochWeights
from deepprove_dist.protocol.messages.proof import StatementBytes
from deepprove_dist.protocol.messages.statement import dequantise, require_tensors, start_transcript
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import PublicTensor
from tests.records import replace

BYTE = PublicTensor("x", 0, (2, 3), -100, 100, Scale.of(0.5))
EPOCH = EpochWeights(3, bytes(32), Extension(7))
STATEMENT = StatementBytes(bytes(32), EPOCH, 1, (b"in",), (b"out",), b"")


@pytest.mark.parametrize("data", [(), (bytes(6), bytes(6))])
def test_another_number_of_tensors_is_refused(data: tuple[bytes, ...]) -> None:
    with pytest.raises(VerificationError, match="the model 1"):
        require_tensors((BYTE,), data)


def test_real_values_are_scaled() -> None:
    values = {"x": np.arange(-100, -94).reshape(1, 2, 3)}
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
