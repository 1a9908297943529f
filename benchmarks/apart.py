"""Work in a process that nothing else has run in, so that its memory begins and ends with it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import ParamSpec, TypeVar

import numpy as np

from deepprove_dist.memory import machine_bytes

P = ParamSpec("P")
R = TypeVar("R")

MOST_TOUCHED = 6 << 30
"""Bytes of memory that are written before a measurement, if the machine has twice as much."""


def apart(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What a function gives in a new process.

    Raises BrokenProcessPool where that ends without a result: it may take too much memory.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *args, **kwargs).result()


def touch_memory() -> None:
    """Writes memory in a process that ends: the host of a virtual machine has found it then."""
    apart(_write, min(MOST_TOUCHED, machine_bytes() // 2))


def _write(size: int) -> None:
    np.ones(size // 8)
