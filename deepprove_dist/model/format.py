"""What every integer model's file begins with, and the digest that stands for it."""

from __future__ import annotations

FORMAT = "deepprove-dist integer model"
VERSION = 4
DIGEST_BYTES = 32


def digest_bytes(data: bytes) -> bytes:
    """The digest of a model file, 32 bytes of BLAKE2b."""
    # Here, since a verifier of committed weights reads no model.
    import hashlib

    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()
