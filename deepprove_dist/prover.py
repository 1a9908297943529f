"""The prover: keys from an integer model, and proofs of its inferences.

Its backend holds the weights, encoded and committed. A prover is loaded once, and proves many times. On disk
it is the integer model and the verifying key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import MappingProxyType

from deepprove_dist.ahead import begun, by_threads
from deepprove_dist.arrays import IntArray
from deepprove_dist.canonical import encode, replace
from deepprove_dist.errors import BudgetError, FormatError
from deepprove_dist.kernels import BaseVector, Encoder, Pool, digest
from deepprove_dist.lowering.builder import Lowered
from deepprove_dist.model.file import digest as model_digest
from deepprove_dist.model.hidden_names import HiddenNames
from deepprove_dist.model.inference import InferenceTrace, IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.protocol.argument import prove as argument
from deepprove_dist.protocol.argument.backend import Backend
from deepprove_dist.protocol.argument.local_backend import LocalBackend, LocalWeights
from deepprove_dist.protocol.argument.tensor_vectors import TensorVectors
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.certificate.accepted import AcceptedEpochs
from deepprove_dist.protocol.claims.layout import lay_out
from deepprove_dist.protocol.claims.public import PublicValues
from deepprove_dist.protocol.hidden.commit import HiddenMatrix, commit_tensor
from deepprove_dist.protocol.hidden.statement import commitment_sizes, encode_public
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.key.key import Instance, KeyContent
from deepprove_dist.protocol.key.weights import PublicWeights, WeightCommitment
from deepprove_dist.protocol.lookup.prove import count_rows
from deepprove_dist.protocol.messages import certificate as certificate_file
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.epoch import EpochWeights
from deepprove_dist.protocol.messages.proof import StatementBytes
from deepprove_dist.protocol.messages.statement import PROTOCOL, require_context
from deepprove_dist.protocol.parameters import Schedule, proving_bytes, require_memory
from deepprove_dist.protocol.system.system import Matrix
from deepprove_dist.randomness.reservation import Reservation
from deepprove_dist.randomness.secret import Secret
from deepprove_dist.randomness.seed import commitment_seed, model_salt, proof_seed, tail_seed
from deepprove_dist.setup_options import Options, choose_schedule, lower_by, require_key
from deepprove_dist.timing import timed

LEAST_VALUES = 1 << 20
"""Of a witness that several threads read, count and encode: some ten milliseconds of one."""

NO_SEEDS: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Prover:
    """A model, ready to prove its inferences.

    Attributes:
        model: the integer model.
        lowered: its relations, lookups and tables, and where their tensors come from.
        verifying: the content of its verifying key.
        backend: holds the weights, and makes the heavy steps of inferences and proofs.
        secret: what all random values of hiding proofs follow from; None for a transparent key.
        certificates: the chain from the anchor to the epoch of the weights; none for the anchor.
    """

    model: IntegerModel = field(repr=False)
    lowered: Lowered = field(repr=False)
    verifying: KeyContent = field(repr=False)
    backend: Backend
    secret: Secret | None = None
    certificates: tuple[bytes, ...] = ()

    @classmethod
    @timed("keys", "whole")
    def generate(
        cls, model: IntegerModel, options: Options, pool: Pool, secret: Secret | None = None
    ) -> Prover:
        """The prover of a model, with new keys: a function of the model, the options and the secret alone.

        Without a `secret` hiding keys get a new one. Raises as `require_provable` does.
        """
        lowered = lower_by(options, model)
        largest = lowered.system.for_batch(options.max_batch)
        schedule = choose_schedule(largest, options)
        require_key(lowered.system, schedule, options.max_batch)
        if not options.hiding:
            secret = None
        elif secret is None:
            secret = Secret.generate()
        hidden = secret if options.hides_weights and lowered.constants else None
        commitment = None
        # One thread reads the whole model for it.
        model_digest = begun(partial(hidden_digest, model, hidden))
        weights = _local_weights(model, lowered)
        if schedule.initial.weight_columns > 0:
            # Pads are no weights: they change no position of a weight.
            layout = lay_out(largest, schedule.initial.log_rows, code=schedule.initial)
            seed = weights_seed(schedule, secret)
            weights = weights.commit(largest, layout, schedule, seed, pool, later=True)
        if weights.committed is not None:
            commitment = weights.committed.commitment(schedule)
        verifying = KeyContent(lowered.system, schedule, options.max_batch, model_digest(), commitment)
        verifying.check()
        return cls(model, lowered, verifying, LocalBackend(schedule, weights, pool), secret)

    @classmethod
    def load(
        cls,
        model: IntegerModel,
        verifying: KeyContent,
        pool: Pool,
        secret: Secret | None = None,
        certificates: tuple[bytes, ...] = (),
    ) -> Prover:
        """The prover of a model with its verifying key, and with its secret if it is a hiding one.

        `certificates` are the chain to a later epoch than the anchor. Raises FormatError where these do not
        belong together, VerificationError for a certificate that does not hold.
        """
        lowered = lower_for(model, verifying, secret)
        weights, schedule = _local_weights(model, lowered), verifying.schedule
        if verifying.weights is not None:
            largest = verifying.instance(verifying.max_batch)
            seed = weights_seed(schedule, secret, *epoch_seed_parts(verifying, certificates))
            weights = weights.commit(largest.system, largest.layout, schedule, seed, pool)
        backend = LocalBackend(schedule, weights, pool)
        prover = cls(model, lowered, verifying, backend, secret, certificates)
        prover.require_commitment()
        # Now, not by the first proof: weights in the order of their layers, leaves, types of messages.
        _ = prover.runner
        if verifying.max_batch == 1:
            backend.leaf_writer(verifying.instance(1))
        proof_file.prepare()
        return prover

    def require_commitment(self) -> None:
        """Raises FormatError unless the key's epoch has the commitment of the backend's weights."""
        weights = self.backend.weights
        commitment = None if weights is None else weights.commitment(self.verifying.schedule)
        expected = self.verifying.weights
        if self.epoch is not None:
            expected = WeightCommitment(self.epoch.root, self.epoch.answer)
        if commitment != expected:
            raise FormatError("the verifying key holds the commitment of other weights")

    @cached_property
    def epochs(self) -> AcceptedEpochs:
        """What a verifier accepts by the certificates."""
        return AcceptedEpochs(self.verifying, self.certificates)

    @property
    def epoch(self) -> EpochWeights | None:
        """The epoch that its proofs are of; None where they do not hide weights."""
        return self.epochs.last

    def require_memory(self, samples: int, limit: int) -> None:
        """Raises MemoryLimitError for a proof that takes more than `limit` bytes here, with its weights.

        Workers have memory of their own.
        """
        if isinstance(self.backend, LocalBackend):
            needed = needed_memory(self.verifying, samples, sum(self._weight_sizes))
            require_memory(needed, limit)

    @cached_property
    def _weight_sizes(self) -> tuple[int, ...]:
        return tuple(values.size for values in self.model.constants.values())

    @cached_property
    def runner(self) -> IntegerRunner:
        """Runs the model, large layers by the backend. What no proof commits to is not kept."""
        kept = {source.value for source in self.lowered.sources.values() if source.column is None}
        threads = self.backend.pool.threads
        return IntegerRunner(self.model, self.backend.layers, self.lowered.rows, threads, kept)

    @cached_property
    def public_weights(self) -> PublicWeights | None:
        """What a verifier needs beside a key of public weights; None where weights are committed."""
        if self.verifying.weights is not None:
            return None
        return PublicWeights(self.verifying.model_digest, self.lowered.system, self.backend.vectors)

    @timed("witness", "proving")
    def witness(
        self,
        instance: Instance,
        trace: InferenceTrace,
        statement: StatementBytes,
        attempt: Attempt | None = None,
        hidden: tuple[HiddenMatrix, ...] = (),
    ) -> Witness:
        """The witness of an inference: every tensor that a proof commits to, and what hides them."""
        system, sources = instance.system, self.lowered.sources
        committed = [tensor for tensor in sources if system.tensors[tensor].matrix is Matrix.WITNESS]
        threads = self.backend.pool.threads if system.values(Matrix.WITNESS) >= LEAST_VALUES else 1

        def read(tensor: int) -> Integers:
            return sources[tensor].read(trace.values, trace.columns).reshape(-1)

        tensors = dict(zip(committed, by_threads(read, committed, threads), strict=True))
        evaluated = dict[int, IntArray]()
        tensors |= count_rows(system, tensors, threads, evaluated)
        vectors = TensorVectors.of(tensors, threads)
        seed = self._seed(vectors, statement, attempt)
        code = self.verifying.schedule.initial
        return Witness.of(instance, code, tensors, vectors, seed, hidden, evaluated)

    def commit_hidden(
        self,
        trace: InferenceTrace,
        samples: int,
        attempt: Attempt | None,
        seeds: Mapping[str, bytes] = NO_SEEDS,
    ) -> tuple[HiddenMatrix, ...]:
        """The commitments to hidden inputs and outputs, in the order of `System.hidden`.

        `seeds` are those of commitments that have been made before, by the tensor's name.
        """
        code, pool, encoder = self.verifying.schedule.initial, self.backend.pool, Encoder()
        system, result = self.verifying.instance(samples).system, list[HiddenMatrix]()
        for index, (public, sizes) in enumerate(
            zip(system.hidden, commitment_sizes(system, code), strict=True)
        ):
            values = BaseVector.from_array(trace.values[public.name].reshape(-1))
            seed = seeds.get(public.name) or self._commitment_seed(values, index, attempt)
            result.append(commit_tensor(sizes, values, seed, encoder, pool))
        return tuple(result)

    def _commitment_seed(self, values: BaseVector, index: int, attempt: Attempt | None) -> bytes:
        """The seed of a commitment that is made for one proof."""
        if self.secret is None or attempt is None:
            raise BudgetError("a hiding proof needs a reservation of its key's budget")
        tensor = values.digest("deepprove-dist tensor")
        key, number = self.verifying.digest, attempt.number
        return commitment_seed(self.secret, key, attempt.reservation, number, index, tensor)

    def _seed(self, vectors: TensorVectors, statement: StatementBytes, attempt: Attempt | None) -> bytes:
        """The seed of all random values of a proof; empty for a transparent one."""
        if self.secret is None:
            return b""
        if attempt is None:
            raise BudgetError("a hiding proof needs a reservation of its key's budget")
        reserved, epoch = attempt.reservation.epoch, 0 if self.epoch is None else self.epoch.number
        if reserved != epoch:
            raise BudgetError(f"a reservation of epoch {reserved} is no part of the budget of epoch {epoch}")
        digests = b"".join(vectors[tensor].digest("deepprove-dist tensor") for tensor in sorted(vectors))
        return proof_seed(
            self.secret,
            PROTOCOL.decode(),
            self.verifying.digest,
            attempt.reservation,
            attempt.number,
            digest("deepprove-dist statement", encode(statement)),
            digest("deepprove-dist witness", digests),
        )


def needed_memory(verifying: KeyContent, samples: int, weights: int) -> int:
    """Bytes that a proof of so many samples takes in one process, of a model of so many weights.

    Those of the interpreter come to them.
    """
    code, leaves = verifying.schedule.initial, verifying.instance(samples).leaves
    return proving_bytes(code, leaves.levels, weights if verifying.weights is None else 0)


def lower_for(model: IntegerModel, verifying: KeyContent, secret: Secret | None) -> Lowered:
    """The model lowered. Raises FormatError where it, or the secret, is not the verifying key's."""
    hidden = secret if verifying.weights is not None else None
    lowered = lower(model, rounded=hidden is not None, hidden=HiddenNames.of(verifying.system))
    if (secret is not None) != verifying.schedule.initial.hiding:
        raise FormatError("a hiding key needs the secret that it was made with, and no other key has one")
    if hidden_digest(model, hidden) != verifying.model_digest or lowered.system != verifying.system:
        raise FormatError(
            "the integer model and the secret are not those that the verifying key was made for"
        )
    return lowered


