"""The verifying key as users hold it: with it alone, anybody checks proofs.

Nothing here loads ONNX, Ray or the prover.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from deepprove_dist.arrays import FloatArray
from deepprove_dist.atomic import write_atomically
from deepprove_dist.certificates import Certificate
from deepprove_dist.choices import require_kind, require_path
from deepprove_dist.errors import InputError, KindError
from deepprove_dist.formats import FileFormat, require_format
from deepprove_dist.generations import Generation, check_generation, require_context, require_prompt
from deepprove_dist.openings import Opening
from deepprove_dist.proofs import Proof
from deepprove_dist.protocol.certificate.accepted import AcceptedEpochs, CheckedCertificates
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.key.weights import PublicWeights
from deepprove_dist.protocol.system.system import PublicTensor
from deepprove_dist.security import SecurityReport, security_report
from deepprove_dist.token_tensors import TokenTensors
from deepprove_dist.verifier import Statement, load_public_weights, load_verifying_key, read_proof, verify

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True, repr=False)
class VerifyingKey:
    """What a verifier needs to know of a model: about 10 KB, without the weights.

    Attributes:
        content: what the key's file says.
        weights: the model's weights, which a key of public weights needs to verify.
        checked: the certificates that are not to be checked again; those that this object checked by default.

    Example:
        >>> key = VerifyingKey.load("keys/verifying.key")
        >>> statement = key.verify(Proof.load("proof"))
        >>> statement.output["y"]
    """

    content: KeyContent
    weights: PublicWeights | None = None
    checked: CheckedCertificates | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        require_kind(
            "VerifyingKey", self.content, KeyContent, "what a file says; use VerifyingKey.load(path)"
        )

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        model: str | Path | None = None,
        checked: CheckedCertificates | None = None,
    ) -> VerifyingKey:
        """Reads and checks a key's file.

        Args:
            path: the key, `verifying.key` in the folder that `ProvingKey.save` wrote.
            model: the path of the integer model, which a key of public weights needs to verify. The model is
                lowered again, and all of it is compared with the key.
            checked: the certificates that are not to be checked again, such as `CertificateCache.of_user()`.

        Raises:
            OSError: where a file cannot be read.
            FormatError: for a file that is no key, or a model that the key was not made for.
            SecurityError: for a key whose parameters are too weak.
        """
        path = require_path("VerifyingKey.load", path, "the path of a verifying key")
        if path.is_dir():
            raise InputError(f"{path} is a folder; give its file {path / 'verifying.key'}")
        require_format(path, FileFormat.VERIFYING_KEY)
        content = load_verifying_key(path)
        if model is None:
            return cls(content, checked=checked)
        model = require_path("VerifyingKey.load", model, "a path")
        return cls(content, load_public_weights(content, model), checked)

    def save(self, path: str | Path) -> None:
        """Writes the key to a file, whole or not at all. Raises OSError."""
        path = require_path("VerifyingKey.save", path, "a path for the key")
        write_atomically(path, key_file.dump(self.content))

    def read_proof(self, path: str | Path) -> Proof:
        """Reads a proof for this key.

        Of a file that is too long, only as much is read as `verify` needs to reject it. Raises OSError.
        """
        path = require_path("VerifyingKey.read_proof", path, "the path of a proof")
        return Proof(read_proof(self.content, path))

    def accept(self, certificate: Certificate | bytes) -> int:
        """Accepts the epoch of the weights that a certificate leads to; returns its number.

        From now on this object verifies proofs of that epoch. A certificate is checked once.

        Raises:
            VerificationError: where the certificate does not hold, or its old epoch was not accepted.
            FormatError: for bytes that are no certificate.
        """
        require_kind("accept", certificate, (Certificate, bytes), "a certificate: Certificate.load(path)")
        return self.epochs.accept(bytes(certificate)).number

    @cached_property
    def epochs(self) -> AcceptedEpochs:
        """The epochs of the weights that were accepted: the key's, and those of certificates."""
        return AcceptedEpochs(self.content, checked=self.checked)

    def verify(
        self,
        proof: Proof | bytes,
        *,
        input: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None = None,
        output: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None = None,
        key_digest: bytes | None = None,
        context: bytes | None = None,
        input_commitment: bytes | Mapping[str, bytes] | None = None,
        output_commitment: bytes | Mapping[str, bytes] | None = None,
    ) -> Statement:
        """Checks a proof, and returns what it proves.

        The proof is of an epoch that was accepted, or has the certificates that lead to it.

        Args:
            proof: what `ProvingKey.prove` returned, `Proof.load(path)`, or the bytes of its file.
            input: real values that the proof must be about: an array for a model of one input, or arrays by
                name. One sample has the input's shape; several samples have one more axis in front.
            output: real values that the proof must prove, in the same form.
            key_digest: the digest that the key must have, 32 bytes.
            context: the bytes that the proof must be bound to.
            input_commitment: the digest of the commitment that the proof must have for a hidden input, 32
                bytes, or digests by name. `input` then is of the others.
            output_commitment: the same for outputs.

        Raises:
            VerificationError: where the proof is not valid, or says something else than expected.
            FormatError: for bytes that are no proof.
            InputError: for values that do not fit the model, and for a key of public weights that was loaded
                without `model`. Nothing is said of the proof then.
        """
        require_kind("verify", self, VerifyingKey, "a key: keys.verifying, or VerifyingKey.load(path)")
        if isinstance(proof, (str, PathLike)):
            raise KindError(f"verify takes a proof, not a path; read it with Proof.load({str(proof)!r})")
        require_kind("verify", proof, (Proof, bytes), "a proof: keys.prove(x), or Proof.load(path)")
        for name, value in (("key_digest", key_digest), ("context", context)):
            if value is not None:
                require_kind("verify", value, bytes, f"{name} as bytes")
        return verify(
            self.content,
            bytes(proof),
            input=self._arrange("input", input, self.inputs),
            output=self._arrange("output", output, self.outputs),
            key_digest=key_digest,
            context=context,
            weights=self.weights,
            epochs=self.epochs,
            input_commitments=self._digests("input", input_commitment, self.inputs),
            output_commitments=self._digests("output", output_commitment, self.outputs),
        )

    def verify_generation(
        self,
        proof: Proof | bytes,
        *,
        prompt: Sequence[int] | None = None,
        key_digest: bytes | None = None,
        context: bytes | None = None,
    ) -> Generation:
        """Checks the proof of a generation, and returns its prompt and its answer.

        The input is the prompt, the answer and padding. Each token of the answer is the model's ArgMax at the
        position before it. That is the greedy answer to the prompt if the model is causal.

        Args:
            proof: what `ProvingKey.generate` made, `Proof.load(path)`, or the bytes of its file.
            prompt: the tokens that the prompt must be.
            key_digest: the digest that the key must have, 32 bytes.
            context: the bytes that the proof must be bound to beside prompt and answer.

        Raises:
            VerificationError: where the proof is not valid, is of no generation, or says something else than
                expected.
            FormatError: for bytes that are no proof.
            InputError: for a key of no token model, and as `verify` does.
        """
        if context is not None:
            require_kind("verify_generation", context, bytes, "context as bytes")
        tensors = self.tokens
        generation = check_generation(tensors, self.verify(proof, key_digest=key_digest))
        if prompt is not None:
            require_prompt(generation, prompt)
        if context is not None:
            require_context(generation.statement, context)
        return generation

    @property
    def tokens(self) -> TokenTensors:
        """Which inputs and outputs are tokens. Raises InputError where the key is of no token model."""
        return TokenTensors.of(
            self.inputs, self.outputs, [tensor.name for tensor in self.content.system.hidden]
        )

    def reveal(self, opening: Opening, commitment: bytes, *, name: str | None = None) -> FloatArray:
        """The real values of a hidden input or output: float64 [samples, *shape].

        Args:
            opening: of its commitment, by whoever committed it.
            commitment: the digest of the commitment in a statement that was verified, 32 bytes.
            name: of the input or output; the one that the opening names by default.

        Raises:
            VerificationError: where the opening does not open this commitment.
            InputError: for a name that the key does not hide, or an opening of another shape.
        """
        require_kind("reveal", opening, Opening, "an opening: Opening.load(path)")
        require_kind("reveal", commitment, bytes, "the digest of a commitment, 32 bytes")
        name = opening.name if name is None else name
        tensors = {public.name: public for public in self.content.system.hidden}
        if name not in tensors:
            raise InputError(f"the key hides no input or output '{name}': it hides {sorted(tensors)}")
        integers, shape = opening.verify(commitment), tensors[name].shape
        if integers[0].size != prod(shape):
            raise InputError(
                f"the opening has samples of {integers[0].size} values, and '{name}' has {shape}"
            )
        return tensors[name].scale.array * integers.reshape(-1, *shape)

    def _arrange(
        self,
        what: str,
        values: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None,
        tensors: tuple[PublicTensor, ...],
    ) -> dict[str, FloatArray] | None:
        """Expected values by name, of tensors that are not hidden."""
        if values is None:
            return None
        shapes = {tensor.name: tensor.shape for tensor in self.visible(tensors)}
        if not shapes:
            raise InputError(
                f"every {what} is hidden: a proof has commitments, which {what}_commitment compares"
            )
        from deepprove_dist.samples.arrays import arrange_by_name

        return arrange_by_name(what, values, shapes)

    def _digests(
        self, what: str, digests: bytes | Mapping[str, bytes] | None, tensors: tuple[PublicTensor, ...]
    ) -> dict[str, bytes]:
        """Expected digests of commitments by name."""
        if digests is None:
            return {}
        hidden = [tensor.name for tensor in tensors if self.content.system.is_hidden(tensor)]
        if isinstance(digests, bytes):
            if len(hidden) != 1:
                raise InputError(f"the key hides {len(hidden)} {what}s, {hidden}: give digests by name")
            digests = {hidden[0]: digests}
        for name, digest in digests.items():
            require_kind("verify", digest, bytes, f"{what}_commitment as bytes")
            if name not in hidden:
                raise InputError(f"the key hides no {what} '{name}': it hides {hidden}")
        return dict(digests)

    def visible(self, tensors: tuple[PublicTensor, ...]) -> tuple[PublicTensor, ...]:
        """Those of some inputs or outputs whose values are in statements."""
        return tuple(tensor for tensor in tensors if not self.content.system.is_hidden(tensor))

    @property
    def digest(self) -> bytes:
        """32 bytes that stand for the key; compare them with those that you trust."""
        return self.content.digest

    @property
    def hiding(self) -> bool:
        """Whether proofs hide activations, and weights if they are committed."""
        return self.content.schedule.initial.hiding

    @property
    def proofs(self) -> int | None:
        """How many proofs an epoch of hidden weights allows; None where their number does not matter."""
        return self.content.schedule.initial.proofs

    @property
    def max_batch(self) -> int:
        """The most samples of one proof."""
        return self.content.max_batch

    @property
    def inputs(self) -> tuple[PublicTensor, ...]:
        """The model's inputs: names, shapes of one sample, and ranges."""
        return self.content.inputs

    @property
    def outputs(self) -> tuple[PublicTensor, ...]:
        """The model's outputs: names, shapes of one sample, and ranges."""
        return self.content.outputs

    def security(self) -> SecurityReport:
        """Every error term of the key's protocol, their sum in bits, and what that sum rests on."""
        return security_report(self.content)

    def __repr__(self) -> str:
        inputs, outputs = (
            ", ".join(f"{tensor.name} {list(tensor.shape)}" for tensor in tensors)
            for tensors in (self.inputs, self.outputs)
        )
        return f"VerifyingKey({self.digest.hex()[:16]}..., {inputs} -> {outputs}, max_batch={self.max_batch})"
