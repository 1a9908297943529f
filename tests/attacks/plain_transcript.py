"""The transcript in plain Python: frames, states and draws, as the kernels' documentation describes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.attacks.blake3 import derive_key, keyed_hash

P = 2**31 - 2**24 + 1
DEGREE = 5
CONTEXT = b"deepprove-dist transcript v1"
ABSORB, CHALLENGES, INDICES, DIGEST = range(4)


class Message(NamedTuple):
    """One event: `size` counts bytes that were absorbed, else elements or positions that were drawn."""

    label: str
    drawn: bool
    size: int


class PlainTranscript:
    """Keeps its history as (label, drawn bytes), with None for what is absorbed, and as messages."""

    def __init__(self, protocol: bytes) -> None:
        self.state = derive_key(CONTEXT, protocol)
        self.frames = b""
        self.events: list[tuple[str, bytes | None]] = []
        self.messages: list[Message] = []
        self.absorbed_bytes = 0

    def absorb(self, label: str, data: bytes) -> None:
        self.frames += _frame(ABSORB, label, data)
        self.absorbed_bytes += len(data)
        self.events.append((label, None))
        self.messages.append(Message(label, False, len(data)))

    def challenges(self, label: str, count: int) -> list[bytes]:
        """Elements of the extension, encoded."""
        words = self._draw(_frame(CHALLENGES, label, _number(count)))
        elements = [b"".join(_coefficient(words) for _ in range(DEGREE)) for _ in range(count)]
        self.events.append((label, b"".join(elements)))
        self.messages.append(Message(label, True, count))
        return elements

    def indices(self, label: str, count: int, bits: int) -> list[int]:
        words = self._draw(_frame(INDICES, label, _number(count) + _number(bits)))
        drawn = [next(words) % (1 << bits) for _ in range(count)]
        self.events.append((label, repr(drawn).encode()))
        self.messages.append(Message(label, True, count))
        return drawn

    def digest(self) -> bytes:
        return keyed_hash(self.state, self.frames + _frame(DIGEST, "", b""))

    def _draw(self, frame: bytes) -> Iterator[int]:
        """The words of a draw, more as they are asked for; the state has moved on before the first."""
        key, data, length = self.state, self.frames + frame, 1 << 10
        output = keyed_hash(key, data, length)
        self.state, self.frames = output[:32], b""
        return _words(key, data, output)


def _words(key: bytes, data: bytes, output: bytes) -> Iterator[int]:
    start = 32
    while True:
        if start == len(output):
            output = keyed_hash(key, data, 4 * len(output))
        yield int.from_bytes(output[start : start + 4], "little")
        start += 4


def _coefficient(words: Iterator[int]) -> bytes:
    """The first word that is below p without its top bit."""
    value = next(word % 2**31 for word in words if word % 2**31 < P)
    return value.to_bytes(4, "little")


def _frame(kind: int, label: str, data: bytes) -> bytes:
    return bytes([kind]) + _number(len(label)) + _number(len(data)) + label.encode() + data


def _number(value: int) -> bytes:
    return value.to_bytes(8, "little")
