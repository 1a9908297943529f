"""Work that failed because of faulty workers is done again after they were replaced."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from deepprove_dist.errors import ExecutionError, WorkerError

logger = logging.getLogger(__name__)

ATTEMPTS = 3
"""How often the work is begun before the workers, answering wrongly again and again, are given up."""

T = TypeVar("T")


def without_faulty_workers(
    work: Callable[[int], T],
    audit: Callable[[], tuple[str, ...]],
    surrounding: Callable[[], AbstractContextManager[None]],
) -> T:
    """Does the work; does it again where it failed and `audit` named and replaced faulty workers.

    The work is given its attempt's number, from 0: no two attempts may draw the same random values.

    Work and audit run inside what `surrounding` makes for each attempt. Raises what the work raised where
    no worker was faulty. Raises ExecutionError where workers cannot be replaced or go on answering wrongly.
    """
    faulty = ""
    for attempt in range(ATTEMPTS):
        with surrounding():
            try:
                return work(attempt)
            except Exception as error:
                # A wrong answer may end in any error, here or in an honest worker.
                if isinstance(error, ExecutionError) and not isinstance(error, WorkerError):
                    raise
                faulty = ", ".join(audit())
                if not faulty:
                    raise
                logger.warning(
                    "work failed (%s), and its workers are replaced: %s; retries left: %d",
                    *(error, faulty, ATTEMPTS - attempt - 1),
                    extra={"event": "retry", "faulty": faulty, "retries_left": ATTEMPTS - attempt - 1},
                )
    raise ExecutionError(f"workers failed again and again, and nothing is handed out. The last: {faulty}")
