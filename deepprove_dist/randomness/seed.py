"""Seeds: all that is random in a key and in its proofs follows from the secret, by labelled frames.

The first frame says what a seed is for, so that no two kinds of seeds have the same frames. Integers are 8
bytes, little endian. BLAKE3, keyed with the secret, hashes the frames; each has the lengths of its parts.
"""

from __future__ import annotations

from deepprove_dist.canonical import DIGEST_BYTES
from deepprove_dist.choices import require_count
from deepprove_dist.errors import ChoiceError
from deepprove_dist.randomness.reservation import NONCE_BYTES, Reservation
from deepprove_dist.randomness.secret import Secret


def proof_seed(
    secret: Secret,
    code_version: str,
    key_digest: bytes,
    reservation: Reservation,
    attempt: int,
    statement_digest: bytes,
    witness_digest: bytes,
) -> bytes:
    """The seed of one attempt at one proof: 32 bytes.

    Whoever knows it knows what the proof hides. Two different proofs of one seed give differences of hidden
    values away. So a proof that is made again has another `attempt`.

    Args:
        secret: of the key.
        code_version: of the program, so that a release that draws in another order draws other values.
        key_digest: of the verifying key, 32 bytes.
        reservation: of the budget.
        attempt: from 0.
        statement_digest: of the statement with its context, 32 bytes.
        witness_digest: of all tensors of the witness by index, 32 bytes.

    Raises:
        ChoiceError: for numbers out of range, and digests of other lengths.
    """
    _require_bytes("key_digest", key_digest, DIGEST_BYTES)
    _require_bytes("statement_digest", statement_digest, DIGEST_BYTES)
    _require_bytes("witness_digest", witness_digest, DIGEST_BYTES)
    _require_bytes("nonce", reservation.nonce, NONCE_BYTES)
    frames = [
        ("code", code_version.encode()),
        ("key", key_digest),
        ("epoch", _integer("epoch", reservation.epoch)),
        ("counter", _integer("counter", reservation.number)),
        ("attempt", _integer("attempt", attempt)),
        ("statement", statement_digest),
        ("witness", witness_digest),
        ("nonce", reservation.nonce),
    ]
    return secret.derive([("seed", b"proof"), *frames])


def certificate_seed(
    secret: Secret, code_version: str, key_digest: bytes, statement_digest: bytes, attempt: int = 0
) -> bytes:
    """The seed of a certificate, 32 bytes.

    A statement has both commitments and the new epoch's nonce, and there is no other nonce. So a certificate
    of one statement has the same bytes, made again, and shows no further rows. `statement_digest` is that of
    the statement with the certificate's schedule, 32 bytes; the others are those of `proof_seed`.

    Raises ChoiceError for numbers out of range, and digests of other lengths.
    """
    _require_bytes("key_digest", key_digest, DIGEST_BYTES)
    _require_bytes("statement_digest", statement_digest, DIGEST_BYTES)
    frames = [
        ("code", code_version.encode()),
        ("key", key_digest),
        ("statement", statement_digest),
        ("attempt", _integer("attempt", attempt)),
    ]
    return secret.derive([("seed", b"certificate"), *frames])


def commitment_seed(
    secret: Secret, key_digest: bytes, reservation: Reservation, attempt: int, index: int, tensor: bytes
) -> bytes:
    """The seed of a commitment to a hidden input or output that is made for one proof: 32 bytes.

    Whoever knows it opens the commitment: guesses of its integers can be tested.

    Args:
        secret: of the key.
        key_digest: of the verifying key, 32 bytes.
        reservation: of the budget.
        attempt: from 0.
        index: of the tensor, among the hidden ones of the key.
        tensor: a digest of its integers, 32 bytes: equal seeds mean equal commitments.

    Raises:
        ChoiceError: for numbers out of range, and digests of other lengths.
    """
    _require_bytes("key_digest", key_digest, DIGEST_BYTES)
    _require_bytes("tensor", tensor, DIGEST_BYTES)
    _require_bytes("nonce", reservation.nonce, NONCE_BYTES)
    frames = [
        ("key", key_digest),
        ("epoch", _integer("epoch", reservation.epoch)),
        ("counter", _integer("counter", reservation.number)),
        ("attempt", _integer("attempt", attempt)),
        ("index", _integer("index", index)),
        ("tensor", tensor),
        ("nonce", reservation.nonce),
    ]
    return secret.derive([("seed", b"commitment"), *frames])


def tail_seed(secret: Secret, parameters: bytes, epoch: int, nonce: bytes = b"") -> bytes:
    """The seed of the weights' random rows in an epoch, 32 bytes; `parameters` are the key's, as bytes.

    A later epoch than the first has a `nonce`, 32 bytes of the operating system: two copies of a folder may
    both make it. Raises ChoiceError for an epoch out of range.
    """
    frames = [("parameters", parameters), ("epoch", _integer("epoch", epoch)), ("nonce", nonce)]
    return secret.derive([("seed", b"tail"), *frames])


def model_salt(secret: Secret) -> bytes:
    """32 bytes that the model's digest is made with, so that it tells nothing to those who guess a model."""
    return secret.derive([("seed", b"model")])


def _integer(name: str, value: int) -> bytes:
    require_count(name, value, 0, (1 << 64) - 1)
    return value.to_bytes(8, "little")


def _require_bytes(name: str, value: bytes, length: int) -> None:
    if len(value) != length:
        raise ChoiceError(f"{name} has {length} bytes, not {len(value)}")
