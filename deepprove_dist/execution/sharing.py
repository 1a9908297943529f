"""What every seat gives to every seat: each keeps its own, and all fetch what the others keep.

`keep` runs a method and answers with the mark of its value: size and digest. `take` runs a method on the
values that have some marks. What a seat computes depends on marks alone, so a value may come from whoever has
it: from the seat itself, from its peer, or through the coordinator, which asks by `kept`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from deepprove_dist.errors import ExecutionError, PeerError, WorkerError, WorkerLost
from deepprove_dist.execution.cluster.connection import Address
from deepprove_dist.execution.messages import (
    Arguments,
    decode_answer,
    decode_value,
    encode_call,
    encode_value,
)
from deepprove_dist.kernels import digest

KEEP, KEPT, TAKE = "keep", "kept", "take"


@dataclass(frozen=True)
class Mark:
    """A value's size as a message, in bytes, and its digest."""

    size: int
    digest: bytes

    @classmethod
    def of(cls, value: bytes) -> Mark:
        """Of an encoded value."""
        return cls(len(value), digest("deepprove-dist shared value", value))


@dataclass(frozen=True)
class Source:
    """A value, and who says to keep it."""

    mark: Mark
    seat: int
    address: Address


Fetch: TypeAlias = Callable[[Sequence[Source]], Sequence[bytes]]
"""Values of sources, in their order. Raises PeerError, which names who gave none, or another one."""


@dataclass
class Traffic:
    """What one call fetched from peers: bytes, and seconds that it took."""

    size: int = 0
    seconds: float = 0.0


class Kept:
    """A seat's values for others, by digest. Those of an earlier epoch go when one of a new epoch comes."""

    def __init__(self) -> None:
        self._epoch = 0
        self._values: dict[bytes, bytes] = {}

    def add(self, epoch: int, value: object) -> tuple[int, bytes]:
        """Keeps a value; its mark."""
        if epoch != self._epoch:
            self._epoch, self._values = epoch, {}
        encoded = encode_value(value)
        mark = Mark.of(encoded)
        self._values[mark.digest] = encoded
        return mark.size, mark.digest

    def find(self, digest: bytes) -> bytes | None:
        """The value of a digest, encoded; also while another thread adds one."""
        return self._values.get(digest)

    def value(self, digest: bytes) -> bytes:
        """The value of a digest, encoded. Raises ExecutionError where it is not kept."""
        value = self.find(digest)
        if value is None:
            raise ExecutionError("the worker does not keep that value")
        return value

    def fetch(self, marks: Sequence[Sequence[Any]], fetch: Fetch | None, traffic: Traffic) -> list[Any]:
        """The values of (seat, size, digest, host, port), those of other seats from peers."""
        if fetch is None:
            raise PeerError("the worker reaches no peers")
        sources = [Source(Mark(size, digest), seat, (host, port)) for seat, size, digest, host, port in marks]
        own = [self.find(source.mark.digest) is not None for source in sources]
        # Beginning behind its own: else all workers would ask the first one first.
        start = own.index(True) if True in own else 0
        order = [*range(start, len(own)), *range(start)]
        missing = [sources[place] for place in order if not own[place]]
        begin = time.perf_counter()
        try:
            fetched = fetch(missing)
        finally:
            traffic.seconds += time.perf_counter() - begin
        traffic.size += sum(map(len, fetched))
        found = {source.mark.digest: value for source, value in zip(missing, fetched, strict=True)}
        digests = [source.mark.digest for source in sources]
        return [decode_value(found[d] if d in found else self.value(d)) for d in digests]


@dataclass(frozen=True)
class Taking:
    """A call of a method, with what some seats keep as its argument `shares`, in the order of seats."""

    method: str
    arguments: Arguments = field(repr=False)
    marks: Mapping[int, Mark]

    def from_peers(self, addresses: Mapping[int, Address]) -> bytes:
        """The call for a worker that fetches the values itself."""
        marks = [(seat, mark.size, mark.digest, *addresses[seat]) for seat, mark in self.marks.items()]
        return encode_call(TAKE, {"method": self.method, "arguments": self.arguments, "marks": marks})

    def with_values(self, call: Callable[[Mapping[int, bytes]], Mapping[int, bytes]]) -> bytes:
        """The call with the values in it, which `call` asks their seats for.

        Raises WorkerLost as `call` does, and for seats that keep something else.
        """
        asked = {seat: encode_call(KEPT, {"digest": mark.digest}) for seat, mark in self.marks.items()}
        values = self._values(call(asked))
        return encode_call(TAKE, {"method": self.method, "arguments": self.arguments, "values": values})

    def _values(self, answers: Mapping[int, bytes]) -> list[bytes]:
        values: list[bytes] = []
        wrong: dict[int, str] = {}
        for seat, mark in self.marks.items():
            try:
                value = decode_answer(answers[seat])
            except WorkerError as error:
                wrong[seat] = str(error)
                continue
            if isinstance(value, bytes) and Mark.of(value) == mark:
                values.append(value)
            else:
                wrong[seat] = "it keeps other bytes than it said"
        if wrong:
            raise WorkerLost(wrong, {})
        return values
