"""Requests to a worker and its answers, as they travel.

A request runs some methods, or is a part of an all-gather. An answer says how long the worker was busy, how
many bytes it fetched from other workers, and the outcome: a value or a failure.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from deepprove_dist.errors import PeerError, WorkerError
from deepprove_dist.execution.calls.messages import decoder, encode
from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.network.address import Publisher
from deepprove_dist.kernels import digest

_NO_VALUE = msgspec.Raw(b"\xc0")


class Message(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Fields as a list, in their order."""


class MethodCall(Message, frozen=True):
    """A method's name and its arguments, which the method's own schema reads."""

    method: str
    arguments: msgspec.Raw


class Run(Message, frozen=True, tag=True):
    """Runs some methods one after the other; the answer is the last one's."""

    calls: tuple[MethodCall, ...]


class Publish(Message, frozen=True, tag=True):
    """Runs deferred methods, then one without arguments; keeps its value for other ranks.

    The answer is a `ValueDigest`. `number` is that of the all-gather, `epoch` that of the proof.
    """

    deferred: tuple[MethodCall, ...]
    method: str
    epoch: int
    number: int


class GetPublished(Message, frozen=True, tag=True):
    """Asks for a published value, encoded, by its digest."""

    digest: bytes


class UseShares(Message, frozen=True, tag=True):
    """Runs a method on what ranks published, encoded, in the order of ranks."""

    call: MethodCall
    values: tuple[bytes, ...]


class AllGather(Message, frozen=True, tag=True):
    """`Publish`, then runs a method on what all publishers published; the answer is a `Gathered`."""

    publish: Publish
    call: MethodCall
    publishers: tuple[Publisher, ...]


Request: TypeAlias = Run | Publish | GetPublished | UseShares | AllGather


class ValueDigest(Message, frozen=True):
    """A published value's size as a message, in bytes, and its digest."""

    size: int
    digest: bytes

    @classmethod
    def of(cls, value: bytes) -> ValueDigest:
        """Of an encoded value."""
        return cls(len(value), digest("deepprove-dist shared value", value))


class Failure(Message, frozen=True):
    """The name of an error's class, and its text."""

    kind: str
    text: str

    def __str__(self) -> str:
        # A text of the coordinator needs no name of a class.
        names = {WorkerError.__name__: "", MemoryError.__name__: "out of memory"}
        return ": ".join(filter(None, (names.get(self.kind, self.kind), self.text)))


class Outcome(Message, frozen=True):
    """A value, or why there is none."""

    failure: Failure | None
    value: msgspec.Raw = _NO_VALUE

    @classmethod
    def of_value(cls, value: object) -> Outcome:
        """A method's result. Raises TypeError for a value that no message holds."""
        return cls(None, msgspec.Raw(encode(value)))

    @classmethod
    def of_error(cls, error: Exception) -> Outcome:
        """An error in place of a result."""
        return cls(Failure(type(error).__name__, str(error)))

    def digest(self) -> bytes:
        """Equal for all workers that answer the same."""
        return digest("deepprove-dist answer", encode(self))

    def require(self) -> msgspec.Raw:
        """The value. Raises WorkerError for a failure, PeerError where the worker missed another one."""
        if self.failure is None:
            return self.value
        if self.failure.kind == PeerError.__name__:
            raise PeerError(self.failure.text)
        raise WorkerError(str(self.failure))


class Gathered(Message, frozen=True):
    """The two halves of an all-gather, and the digests of the values that the second one used, by rank."""

    published: Outcome
    digests: tuple[bytes, ...]
    result: Outcome


class Answer(Message, frozen=True):
    """An outcome, the seconds that the worker was busy, and the bytes that it fetched from other workers."""

    seconds: float
    fetched: int
    outcome: Outcome


_REQUESTS: msgspec.msgpack.Decoder[Request] = decoder(Request)  # type: ignore[arg-type]  # a union
_ANSWERS = decoder(Answer)
_GATHERED = decoder(Gathered)
_DIGESTS = decoder(ValueDigest)


def method_call(call: Call[Any]) -> MethodCall:
    """A call as a part of a request."""
    return MethodCall(call.method.name, msgspec.Raw(call.arguments))


def read_request(data: bytes | memoryview) -> Request:
    """A request. Raises ValueError for other bytes."""
    request: Request = _REQUESTS.decode(data)
    return request


def read_answer(data: bytes) -> Answer:
    """An answer; other bytes are the worker's failure."""
    try:
        return _ANSWERS.decode(data)
    except Exception as error:  # whatever is wrong with these bytes, the worker made them
        return Answer(0.0, 0, _no_answer(f"sent bytes that are no answer ({error})"))


def read_gathered(outcome: Outcome) -> Gathered:
    """The answer to an `AllGather`; another one is a failure to publish."""
    if outcome.failure is not None:
        return Gathered(outcome, (), Outcome(None))
    try:
        return _GATHERED.decode(outcome.value)
    except ValueError as error:
        return Gathered(_no_answer(f"sent no answer to an all-gather ({error})"), (), Outcome(None))


def read_digest(outcome: Outcome) -> ValueDigest:
    """The answer to a `Publish`. Raises WorkerError for a failure or another answer."""
    try:
        return _DIGESTS.decode(outcome.require())
    except ValueError as error:
        raise WorkerError(f"did not say what it published ({error})") from error


def _no_answer(text: str) -> Outcome:
    return Outcome(Failure(WorkerError.__name__, text))
