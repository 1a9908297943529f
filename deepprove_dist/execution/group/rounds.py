"""A round, a request to some ranks, as spans of the trace that records: the round, and each rank's work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from deepprove_dist.execution.calls.requests import Answer, read_answer
from deepprove_dist.metrics.catalog import TRANSFERRED_BYTES
from deepprove_dist.metrics.sink import MetricSink
from deepprove_dist.timing import Span, Trace, current_trace
from deepprove_dist.timing.phases import BYTES_FETCHED, BYTES_IN, BYTES_OUT


class Round:
    """The answers to a request, read once, and their sizes in bytes."""

    def __init__(self) -> None:
        self.answers: dict[int, Answer] = {}
        self.sizes: dict[int, int] = {}

    def add(self, messages: Mapping[int, bytes]) -> None:
        """Reads answers that arrived, by rank."""
        self.answers |= {rank: read_answer(message) for rank, message in messages.items()}
        self.sizes |= {rank: len(message) for rank, message in messages.items()}


@contextmanager
def traced_round(name: str, requests: Mapping[int, bytes]) -> Iterator[Round]:
    """Records what is added to the yielded round until the block ends."""
    trace, result = current_trace(), Round()
    start = 0.0 if trace is None else trace.now()
    yield result
    if trace is not None:
        _record(trace, name, start, requests, result)


def count_bytes(metrics: MetricSink, requests: Mapping[int, bytes], result: Round) -> None:
    """Counts what travelled in a round."""
    travelled = {
        "to workers": sum(map(len, requests.values())),
        "from workers": sum(result.sizes.values()),
        "among workers": sum(answer.fetched for answer in result.answers.values()),
    }
    for direction, size in travelled.items():
        metrics.record(TRANSFERRED_BYTES, size, (direction,))


def _record(trace: Trace, name: str, start: float, requests: Mapping[int, bytes], result: Round) -> None:
    phase = trace.current_phase
    trace.add(Span(name, "round", start, trace.now(), phase))
    for rank, answer in result.answers.items():
        counts = {
            BYTES_OUT: len(requests[rank]),
            BYTES_IN: result.sizes[rank],
            BYTES_FETCHED: answer.fetched,
        }
        trace.add(Span(name, "work", start, start + answer.seconds, phase, rank=rank, counts=counts))
