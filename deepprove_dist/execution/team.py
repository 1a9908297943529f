"""The seats that share one key, and the parts that each of them has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deepprove_dist.execution.deal import Deal
from deepprove_dist.execution.messages import Arguments
from deepprove_dist.kernels import Pool

if TYPE_CHECKING:
    from deepprove_dist.execution.crew import Crew


@dataclass(frozen=True)
class Team:
    """The first seats of a crew, as many as the deal has; `pool` runs what the coordinator does itself."""

    crew: Crew
    deal: Deal
    pool: Pool

    @property
    def capacities(self) -> list[int]:
        """Threads of each seat."""
        return [seat.threads for seat in self.crew.executor.seats][: len(self.deal.parts)]

    def phase(self, name: str) -> AbstractContextManager[None]:
        """The calls inside belong to this phase of a proof."""
        return self.crew.phase(name)

    def call(self, method: str, arguments: Mapping[int, Arguments]) -> dict[int, Any]:
        """See `Crew.call`."""
        return self.crew.call(method, arguments)

    def call_all(self, method: str, **arguments: Any) -> list[Any]:
        """Calls a method of all seats of the team; answers in the order of seats."""
        return list(self.crew.call(method, dict.fromkeys(range(len(self.deal.parts)), arguments)).values())

    def tell(self, method: str, arguments: Mapping[int, Arguments]) -> None:
        """See `Crew.tell`."""
        self.crew.tell(method, arguments)

    def tell_all(self, method: str, **arguments: Any) -> None:
        """See `Crew.tell`: the same for all seats of the team."""
        self.crew.tell(method, dict.fromkeys(range(len(self.deal.parts)), arguments))

    def exchange(self, give: str, take: str, **arguments: Any) -> list[Any]:
        """Calls `give` of all seats, then `take` of all with what all gave as `shares`; its answers."""
        return list(self.crew.exchange(give, take, range(len(self.deal.parts)), arguments).values())


def by_part(answers: Sequence[Mapping[int, Any]]) -> list[Any]:
    """Values by part from several seats, in the order of parts."""
    parts = {part: value for own in answers for part, value in own.items()}
    return [parts[part] for part in sorted(parts)]
