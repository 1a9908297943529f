"""The worker of a proof: every call's name with the function that answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from deepprove_dist.execution.phases import (
    commitments,
    inference,
    loading,
    lookups,
    opening,
    relations,
    witness,
)
from deepprove_dist.execution.state import State
from deepprove_dist.execution.worker import Worker
from deepprove_dist.memory import peak_rss_bytes


def peak_memory(state: State) -> int:
    """The most bytes that the worker's process has held; `state` is the same for all of its ranks."""
    return peak_rss_bytes()


METHODS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        method.__name__: method
        for method in (
            peak_memory,
            loading.load,
            loading.column_values,
            inference.accumulate,
            witness.begin_proof,
            witness.hold_leaves,
            commitments.witness_rows,
            commitments.commit_witness,
            commitments.commit_folded,
            commitments.open_leaves,
            relations.bind,
            lookups.build_fractions,
            lookups.start_layer,
            lookups.fold_layer,
            lookups.gather_layer,
            opening.open_columns,
            opening.gram,
            opening.bind_blocks,
            opening.evaluate,
            opening.add_powers,
            opening.add_base_powers,
            opening.remaining,
            opening.folded_values,
            opening.commit_values,
            opening.commit_last_values,
        )
    }
)
"""Functions of a rank's state and the call's arguments."""


class KeyWorker(Worker):
    """Holds parts of a key, and of the proof in progress."""

    def __init__(self, threads: int) -> None:
        super().__init__()
        self._state = State(threads)

    def call(self, method: str, arguments: Mapping[str, Any]) -> Any:
        """Answers a call by name; `load` alone depends on where the worker is."""
        if method == loading.load.__name__:
            arguments = {**arguments, "model": self.context.file(arguments["model"])}
        return METHODS[method](self._state, **arguments)
