"""The work of each worker of a proof, and its coordinator's, alone in a process, as on a machine of its own.

All workers of a proof take more memory than one machine has. So a proof is made once, by workers in turn that
write little of their fraction trees. What each is asked, fetches and answers goes to a file. Then each worker
has a process for itself, and answers again. It writes as much as on a machine for it alone, and its answers
have to be the same. The coordinator has one too, gets the answers from the files, and has to ask the same.
"""

from __future__ import annotations

import pickle
import resource
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from benchmarks.apart import apart
from deepprove_dist.execution.calls.requests import read_answer
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.network.address import Publisher
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.execution.workers.worker import ProcessContext
from deepprove_dist.memory import keep_free_memory

LOG_WRITTEN = 20
"""log2 of the nodes that a worker writes while it is recorded."""


@dataclass(frozen=True)
class Recorded:
    """A worker's part of a round: request, values that it fetches, and answer."""

    number: int
    request: bytes
    fetched: tuple[bytes, ...]
    answer: bytes


@dataclass(frozen=True)
class WorkAlone:
    """Least seconds of a worker in each round, and the most bytes that its process held."""

    seconds: Mapping[int, float]
    memory: int


class RecordingExecutor(InProcessExecutor):
    """Workers in turn; `rounds` counts what they were asked, and a file for each rank has all of it.

    `after_round` is called after each round.
    """

    def __init__(self, ranks: int, folder: Path) -> None:
        super().__init__(ranks, create_worker, log_written=LOG_WRITTEN)
        self.rounds = 0
        self.after_round: Callable[[], None] = lambda: None
        self._fetched: tuple[bytes, ...] = ()
        self._records: list[BinaryIO] = [_file(folder, rank).open("wb") for rank in range(ranks)]

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        """See `InProcessExecutor`."""
        begun = {rank: self._workers[rank].begin(request) for rank, request in requests.items()}
        answers = {}
        for rank, finish in begun.items():
            self._fetched = ()
            answers[rank] = finish()
            recorded = Recorded(self.rounds, requests[rank], self._fetched, answers[rank])
            pickle.dump(recorded, self._records[rank], protocol=5)
        self.rounds += 1
        self.after_round()
        return answers

    def close(self) -> None:
        """See `InProcessExecutor`; the files are whole afterwards."""
        super().close()
        for record in self._records:
            record.close()

    def _fetch(self, number: int, publishers: Sequence[Publisher]) -> list[bytes]:
        values = super()._fetch(number, publishers)
        self._fetched = tuple(values)
        return values


class AnsweringExecutor(InProcessExecutor):
    """Gives the recorded answers, those of a proof's rounds once for each proof.

    The rounds of a proof are `first` and later ones; `again` goes back to the first. What is asked has
    numbers of rounds in it, so the proof says whether the coordinator did the same.
    """

    def __init__(self, ranks: int, folder: Path, first: int) -> None:
        super().__init__(ranks, create_worker)
        self._first, self._round = first, 0
        self._answers: dict[tuple[int, int], bytes] = {
            (recorded.number, rank): recorded.answer
            for rank in range(ranks)
            for recorded in _read(folder, rank)
        }

    def again(self) -> None:
        """The next round is the first one of a proof."""
        self._round = self._first

    def call(self, requests: Mapping[int, bytes]) -> Mapping[int, bytes]:
        """See `InProcessExecutor`. Raises RuntimeError for a worker that was not asked in this round."""
        answers = {}
        for rank in requests:
            if (self._round, rank) not in self._answers:
                raise RuntimeError(f"worker {rank} was not asked in round {self._round}")
            answers[rank] = self._answers[self._round, rank]
        self._round += 1
        return answers


def measure_alone(
    folder: Path, ranks: int, files: Mapping[bytes, Path], first: int, repeats: int
) -> list[WorkAlone]:
    """The work of each rank in the rounds of a proof, `first` and later ones: of several runs the least."""
    return [apart(_answer_again, folder, rank, dict(files), first, repeats) for rank in range(ranks)]


def _answer_again(folder: Path, rank: int, files: dict[bytes, Path], first: int, repeats: int) -> WorkAlone:
    keep_free_memory()
    fetched: tuple[bytes, ...] = ()

    def fetch(number: int, publishers: Sequence[Publisher]) -> Sequence[bytes]:
        return fetched

    worker = create_worker(ProcessContext(files=files, fetch=fetch), rank)
    seconds: dict[int, float] = {}
    for repeat in range(repeats):
        for recorded in _read(folder, rank):
            if recorded.number < first and repeat > 0:
                continue
            fetched = recorded.fetched
            answer = read_answer(worker.handle(recorded.request))
            if answer.outcome.digest() != read_answer(recorded.answer).outcome.digest():
                raise RuntimeError(f"worker {rank} answers differently in round {recorded.number}")
            least = seconds.get(recorded.number, answer.seconds)
            seconds[recorded.number] = min(least, answer.seconds)
    return WorkAlone(
        {number: value for number, value in seconds.items() if number >= first},
        1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    )


def _read(folder: Path, rank: int) -> Iterator[Recorded]:
    """One after the other: all together may take more memory than the worker."""
    with _file(folder, rank).open("rb") as file:
        while True:
            try:
                yield pickle.load(file)
            except EOFError:
                return


def _file(folder: Path, rank: int) -> Path:
    return folder / f"worker-{rank}"
