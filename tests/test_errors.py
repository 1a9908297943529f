"""Errors of the package cross between processes whole."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import (
    AccuracyError,
    AccuracyWarning,
    Cause,
    ChoiceError,
    DeepProveError,
    InputRangeError,
    MemoryLimitError,
    Problem,
    UnsupportedModelError,
    VerificationError,
    WorkerLost,
)

ERRORS = (
    DeepProveError("a sentence"),
    ChoiceError("a misspelt name"),
    MemoryLimitError(3_000_000_000, 2_000_000_000),
    VerificationError(Check.SUMCHECK_CLAIM, "it differs", subject="relations", expected=3, actual=4),
    UnsupportedModelError((Problem("n", "Loop", "it has no end", "loops of few rounds"),)),
    InputRangeError("'x' has 9", clamps=True),
    AccuracyError((AccuracyWarning("layer", Cause.BOUND, "is off", "Raise the bits."),)),
    WorkerLost({1: "is silent"}, {0: b"answer"}),
)


def failing(error: DeepProveError) -> None:
    raise error


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_after_pickling(error: DeepProveError) -> None:
    other = pickle.loads(pickle.dumps(error))
    assert type(other) is type(error)
    assert (str(other), other.args, vars(other)) == (str(error), error.args, vars(error))


def test_a_pool_of_processes_hands_an_error_on() -> None:
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(MemoryLimitError, match=r"a proof needs 3\.00 GB of memory") as caught,
    ):
        pool.submit(failing, MemoryLimitError(3_000_000_000, 2_000_000_000)).result()
    assert caught.value.needed == 3_000_000_000
