"""BLAKE3 in plain Python, from its specification: keyed hashes and key derivation, of any output length.

It shares no code with the kernels, so that what they hash can be computed a second time.
"""

from __future__ import annotations

from dataclasses import dataclass

Words = tuple[int, ...]

IV: Words = (
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
)  # fmt: skip
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
QUARTERS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip
ROUNDS = 7
BLOCK, CHUNK = 64, 1024
CHUNK_START, CHUNK_END, PARENT, ROOT, KEYED_HASH, DERIVE_CONTEXT, DERIVE_MATERIAL = (1 << k for k in range(7))
MASK = (1 << 32) - 1


def keyed_hash(key: bytes, data: bytes, length: int = 32) -> bytes:
    """The first `length` bytes of the output of the keyed mode; the key has 32 bytes."""
    return _output(_words(key), data, KEYED_HASH, length)


def derive_key(context: bytes, material: bytes) -> bytes:
    """32 bytes of the key derivation mode."""
    return _output(_words(_output(IV, context, DERIVE_CONTEXT, 32)), material, DERIVE_MATERIAL, 32)


@dataclass(frozen=True)
class _Node:
    """The last compression of a chunk or of two subtrees, before it is run."""

    chaining: Words
    block: bytes
    counter: int
    flags: int

    def compress(self, counter: int, flags: int = 0) -> Words:
        return _compress(self.chaining, self.block, counter, self.flags | flags)

    def value(self) -> Words:
        return self.compress(self.counter)[:8]


def _output(key: Words, data: bytes, mode: int, length: int) -> bytes:
    root = _tree(key, data, 0, mode)
    blocks = (root.compress(counter, ROOT) for counter in range(-(-length // BLOCK)))
    return b"".join(_bytes(words) for words in blocks)[:length]


def _tree(key: Words, data: bytes, first_chunk: int, mode: int) -> _Node:
    """The node over all data; a left subtree has the largest power of two of chunks that leaves some."""
    if len(data) <= CHUNK:
        return _chunk(key, data, first_chunk, mode)
    chunks = 1 << (((len(data) - 1) // CHUNK).bit_length() - 1)
    middle = chunks * CHUNK
    halves = (data[:middle], first_chunk), (data[middle:], first_chunk + chunks)
    values = (_tree(key, half, number, mode).value() for half, number in halves)
    return _Node(key, b"".join(map(_bytes, values)), 0, mode | PARENT)


def _chunk(key: Words, data: bytes, number: int, mode: int) -> _Node:
    blocks = [data[start : start + BLOCK] for start in range(0, len(data), BLOCK)] or [b""]
    chaining, flags = key, mode | CHUNK_START
    for block in blocks[:-1]:
        chaining, flags = _compress(chaining, block, number, flags)[:8], mode
    return _Node(chaining, blocks[-1], number, flags | CHUNK_END)


def _compress(chaining: Words, block: bytes, counter: int, flags: int) -> Words:
    message = _words(block.ljust(BLOCK, b"\0"))
    state = [*chaining, *IV[:4], counter & MASK, counter >> 32, len(block), flags]
    for _ in range(ROUNDS):
        for index, quarter in enumerate(QUARTERS):
            _mix(state, quarter, message[2 * index], message[2 * index + 1])
        message = tuple(message[index] for index in PERMUTATION)
    low = (a ^ b for a, b in zip(state[:8], state[8:], strict=True))
    high = (a ^ b for a, b in zip(state[8:], chaining, strict=True))
    return (*low, *high)


def _mix(state: list[int], quarter: tuple[int, int, int, int], first: int, second: int) -> None:
    a, b, c, d = quarter
    for word, right, shorter in ((first, 16, 12), (second, 8, 7)):
        state[a] = (state[a] + state[b] + word) & MASK
        state[d] = _rotated(state[d] ^ state[a], right)
        state[c] = (state[c] + state[d]) & MASK
        state[b] = _rotated(state[b] ^ state[c], shorter)


def _rotated(word: int, right: int) -> int:
    return (word >> right | word << (32 - right)) & MASK


def _words(data: bytes) -> Words:
    return tuple(int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4))


def _bytes(words: Words) -> bytes:
    return b"".join(word.to_bytes(4, "little") for word in words)
