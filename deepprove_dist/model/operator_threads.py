"""Operators on a process's threads, and on no more: BLAS would take a thread for each core of the machine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from deepprove_dist.ahead import by_threads
from deepprove_dist.narrow_integers import LARGE, narrow_if_large
from deepprove_dist.operators.integer_operator import Inference
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.registry import OPERATORS


class OperatorThreads:
    """So many threads for the parts of large layers; smaller ones are computed by the caller's."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        # It starts a thread where an operator has parts for it, not before.
        self._executor = ThreadPoolExecutor(threads)
        self._blas = _blas()

    def infer(self, node: Node, arguments: Sequence[npt.NDArray[Any]]) -> Inference:
        """An operator's output and columns, in a block of `single_blas`; large ones in the narrowest type."""
        operator = OPERATORS[node.operator]
        parts = operator.parts(node, arguments, self._threads) if self._threads > 1 else None
        if parts is None:
            return self._narrow(operator.infer(node, arguments))
        for done in [self._executor.submit(task) for task in parts.tasks]:
            done.result()
        return self._narrow(parts.inference)

    def _narrow(self, inference: Inference) -> Inference:
        arrays = [inference.output, *inference.columns.values()]
        if all(array.size < LARGE for array in arrays):
            return inference
        output, *columns = by_threads(narrow_if_large, arrays, self._threads)
        return Inference(output, dict(zip(inference.columns, columns, strict=True)))

    def single_blas(self) -> AbstractContextManager[Any]:
        """Inside, each call of BLAS has its caller's thread alone.

        Threads of BLAS would spin for tens of milliseconds on the cores that are to prove what comes out.
        """
        limited: AbstractContextManager[Any] = self._blas.limit(limits=1)
        return limited


@cache
def _blas() -> ThreadpoolController:
    """That of numpy, which was loaded before. To look for it takes milliseconds."""
    return ThreadpoolController().select(user_api="blas")
