"""Work is done again without faulty workers, and other errors stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import ExecutionError, PlacementError, VerificationError, WorkerError
from deepprove_dist.retry import ATTEMPTS, without_faulty_workers


class Attempts:
    """Work that fails with given errors, one after the other, and then answers 7; audits name one worker."""

    def __init__(self, *errors: Exception, faulty_workers: int = 99) -> None:
        self.log: list[str] = []
        self._errors = list(errors)
        self._faulty = faulty_workers

    def work(self, number: int) -> int:
        assert number == self.log.count("work")
        self.log.append("work")
        if self._errors:
            raise self._errors.pop(0)
        return 7

    def audit(self) -> tuple[str, ...]:
        self.log.append("audit")
        self._faulty -= 1
        return ("worker 3",) if self._faulty >= 0 else ()

    @contextmanager
    def surrounding(self) -> Iterator[None]:
        self.log.append("(")
        yield
        self.log.append(")")

    def run(self) -> int:
        return without_faulty_workers(self.work, self.audit, self.surrounding)


def test_work_that_succeeds_is_not_audited() -> None:
    attempts = Attempts()
    assert attempts.run() == 7
    assert attempts.log == ["(", "work", ")"]


@pytest.mark.parametrize(
    "error",
    [VerificationError(Check.OPENING_CLAIM, "wrong"), IndexError(3), WorkerError("failed"), TypeError("no")],
)
def test_a_lie_may_end_in_any_error(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    attempts = Attempts(error)
    assert attempts.run() == 7
    assert attempts.log == ["(", "work", "audit", ")", "(", "work", ")"]
    assert f"({error}), and its workers are replaced: worker 3" in caplog.text


@pytest.mark.parametrize("error", [VerificationError(Check.OPENING_CLAIM, "wrong"), IndexError(3)])
def test_without_a_faulty_worker_the_error_stands(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        Attempts(error, faulty_workers=0).run()
    assert caught.value is error


@pytest.mark.parametrize("error", [ExecutionError("lost too often"), PlacementError("no place")])
def test_lost_workers_are_not_faulty(error: Exception) -> None:
    attempts = Attempts(error)
    with pytest.raises(type(error)):
        attempts.run()
    assert "audit" not in attempts.log


def test_faulty_workers_without_end_are_given_up() -> None:
    attempts = Attempts(*map(ValueError, range(99)))
    with pytest.raises(ExecutionError, match=r"failed again and again.*worker 3"):
        attempts.run()
    assert attempts.log.count("work") == attempts.log.count("audit") == ATTEMPTS
