"""Checks of the compiled kernels, as the verifier's errors: with the subject that a kernel does not know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import Rejected

_BY_NAME = {check.value: check for check in Check}


@contextmanager
def checking(subject: str | None = None) -> Iterator[None]:
    """Raises VerificationError where a kernel inside raises Rejected; `subject` is what is checked."""
    try:
        yield
    except Rejected as rejected:
        raise VerificationError(
            _BY_NAME[rejected.check],
            rejected.message,
            subject=subject,
            round=rejected.round,
            index=rejected.index,
            expected=rejected.expected,
            actual=rejected.actual,
        ) from rejected
