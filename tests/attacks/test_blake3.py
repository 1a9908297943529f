"""The plain BLAKE3 and transcript against published values and against the kernels."""

from __future__ import annotations

import pytest

from deepprove_dist.kernels import Transcript, digest
from tests.attacks.blake3 import derive_key, keyed_hash
from tests.attacks.plain_transcript import PlainTranscript

KEY = b"whats the Elvish word for friend"
CONTEXT = b"BLAKE3 2019-12-27 16:29:52 test vectors context"


def test_published_values() -> None:
    """Of BLAKE3's own test vectors, the empty input."""
    keyed = "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26"
    derived = "2cc39783c223154fea8dfb7c1b1660f2ac2dcbd1c1de8277b0b0dd39b7e50d7d"
    assert keyed_hash(KEY, b"").hex() == keyed
    assert derive_key(CONTEXT, b"").hex() == derived


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 1000, 1024, 1025, 2048, 2049, 5000, 9000])
def test_the_kernels_hash_the_same(length: int) -> None:
    """Lengths around blocks, chunks and subtrees; draws longer than one read of the output."""
    data = bytes(index % 251 for index in range(length))
    plain, kernel = PlainTranscript(b"p"), Transcript(b"p")
    plain.absorb("data", data)
    kernel.absorb("data", data)
    assert kernel.digest() == plain.digest()
    assert bytes(kernel.challenges("many", 60)) == b"".join(plain.challenges("many", 60))
    assert kernel.indices("some", 300, 11) == plain.indices("some", 300, 11)
    assert bytes(kernel.challenges("none", 0)) == b"".join(plain.challenges("none", 0))
    assert kernel.digest() == plain.digest()


def test_a_digest_of_bytes_is_a_transcript_of_one_frame() -> None:
    plain = PlainTranscript(b"a file")
    plain.absorb("digest", b"content")
    assert digest("a file", b"content") == plain.digest()
