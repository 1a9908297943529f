"""Spans: what ran, from when to when, and on which rank.

`with recording(Trace()) as trace:` collects the spans of everything inside. Without it nothing is measured.
There are four kinds:

- call: a timed function or block of this process (`timed`), in a phase such as "proving";
- phase: a part of a proof by workers, as the coordinator sees it;
- round: a request to some ranks, until all have answered;
- work: what one rank was busy with in a round. Clocks of machines are not compared: it starts with the round.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Literal, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

Kind = Literal["call", "phase", "round", "work"]

OUTSIDE = "outside phases"


@dataclass(frozen=True)
class Span:
    """Attributes:
    start, end: seconds since the trace began.
    phase: what the span is a part of; `layer` names the model's layer, if it is of one.
    rank: the worker; None for the coordinator.
    counts: bytes that were made or moved, by what they are.
    """

    name: str
    kind: Kind
    start: float
    end: float
    phase: str = ""
    layer: str = ""
    rank: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start


class Trace:
    """Spans in the order in which they ended; `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._origin = clock()
        self._phases = [OUTSIDE]
        self.spans: list[Span] = []
        self.end = 0.0

    @property
    def current_phase(self) -> str:
        """The innermost phase that has begun and not ended."""
        return self._phases[-1]

    def now(self) -> float:
        """Seconds since the trace began."""
        return self._clock() - self._origin

    def begin(self, name: str, phase: str) -> float:
        """A timed call begins: seconds since the trace began."""
        return self.now()

    def add(self, span: Span) -> None:
        """Records a span that has ended."""
        self.spans.append(span)

    def finish(self) -> None:
        """Ends the trace: what comes after is not a part of it."""
        self.end = self.now()

    def of_kind(self, kind: Kind) -> list[Span]:
        """The spans of one kind."""
        return [span for span in self.spans if span.kind == kind]

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """What happens inside belongs to that phase, unless a phase within it begins."""
        start = self.now()
        self._phases.append(name)
        try:
            yield
        finally:
            self._phases.pop()
            self.add(Span(name, "phase", start, self.now(), name))


_CURRENT: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current_trace() -> Trace | None:
    """The trace that records now, if there is one."""
    return _CURRENT.get()


@contextmanager
def recording(trace: Trace) -> Iterator[Trace]:
    """Records the spans of everything inside, in this thread."""
    token = _CURRENT.set(trace)
    try:
        yield trace
    finally:
        trace.finish()
        _CURRENT.reset(token)


class timed:  # noqa: N801 - read as a statement: with timed(...)
    """Times a block of code, or, as a decorator, every call of a function.

    `bytes`, what the block made or moved, may be set until it ends.
    """

    def __init__(self, name: str, phase: str, *, layer: str = "") -> None:
        self.bytes = 0
        self._labels = name, phase, layer

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function, each call of which is timed while a trace records."""
        name, phase, layer = self._labels

        @wraps(function)
        def timed_call(*args: P.args, **kwargs: P.kwargs) -> R:
            if current_trace() is None:
                return function(*args, **kwargs)
            # A new one: the function may run in several threads, or call itself.
            with timed(name, phase, layer=layer):
                return function(*args, **kwargs)

        return timed_call

    def __enter__(self) -> timed:
        self._trace = current_trace()
        if self._trace is not None:
            name, phase, _ = self._labels
            self._start = self._trace.begin(name, phase)
        return self

    def __exit__(self, *error: object) -> None:
        if self._trace is not None:
            name, phase, layer = self._labels
            counts = {"bytes": self.bytes} if self.bytes else {}
            self._trace.add(Span(name, "call", self._start, self._trace.now(), phase, layer, None, counts))
