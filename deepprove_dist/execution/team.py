"""The ranks that share one key, and the parts that each of them has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deepprove_dist.execution.assignment import Assignment
from deepprove_dist.execution.messages import Arguments
from deepprove_dist.kernels import Pool

if TYPE_CHECKING:
    from deepprove_dist.execution.worker_group import WorkerGroup


@dataclass(frozen=True)
class Team:
    """The first ranks of a group, as many as the deal has; `pool` runs what the coordinator does itself."""

    group: WorkerGroup
    deal: Assignment
    pool: Pool

    @property
    def capacities(self) -> list[int]:
        """Threads of each rank."""
        return [rank.threads for rank in self.group.executor.descriptions][: len(self.deal.parts)]

    def phase(self, name: str) -> AbstractContextManager[None]:
        """The calls inside belong to this phase of a proof."""
        return self.group.phase(name)

    def call(self, method: str, arguments: Mapping[int, Arguments]) -> dict[int, Any]:
        """See `WorkerGroup.call`."""
        return self.group.call(method, arguments)

    def call_all(self, method: str, **arguments: Any) -> list[Any]:
        """Calls a method of all ranks of the team; answers in the order of ranks."""
        return list(self.group.call(method, dict.fromkeys(range(len(self.deal.parts)), arguments)).values())

    def defer(self, method: str, arguments: Mapping[int, Arguments]) -> None:
        """See `WorkerGroup.defer`."""
        self.group.defer(method, arguments)

    def defer_all(self, method: str, **arguments: Any) -> None:
        """See `WorkerGroup.defer`: the same for all ranks of the team."""
        self.group.defer(method, dict.fromkeys(range(len(self.deal.parts)), arguments))

    def exchange(self, give: str, take: str, **arguments: Any) -> list[Any]:
        """Calls `give` of all ranks, then `take` of all with what all gave as `shares`; its answers."""
        return list(self.group.exchange(give, take, range(len(self.deal.parts)), arguments).values())


def by_part(answers: Sequence[Mapping[int, Any]]) -> list[Any]:
    """Values by part from several ranks, in the order of parts."""
    parts = {part: value for own in answers for part, value in own.items()}
    return [parts[part] for part in sorted(parts)]
