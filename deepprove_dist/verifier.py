"""The verifier: from a verifying key and a proof to the statement that is proven, or a typed error.

It loads neither ONNX, Ray nor the prover. Every point is derived here, every count is the key's. A proof that
is longer than the key's sizes allow is refused unread. So whatever a proof says, the verifier allocates and
loops in proportion to these sizes at most. What the key itself may cost is bounded when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import SupportsBytes

from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.checks import Check
from deepprove_dist.choices import require_kind
from deepprove_dist.errors import FormatError, InputError, VerificationError
from deepprove_dist.model.format import digest_bytes
from deepprove_dist.protocol.argument import verify as argument
from deepprove_dist.protocol.certificate.accepted import AcceptedEpochs
from deepprove_dist.protocol.certificate.shared import max_certificate_bytes
from deepprove_dist.protocol.hidden.statement import decode_statement
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.key.weights import PublicWeights
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.commitment import Commitment
from deepprove_dist.protocol.messages.proof import MAX_CERTIFICATES, ProofContent
from deepprove_dist.protocol.messages.public_integers import PublicIntegers
from deepprove_dist.protocol.system.system import Matrix, PublicTensor
from deepprove_dist.timing import timed

NO_DIGESTS: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True, repr=False)
class Statement:
    """What a valid proof says: the model of this key maps these inputs to these outputs.

    `inputs` and `outputs` are integers, by name. Hidden inputs and outputs are in none of them: they have
    commitments, by name.
    """

    inputs: Mapping[str, PublicIntegers]
    outputs: Mapping[str, PublicIntegers]
    key_digest: bytes
    context: bytes
    input_commitments: Mapping[str, Commitment] = field(default_factory=dict)
    output_commitments: Mapping[str, Commitment] = field(default_factory=dict)

    @cached_property
    def input_integers(self) -> Mapping[str, IntArray]:
        """The inputs as arrays by name: int64 [samples, *shape]."""
        return {name: integers.array for name, integers in self.inputs.items()}

    @cached_property
    def output_integers(self) -> Mapping[str, IntArray]:
        """The outputs as arrays by name: int64 [samples, *shape]."""
        return {name: integers.array for name, integers in self.outputs.items()}

    @cached_property
    def input(self) -> Mapping[str, FloatArray]:
        """The real values that the inputs stand for, by name: float64 [samples, *shape]."""
        return {name: integers.real for name, integers in self.inputs.items()}

    @cached_property
    def output(self) -> Mapping[str, FloatArray]:
        """The real values that the outputs stand for, by name: float64 [samples, *shape]."""
        return {name: integers.real for name, integers in self.outputs.items()}

    def __repr__(self) -> str:
        inputs, outputs = (
            ", ".join(
                [f"{name} {[item.batch, *item.public.shape]}" for name, item in tensors.items()]
                + [f"{name} hidden" for name in hidden]
            )
            for tensors, hidden in (
                (self.inputs, self.input_commitments),
                (self.outputs, self.output_commitments),
            )
        )
        key = f"key {self.key_digest.hex()[:16]}..."
        return f"Statement({inputs} -> {outputs}, {key}, context of {len(self.context)} bytes)"


def load_verifying_key(path: str | Path) -> KeyContent:
    """Reads and checks a key file. Raises OSError, FormatError, or SecurityError for parameters too weak."""
    path = Path(path)
    try:
        return key_file.load(_read(path, key_file.MAX_BYTES))
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error


def read_proof(key: KeyContent, path: str | Path) -> bytes:
    """A proof's file; of one that is too long only as much as `verify` needs to refuse it. Raises OSError."""
    return _read(Path(path), _most_bytes(key))


def read_certificate(key: KeyContent, path: str | Path) -> bytes:
    """A certificate's file; of one that is too long only as much as it takes to refuse it. Raises OSError."""
    return _read(Path(path), max_certificate_bytes(key))


def _most_bytes(key: KeyContent) -> int:
    """Bytes that no proof exceeds, with the certificates that it may carry."""
    return key.max_proof_bytes(key.max_batch) + MAX_CERTIFICATES * max_certificate_bytes(key)


def _read(path: Path, most: int) -> bytes:
    """A file, cut after the first byte that is too much."""
    with path.open("rb") as file:
        return file.read(most + 1)


def load_public_weights(key: KeyContent, path: str | Path) -> PublicWeights:
    """The integer model of a key of public weights, from its file, lowered again and compared with the key.

    Raises OSError. Raises FormatError where it is not the model that the key was made for. The same where the
    key states other relations, tables, ranges or units than the model's.
    """
    # Here alone: a verifier of committed weights loads no operators.
    from deepprove_dist.model.public_weights import read_public_weights

    data = Path(path).read_bytes()
    if digest_bytes(data) != key.model_digest:
        raise FormatError(f"{path} is not the integer model that the key was made for")
    try:
        weights = read_public_weights(data, key.system)
    except InputError as error:
        raise FormatError(f"{path}: {error}") from error
    if parts := key.other_parts(weights.system):
        raise FormatError(f"the key is not that of {path}: its {', '.join(parts)} differ from the model's")
    return weights


