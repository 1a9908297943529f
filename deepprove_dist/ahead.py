"""Results that threads compute ahead: one of them, or several in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


def begun(work: Callable[[], Result]) -> Callable[[], Result]:
    """`work` by a thread that begins now; what is returned waits for its result, or raises what it raised."""
    pool = ThreadPoolExecutor(1)
    result = pool.submit(work).result
    pool.shutdown(wait=False)
    return result


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