def hidden_digest(model: IntegerModel, secret: Secret | None) -> bytes:
    """The digest of the model's file, 32 bytes; with a secret it tells nothing to those who guess a model."""
    plain = model_digest(model)
    return plain if secret is None else digest("deepprove-dist hidden model", model_salt(secret) + plain)


def weights_seed(schedule: Schedule, secret: Secret | None, epoch: int = 0, nonce: bytes = b"") -> bytes:
    """The seed of the random rows of committed weights in an epoch; empty for a transparent key.

    A later epoch than the anchor has a nonce, which its certificate names.
    """
    return b"" if secret is None else tail_seed(secret, key_file.dump_schedule(schedule), epoch, nonce)


def epoch_seed_parts(verifying: KeyContent, certificates: Sequence[bytes]) -> tuple[int, bytes]:
    """The number and the nonce of the epoch that a chain of certificates leads to; 0 and none for the anchor.

    Raises FormatError for bytes that are no certificate, VerificationError for one that does not hold.
    """
    epoch = AcceptedEpochs(verifying, certificates).last
    if epoch is None or not certificates:
        return 0, b""
    return epoch.number, certificate_file.load(certificates[-1]).statement.nonce


@dataclass(frozen=True)
class Attempt:
    """What the random values of a hiding proof follow from beside the secret: its reservation, and a count.

    A proof that is made again, since workers computed it wrongly, is another attempt.
    """

    reservation: Reservation
    number: int = 0


