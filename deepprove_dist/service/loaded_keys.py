"""Keys in memory, ready to prove: the one that was used least recently gives way to the next.

A key whose network is large is loaded by a group of workers of its own, where the service has workers. Small
networks are proven in this process: workers would make them slower.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.memory import release_free_memory
from deepprove_dist.protocol.parameters import PROCESS_BYTES
from deepprove_dist.proving_key import ProvingKey
from deepprove_dist.service.served_key import ServedKey

logger = logging.getLogger(__name__)

OpenGroup = Callable[[], AbstractContextManager[WorkerGroup]]
"""Starts the workers of a key, for as long as the context lasts."""


@dataclass(frozen=True)
class LoadedKey:
    """A key in memory; `epoch` is the one that it was loaded for, `group` has its workers if it has any."""

    keys: ProvingKey
    memory_bytes: int
    epoch: int
    group: WorkerGroup | None
    resources: ExitStack

    def forget_losses(self) -> None:
        """Forgets which workers were lost so far: the next report is of what comes after."""
        if self.group is not None:
            self.group.recovery.forget()


class LoadedKeys:
    """Keys by name, within a limit on the memory that their estimates say. For one thread."""

    def __init__(
        self,
        limit_bytes: int,
        *,
        threads: int | None = None,
        open_group: OpenGroup | None = None,
        max_groups: int | None = None,
        share_small: bool = False,
    ) -> None:
        """Nothing is loaded yet.

        Args:
            limit_bytes: that all loaded keys together may take.
            threads: of this process.
            open_group: starts workers; without it this process does all.
            max_groups: how many keys may have workers at once; None for any number.
            share_small: workers prove small networks as well.
        """
        self._limit, self._threads, self._open_group = limit_bytes, threads, open_group
        self._max_groups, self._share_small = max_groups, share_small
        self._loaded: dict[str, LoadedKey] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The keys in memory, the least recently used first. Any thread may ask."""
        return tuple(self._loaded)

    def get(self, served: ServedKey) -> LoadedKey:
        """A key, loaded if it is not in memory, or was rekeyed since.

        Raises as `ProvingKey.load` does: MemoryLimitError for a key that is too large alone.
        """
        loaded = self._loaded.pop(served.name, None)
        if loaded is not None and loaded.epoch != served.epoch:
            loaded.resources.close()
            loaded = None
        if loaded is None:
            loaded = self._load(served)
        # Last, as the one that was used most recently.
        self._loaded[served.name] = loaded
        return loaded

    def is_current(self, served: ServedKey) -> bool:
        """Whether a key is in memory, of the epoch that its folder counts."""
        loaded = self._loaded.get(served.name)
        return loaded is not None and loaded.epoch == served.epoch

    def drop(self, name: str) -> None:
        """Forgets a key, and ends its workers."""
        loaded = self._loaded.pop(name, None)
        if loaded is not None:
            loaded.resources.close()

    def leave(self, nodes: Collection[str]) -> None:
        """Forgets keys with workers on nodes of these addresses: they start elsewhere for the next proof."""
        if not nodes:
            return
        for name, loaded in [*self._loaded.items()]:
            if any(str(worker["node"]).rpartition(" ")[2] in nodes for worker in worker_report(loaded)):
                logger.info("the workers of key %s leave a node that will go away", name)
                self.drop(name)

    def close(self) -> None:
        """Forgets all keys."""
        for name in self.names:
            self.drop(name)

    def _load(self, served: ServedKey) -> LoadedKey:
        shared = self._open_group is not None and (self._share_small or served.worth_sharing)
        needed = served.price.memory_bytes
        self._make_room(needed, shared)
        with ExitStack() as resources:
            group = None
            if shared and self._open_group is not None:
                group = resources.enter_context(self._open_group())
            epoch = served.epoch
            # Workers have memory of their own.
            memory = self._limit if group is None else None
            keys = ProvingKey.load(served.folder, threads=self._threads, workers=group, memory=memory)
            # Reaching here, the key keeps its workers.
            return LoadedKey(keys, needed, epoch, group, resources.pop_all())

    def _make_room(self, needed: int, shared: bool) -> None:
        """Forgets keys until there is room. A key that is too large alone is refused when it is loaded."""
        while self._loaded:
            total = PROCESS_BYTES + sum(loaded.memory_bytes for loaded in self._loaded.values())
            groups = [name for name, loaded in self._loaded.items() if loaded.group is not None]
            full = shared and self._max_groups is not None and len(groups) >= self._max_groups
            if total + needed <= self._limit and not full:
                return
            name = groups[0] if full else self.names[0]
            logger.info("key %s leaves the memory to another one", name)
            self.drop(name)
            release_free_memory()


def worker_report(loaded: LoadedKey) -> list[dict[str, object]]:
    """What the workers of a key run on; empty without workers, and where they are lost."""
    if loaded.group is None:
        return []
    try:
        descriptions = loaded.group.descriptions
    except ExecutionError:
        return []
    return [{"node": runs_on.node, "threads": runs_on.threads} for runs_on in descriptions]
