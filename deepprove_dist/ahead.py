"""Results that threads compute: one ahead, several ahead in their order, or all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


def begun(work: Callable[[], Result]) -> Callable[[], Result]:
    """`work` by a thread that begins now; what is returned waits for its result, or raises what it raised."""
    pool = ThreadPoolExecutor(1)
    result = pool.submit(work).result
    pool.shutdown(wait=False)
    return result


def one_ahead(work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
    """`work` of each part, in their order: another thread begins the next one before a result is given.

    What `work` raises is raised at its place in the order.
    """
    waiting = iter(parts)
    for first in waiting:
        result = begun(partial(work, first))
        for part in waiting:
            # The next one begins after this one: two at once would take turns.
            value = result()
            result = begun(partial(work, part))
            yield value
        yield result()


def in_order(work: Callable[[Part], Result], parts: Iterable[Part], threads: int) -> Iterator[Result]:
    """`work` of each part, in the order of the parts, by so many threads.

    As many results are computed ahead, no more, so memory is that of a few. With no thread the caller's
    computes what is asked for. What `work` raises is raised at its place in the order.
    """
    if threads == 0:
        yield from map(work, parts)
        return
    with ThreadPoolExecutor(threads) as pool:
        ahead = deque[Future[Result]]()
        for part in parts:
            if len(ahead) >= threads:
                yield ahead.popleft().result()
            ahead.append(pool.submit(work, part))
        while ahead:
            yield ahead.popleft().result()


def by_threads(work: Callable[[Part], Result], parts: Collection[Part], threads: int) -> list[Result]:
    """`work` of all parts, in the order of the parts, by so many threads, the caller's among them.

    A thread takes the next part as soon as it is done with one. So small parts cost no more than their work.
    With less than two threads the caller's does all. Raises what `work` raises.
    """
    if threads < 2 or len(parts) < 2:
        return [*map(work, parts)]
    results, waiting = dict[int, Result](), iter([*enumerate(parts)])

    def take() -> None:
        # No two threads get the same item of a list's iterator.
        for index, part in waiting:
            results[index] = work(part)

    with ThreadPoolExecutor(threads - 1) as pool:
        others = [pool.submit(take) for _ in range(threads - 1)]
        take()
        for other in others:
            other.result()
    return [results[index] for index in range(len(parts))]
