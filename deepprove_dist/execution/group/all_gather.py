"""An all-gather: every rank publishes a value, and every rank computes with the values of all.

Where ranks reach each other it is one request. A rank publishes its value, and fetches the others' by the
number of the all-gather as soon as they are there. It says by digests what it used. What it computes depends
on the digests alone. So the values may as well come through the coordinator, which asks for them. That is so
where ranks do not reach each other, where one is lost, and in replays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deepprove_dist.errors import PeerError, WorkerError
from deepprove_dist.execution.calls.messages import encode
from deepprove_dist.execution.calls.requests import (
    AllGather,
    MethodCall,
    Outcome,
    Publish,
    ValueDigest,
    read_digest,
    read_gathered,
)
from deepprove_dist.execution.group.gathered_call import GatheredCall
from deepprove_dist.execution.group.ranks import JournaledRanks
from deepprove_dist.execution.network.address import Publisher


class AllGatherer:
    """All-gathers of some ranks; `through_peers` until some ranks cannot reach each other."""

    def __init__(self, ranks: JournaledRanks) -> None:
        self._ranks = ranks
        self._count = 0
        self.through_peers = True

    def next_number(self) -> int:
        """The number of the next all-gather."""
        self._count += 1
        return self._count

    def run(self, publishes: Mapping[int, Publish], call: MethodCall) -> dict[int, Outcome]:
        """Has ranks publish values, then runs a call on them; outcomes of the call by rank."""
        ranks = self._ranks
        ranks.outcomes, ranks.gathered = {}, {}
        self._run_with_peers(publishes, call)
        requests = {rank: encode(publish) for rank, publish in publishes.items()}
        method = next(iter(publishes.values())).method
        ranks.complete(method, requests)
        digests = self._digests(method, ranks.record(method, requests))
        ranks.recover(self._deceived(digests))
        ranks.outcomes = {
            rank: gathered.result
            for rank, gathered in ranks.gathered.items()
            if not _missed_peer(gathered.result)
        }
        gathered_call = GatheredCall(call, digests)
        gathered_calls = dict.fromkeys(digests, gathered_call)
        while missing := ranks.unanswered(gathered_calls):
            ranks.attempt(call.method, dict.fromkeys(missing, ranks.encoded(gathered_call)))
        return ranks.record(call.method, gathered_calls)

    def _run_with_peers(self, publishes: Mapping[int, Publish], call: MethodCall) -> None:
        """Makes both halves in one request, where ranks may reach each other."""
        ranks = self._ranks
        addresses = ranks.executor.peers if self.through_peers else None
        if addresses is None:
            return
        publishers = tuple(Publisher(rank, addresses[rank]) for rank in publishes)
        requests = {rank: encode(AllGather(publish, call, publishers)) for rank, publish in publishes.items()}
        outcomes, lost = ranks.call(call.method, requests)
        ranks.gathered = {rank: read_gathered(outcome) for rank, outcome in outcomes.items()}
        ranks.outcomes = {rank: gathered.published for rank, gathered in ranks.gathered.items()}
        if not lost:
            # Nobody was lost: it is the network, and stays so.
            missed = {rank: _missed_peer(gathered.result) for rank, gathered in ranks.gathered.items()}
            self._use_coordinator([f"worker {rank}: {why}" for rank, why in missed.items() if why])
        ranks.recover(lost)

    def _digests(self, method: str, outcomes: Mapping[int, Outcome]) -> dict[int, ValueDigest]:
        digests = {}
        for rank, outcome in outcomes.items():
            try:
                digests[rank] = read_digest(outcome)
            except WorkerError as error:
                raise self._ranks.error(rank, method, error) from error
        return digests

    def _deceived(self, digests: Mapping[int, ValueDigest]) -> dict[int, str]:
        """Ranks that used other values than those with these digests: their states are to be made again."""
        expected = tuple(digest.digest for digest in digests.values())
        wrong = {
            rank: f"worker {rank} used other values than were published"
            for rank, gathered in self._ranks.gathered.items()
            if not _missed_peer(gathered.result) and gathered.digests != expected
        }
        self._use_coordinator(list(wrong.values()))
        return wrong

    def _use_coordinator(self, reasons: Sequence[str]) -> None:
        if reasons:
            self.through_peers = False
            self._ranks.log.fall_back(
                f"published values go through the coordinator from now on: {'; '.join(reasons)}"
            )


def _missed_peer(outcome: Outcome) -> str:
    """Why a rank has no result for want of another rank; empty where it has one, or failed otherwise."""
    failure = outcome.failure
    return failure.text if failure is not None and failure.kind == PeerError.__name__ else ""
