"""Work that workers made fail is done again without those that lied."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from deepprove_dist.errors import ExecutionError, WorkerError

logger = logging.getLogger(__name__)

ATTEMPTS = 3
"""Times that work is begun before workers that answer wrongly again and again are given up."""

T = TypeVar("T")


def without_faulty_workers(
    work: Callable[[], T],
    audit: Callable[[], tuple[str, ...]],
    surrounding: Callable[[], AbstractContextManager[None]],
) -> T:
    """Does the work, again where it failed and `audit` named and replaced workers that answered wrongly.

    Work and audit run inside what `surrounding` makes for each attempt. Raises what the work raised where
    nobody lied, and ExecutionError where workers cannot be replaced or go on answering wrongly.
    """
    found = ""
    for _ in range(ATTEMPTS):
        with surrounding():
            try:
                return work()
            except Exception as error:
                # A lie may end in any error, here or in an honest worker; lost workers are another matter.
                if isinstance(error, ExecutionError) and not isinstance(error, WorkerError):
                    raise
                found = ", ".join(audit())
                if not found:
                    raise
                logger.warning("workers' work failed (%s); these lied and were replaced: %s", error, found)
    raise ExecutionError(f"workers went on answering wrongly, and nothing is handed out. The last: {found}")