def prove(
    prover: Prover,
    trace: InferenceTrace,
    samples: int,
    context: bytes = b"",
    attempt: Attempt | None = None,
    hidden: tuple[HiddenMatrix, ...] | None = None,
    *,
    carry: bool = False,
) -> bytes:
    """The proof of an inference of `samples` inputs: a function of keys, inputs, context and attempt alone.

    A hiding proof needs an attempt. `hidden` are commitments to hidden inputs and outputs, by
    `Prover.commit_hidden`. Without them there are some for this proof alone. With `carry` it has the
    certificates of its epoch.

    Raises InputError for a longer context than a proof holds.
    """
    require_context(context)
    verifying = prover.verifying
    if hidden is None:
        hidden = prover.commit_hidden(trace, samples, attempt)
    commitments = tuple(matrix.commitment for matrix in hidden)
    data = iter([commitment.statement_bytes for commitment in commitments])
    system = verifying.system
    inputs = encode_public(system, verifying.inputs, trace.values, data)
    outputs = encode_public(system, verifying.outputs, trace.outputs, data)
    statement = StatementBytes(verifying.digest, prover.epoch, samples, inputs, outputs, context)
    witness = prover.witness(verifying.instance(samples), trace, statement, attempt, hidden)
    public = PublicValues.of_arrays(system, trace.values, trace.outputs, commitments)
    proof = argument.prove(verifying, statement, public, witness, prover.backend)
    return proof_file.dump(replace(proof, certificates=prover.certificates) if carry else proof)


def _local_weights(model: IntegerModel, lowered: Lowered) -> LocalWeights:
    return LocalWeights.of({tensor: model.constants[name] for tensor, name in lowered.constants.items()})