@timed("verification", "whole")
def verify(
    key: KeyContent,
    proof: bytes | SupportsBytes,
    *,
    input: Mapping[str, FloatArray] | None = None,
    output: Mapping[str, FloatArray] | None = None,
    key_digest: bytes | None = None,
    context: bytes | None = None,
    weights: PublicWeights | None = None,
    epochs: AcceptedEpochs | None = None,
    input_commitments: Mapping[str, bytes] = NO_DIGESTS,
    output_commitments: Mapping[str, bytes] = NO_DIGESTS,
) -> Statement:
    """Checks a proof and returns what it proves.

    Where `input`, `output` (real values, by name), `key_digest` or `context` are given, the statement must
    have them. `weights`, from `load_public_weights`, are needed for a key of public weights. `epochs` are
    those of the key that were accepted, the anchor alone by default. The proof's certificates join them.

    Of hidden tensors the commitments are compared, by their digests, 32 bytes; other values than hidden ones
    are `input` and `output`.

    Raises FormatError where the bytes are no proof. Raises InputError where such weights are missing, or not
    those of the key's model. Then nothing is known of the proof. Raises VerificationError where the proof
    does not hold, or says something else than expected.
    """
    require_kind("verify", key, KeyContent, "the content of a verifying key")
    _check_weights(key, weights)
    if isinstance(proof, int):
        # Python would take it for a length.
        raise InputError("a proof is bytes")
    data = bytes(proof)
    # What certificates may add is computed for a proof that has any, or is too long.
    if len(data) > key.max_proof_bytes(key.max_batch) and len(data) > (most := _most_bytes(key)):
        message = f"{len(data)} bytes, where a proof for this key has at most {most}"
        raise VerificationError(Check.PROOF_LENGTH, message, expected=most, actual=len(data))
    parsed = proof_file.load(data)
    if key_digest is not None and key_digest != key.digest:
        raise VerificationError(Check.EXPECTED_KEY, f"the key's digest is {key.digest.hex()}")
    if context is not None and context != parsed.statement.context:
        raise VerificationError(Check.EXPECTED_CONTEXT, "the proof is bound to another context")
    statement = _verify(epochs or AcceptedEpochs(key), parsed, weights)
    for check, expected, proven, tensors in (
        (Check.EXPECTED_INPUT, input, statement.inputs, key.inputs),
        (Check.EXPECTED_OUTPUT, output, statement.outputs, key.outputs),
    ):
        if expected is not None:
            _compare(check, expected, proven, tuple(t for t in tensors if not key.system.is_hidden(t)))
    _compare_commitments(Check.EXPECTED_INPUT, input_commitments, statement.input_commitments)
    _compare_commitments(Check.EXPECTED_OUTPUT, output_commitments, statement.output_commitments)
    return statement


def _check_weights(key: KeyContent, weights: PublicWeights | None) -> None:
    if weights is None:
        if key.weights is None and any(t.matrix is Matrix.WEIGHTS for t in key.system.tensors):
            raise InputError(
                "the key is of public weights: it verifies with its integer model only (model=...)"
            )
        return
    # Not only for type checkers: whatever holds numbers would be believed.
    if not isinstance(weights, PublicWeights):
        raise InputError("public weights must come from load_public_weights")
    if weights.model_digest != key.model_digest or weights.system != key.system:
        raise InputError("the public weights are those of another model than the key's")


def _verify(epochs: AcceptedEpochs, proof: ProofContent, weights: PublicWeights | None) -> Statement:
    key, statement = epochs.key, proof.statement
    if statement.key_digest != key.digest:
        raise VerificationError(Check.KEY_DIGEST, "the proof is for another key")
    for certificate in proof.certificates:
        epochs.accept(certificate)
    commitment = epochs.commitment(statement.epoch)
    # Before public values are decoded: their size is the batch's.
    system = key.instance(statement.batch).system
    public = decode_statement(system, key.schedule.initial, statement)
    argument.verify(key, proof, public.values, {} if weights is None else weights.vectors, commitment)
    commitments = iter(public.commitments)
    inputs, outputs = (
        {tensor.name: next(commitments) for tensor in tensors if system.is_hidden(tensor)}
        for tensors in (system.inputs, system.outputs)
    )
    return Statement(public.inputs, public.outputs, key.digest, statement.context, inputs, outputs)


def _compare_commitments(
    check: Check, expected: Mapping[str, bytes], proven: Mapping[str, Commitment]
) -> None:
    for name, digest in expected.items():
        if name not in proven:
            raise VerificationError(check, "the statement has no commitment to it", subject=name)
        if proven[name].digest != digest:
            message = f"the commitment is {proven[name].digest.hex()}"
            raise VerificationError(check, message, subject=name)


def _compare(
    check: Check,
    expected: Mapping[str, FloatArray],
    proven: Mapping[str, PublicIntegers],
    tensors: tuple[PublicTensor, ...],
) -> None:
    """Real values are equal to proven integers if they round to them."""
    import numpy as np

    if set(expected) != {tensor.name for tensor in tensors}:
        raise VerificationError(check, f"expected values are for {sorted(expected)}")
    for tensor in tensors:
        values = np.asarray(expected[tensor.name], dtype=np.float64)
        integers = proven[tensor.name].array
        with np.errstate(over="ignore"):
            rounded = np.rint(values / tensor.scale.array)
        if values.shape != integers.shape or not np.array_equal(rounded, integers):
            raise VerificationError(check, "the proof has other values than expected", subject=tensor.name)
