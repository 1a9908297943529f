"""Work in a process of its own."""

from __future__ import annotations

import os
from concurrent.futures.process import BrokenProcessPool

import pytest

from benchmarks.apart import apart


def test_another_process_gives_the_result() -> None:
    assert apart(divmod, 7, 2) == (3, 1)
    assert apart(os.getpid) != os.getpid()


def test_a_process_that_is_killed_is_an_error() -> None:
    with pytest.raises(BrokenProcessPool):
        apart(os._exit, 9)
