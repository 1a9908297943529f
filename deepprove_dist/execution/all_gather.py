"""What every rank gives to every rank: each keeps its own, and all fetch what the others keep.

`keep` runs a method and answers with the mark of its value: size and digest. `take` runs a method on the
values that all ranks gave. `share` is both in one call: a rank keeps its own value, fetches the others' by
the number of the exchange, as soon as they are there, and says by digests what it took. What it computes
depends on digests alone, so values may as well come through the coordinator, which asks for them by `kept`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Condition
from typing import TypeAlias

from deepprove_dist.errors import ExecutionError, PeerError, WorkerError, WorkerLost
from deepprove_dist.execution.cluster.connection import Address
from deepprove_dist.execution.messages import (
    Arguments,
    decode_answer,
    encode_call,
    encode_value,
    missed_peer,
)
from deepprove_dist.kernels import digest

PUBLISH, PUBLISHED, CONSUME, ALL_GATHER = "keep", "kept", "take", "share"


@dataclass(frozen=True)
class ValueDigest:
    """A value's size as a message, in bytes, and its digest."""

    size: int
    digest: bytes

    @classmethod
    def of(cls, value: bytes) -> ValueDigest:
        """Of an encoded value."""
        return cls(len(value), digest("deepprove-dist shared value", value))

    @classmethod
    def read(cls, message: object) -> ValueDigest:
        """A worker's answer to `keep`. Raises WorkerError where it is none."""
        match message:
            case [int(size), bytes(digest)]:
                return cls(size, digest)
        raise WorkerError("the worker did not say what it keeps")


@dataclass(frozen=True)
class Publisher:
    """A rank that gives a value, and where its process hands it out."""

    rank: int
    address: Address


Fetch: TypeAlias = Callable[[int, Sequence[Publisher]], Sequence[bytes]]
"""What sources give in the exchange of that number, in their order, once it is there.

Raises PeerError, which names who gave nothing.
"""


@dataclass
class Traffic:
    """What one call fetched from peers: bytes, and seconds that it waited for them."""

    size: int = 0
    seconds: float = 0.0


class PublishedValues:
    """A rank's values for others, by the number of the exchange; those of an epoch go when another comes.

    Peers' threads wait here for values that are not there yet.
    """

    def __init__(self) -> None:
        self._epoch = 0
        self._values: dict[int, bytes | None] = {}
        self._changed = Condition()

    def add(self, epoch: int, number: int, value: object) -> tuple[int, bytes]:
        """Keeps a value; its mark."""
        encoded = encode_value(value)
        mark = ValueDigest.of(encoded)
        with self._changed:
            if epoch != self._epoch:
                self._epoch, self._values = epoch, {}
            self._values[number] = encoded
            self._changed.notify_all()
        return mark.size, mark.digest

    def refuse(self, number: int) -> None:
        """There will be no value of that number."""
        with self._changed:
            self._values[number] = None
            self._changed.notify_all()

    def find(self, number: int, seconds: float = 0.0) -> bytes | None:
        """The value of a number, encoded, if it is there within so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: number in self._values, seconds)
            return self._values.get(number)

    def value(self, digest: bytes) -> bytes:
        """The value of a digest, encoded. Raises ExecutionError where it is not kept."""
        for value in self._values.values():
            if value is not None and ValueDigest.of(value).digest == digest:
                return value
        raise ExecutionError("the worker does not keep that value")

    def fetch(
        self, number: int, rank: int, sources: Sequence[Publisher], fetch: Fetch | None, traffic: Traffic
    ) -> list[bytes]:
        """The values of sources, encoded; `rank` is the rank's own. Raises PeerError."""
        own = self.find(number)
        if fetch is None or own is None:
            raise PeerError("the worker reaches no peers")
        ranks = [source.rank for source in sources]
        # Beginning behind its own: else all workers would ask the first one first.
        start = ranks.index(rank)
        others = [*sources[start + 1 :], *sources[:start]]
        begin = time.perf_counter()
        try:
            fetched = fetch(number, others)
        finally:
            traffic.seconds += time.perf_counter() - begin
        traffic.size += sum(map(len, fetched))
        values = {source.rank: value for source, value in zip(others, fetched, strict=True)} | {rank: own}
        return [values[each] for each in ranks]


@dataclass(frozen=True)
class AllGatherCall:
    """A call of a method on what ranks give in an exchange; `places` says where to fetch it."""

    method: str
    arguments: Arguments = field(repr=False)
    number: int
    places: Mapping[int, Address]

    def requests(self, keeps: Mapping[int, bytes]) -> dict[int, bytes]:
        """The calls for ranks that have these calls of `keep` to make before; equal ones are encoded once."""
        sources = [(rank, *self.places[rank]) for rank in keeps]
        take = {"method": self.method, "arguments": self.arguments, "number": self.number, "sources": sources}
        encoded = {keep: encode_call(ALL_GATHER, {**take, "keep": keep}) for keep in set(keeps.values())}
        return {rank: encoded[keep] for rank, keep in keeps.items()}


@dataclass(frozen=True)
class AllGatherAnswer:
    """An answer to `share`: those to `keep` and to `take`, and digests of the values taken, by source."""

    kept: bytes
    digests: Sequence[bytes]
    taken: bytes

    @cached_property
    def unmet(self) -> str:
        """Why a rank took nothing for want of another one, if it did."""
        return missed_peer(self.taken)

    @classmethod
    def of(cls, answer: bytes) -> AllGatherAnswer:
        """Of an answer as it came; what is none, or an error, is an answer to `keep`."""
        try:
            kept, digests, taken = decode_answer(answer)
        except (WorkerError, TypeError, ValueError):
            return cls(answer, (), b"")
        if not isinstance(kept, bytes) or not isinstance(digests, list) or not isinstance(taken, bytes):
            return cls(answer, (), b"")
        return cls(kept, digests, taken)


@dataclass(frozen=True)
class GatheredCall:
    """A call of a method, with what some ranks keep as its argument `shares`, in the order of ranks."""

    method: str
    arguments: Arguments = field(repr=False)
    digests: Mapping[int, ValueDigest]

    def with_values(self, call: Callable[[Mapping[int, bytes]], Mapping[int, bytes]]) -> bytes:
        """The call with the values in it, which `call` asks their ranks for.

        Raises WorkerLost as `call` does, and for ranks that keep something else.
        """
        asked = {rank: encode_call(PUBLISHED, {"digest": mark.digest}) for rank, mark in self.digests.items()}
        values = self._values(call(asked))
        return encode_call(CONSUME, {"method": self.method, "arguments": self.arguments, "values": values})

    def _values(self, answers: Mapping[int, bytes]) -> list[bytes]:
        values: list[bytes] = []
        wrong: dict[int, str] = {}
        for rank, mark in self.digests.items():
            try:
                value = decode_answer(answers[rank])
            except WorkerError as error:
                wrong[rank] = str(error)
                continue
            if isinstance(value, bytes) and ValueDigest.of(value) == mark:
                values.append(value)
            else:
                wrong[rank] = "it keeps other bytes than it said"
        if wrong:
            raise WorkerLost(wrong, {})
        return values
