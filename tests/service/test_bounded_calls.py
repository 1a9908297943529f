from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from deepprove_dist.service.bounded_calls import BoundedCalls

LONG, SHORT = 60.0, 0.05


class Hanging:
    """Work that ends when it is told to, and what was undone of it."""

    def __init__(self) -> None:
        self.go_on, self.undone = threading.Event(), threading.Event()

    def work(self) -> str:
        assert self.go_on.wait(LONG)
        return "done"

    def undo(self) -> None:
        self.undone.set()
        raise OSError("nobody asks")


def fail() -> None:
    raise OSError("down")


def test_work_in_time_is_as_if_it_were_called() -> None:
    calls, undone = BoundedCalls(1), list[int]()
    for _ in range(3):
        assert calls.run(lambda: 5, LONG, lambda: undone.append(1)) == 5
    assert undone == []


def test_work_that_fails_is_undone_before_its_error_is_raised() -> None:
    undone: list[int] = []
    with pytest.raises(OSError, match="down"):
        BoundedCalls().run(fail, LONG, lambda: undone.append(1))
    assert undone == [1]


def test_work_that_hangs_is_given_up_and_undone_when_it_ends() -> None:
    hanging = Hanging()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.05 s"):
        BoundedCalls().run(hanging.work, SHORT, hanging.undo)
    assert not hanging.undone.is_set()
    hanging.go_on.set()
    assert hanging.undone.wait(LONG)


def test_work_that_fails_late_is_undone_too() -> None:
    hanging = Hanging()

    def work() -> None:
        hanging.work()
        fail()

    with pytest.raises(TimeoutError):
        BoundedCalls().run(work, SHORT, hanging.undo)
    hanging.go_on.set()
    assert hanging.undone.wait(LONG)


def test_an_error_of_the_work_may_be_a_timeout_too() -> None:
    def late() -> None:
        raise TimeoutError("the store's word")

    with pytest.raises(TimeoutError, match="the store's word"):
        BoundedCalls().run(late, LONG)


def test_calls_that_hang_are_no_more_than_so_many() -> None:
    calls, hanging = BoundedCalls(1), Hanging()
    begun: list[int] = []
    run: Callable[[], None] = lambda: calls.run(lambda: begun.append(1), SHORT)  # noqa: E731
    with pytest.raises(TimeoutError):
        calls.run(hanging.work, SHORT)
    with pytest.raises(TimeoutError):
        run()
    assert begun == []
    hanging.go_on.set()
    calls.run(lambda: begun.append(1), LONG)
    assert begun == [1]
