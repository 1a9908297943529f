"""Results computed ahead: in order, no more than asked for, and errors at their place."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from deepprove_dist.ahead import begun, by_threads, in_order, one_ahead


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_results_are_in_the_order_of_their_parts(threads: int) -> None:
    # The first part waits for the second one, which another thread computes.
    second = threading.Event()

    def work(part: int) -> int:
        if part == 1:
            second.set()
        elif part == 0 and threads > 1:
            assert second.wait(60)
        return part * part

    assert list(in_order(work, range(9), threads)) == [part * part for part in range(9)]


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_no_more_parts_are_taken_than_threads_work_on(threads: int) -> None:
    taken = 0

    def parts() -> Iterator[int]:
        nonlocal taken
        for part in range(100):
            taken += 1
            yield part

    results = in_order(lambda part: part, parts(), threads)
    assert next(results) == 0
    assert taken == threads + 1


@pytest.mark.parametrize("threads", [0, 2])
def test_an_error_is_raised_at_its_place(threads: int) -> None:
    def work(part: int) -> int:
        if part == 2:
            raise ValueError("the third part")
        return part

    results = in_order(work, range(5), threads)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="the third part"):
        next(results)


def test_work_has_begun_before_its_result_is_asked_for() -> None:
    done = threading.Event()

    def work() -> int:
        done.set()
        return 5

    result = begun(work)
    assert done.wait(60)
    assert result() == 5


def test_an_error_comes_with_the_result() -> None:
    result = begun(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        result()


@pytest.mark.parametrize("threads", [0, 1, 2, 7])
def test_threads_share_parts(threads: int) -> None:
    names = set[str]()
    barrier = threading.Barrier(max(threads, 1))

    def work(part: int) -> int:
        if part < max(threads, 1):
            # As many parts at once as there are threads.
            barrier.wait(60)
        names.add(threading.current_thread().name)
        return part * part

    assert by_threads(work, range(9), threads) == [part * part for part in range(9)]
    assert len(names) == max(threads, 1)
    assert threading.current_thread().name in names
    assert by_threads(work, [], threads) == []


@pytest.mark.parametrize("wrong", [0, 5])
def test_shared_parts_raise_what_they_raise(wrong: int) -> None:
    with pytest.raises(ZeroDivisionError):
        by_threads(lambda part: 1 // (part - wrong), range(9), 2)


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_the_next_result_is_begun_before_one_is_given(count: int) -> None:
    begun_parts = [threading.Event() for _ in range(count)]

    def work(part: int) -> int:
        begun_parts[part].set()
        return part * part

    given = 0
    for part, result in enumerate(one_ahead(work, range(count))):
        assert result == part * part
        # Nobody asks for it yet.
        assert part + 1 == count or begun_parts[part + 1].wait(60)
        assert not any(event.is_set() for event in begun_parts[part + 2 :])
        given += 1
    assert given == count


def test_errors_of_what_is_one_ahead_are_raised_at_their_place() -> None:
    results = one_ahead(lambda part: 6 // part, (2, 0, 3))
    assert next(results) == 3
    with pytest.raises(ZeroDivisionError):
        next(results)
