"""The prover: keys from an integer model, and proofs of its inferences.

A proving key in memory holds the model, the weights as field elements (in their tensors' order and in the
order of addresses) and their commitment; loaded once, it proves many. On disk it is the integer model and the
verifying key.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

from deepprove_dist.choices import require_choice, require_count
from deepprove_dist.errors import FormatError
from deepprove_dist.kernels import (
    BaseVector,
    Commitment,
    Encoder,
    Extension,
    ExtensionVector,
    Pool,
    Transcript,
)
from deepprove_dist.lowering.builder import Lowered
from deepprove_dist.model.file import digest as model_digest
from deepprove_dist.model.inference import IntegerRunner, Trace
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol import proof as proof_file
from deepprove_dist.protocol.account import protocol_shape
from deepprove_dist.protocol.claims import Claim, ClaimList, PowersTerm, combined
from deepprove_dist.protocol.key import Instance, VerifyingKey
from deepprove_dist.protocol.key_file import MAX_BATCH, dump_schedule
from deepprove_dist.protocol.layout import Layout, arrange, lay_out
from deepprove_dist.protocol.lookup.prove import LookupProver, count_rows
from deepprove_dist.protocol.opening.codes import tree_shapes
from deepprove_dist.protocol.opening.prove import (
    BatchedClaims,
    ColumnRounds,
    Tree,
    bind_columns_here,
    prove_opening,
)
from deepprove_dist.protocol.parameters import (
    DEFAULT_SECURITY_BITS,
    SECURITY_LEVELS,
    Profile,
    Schedule,
    Weights,
    choose,
)
from deepprove_dist.protocol.proof import Proof, StatementBytes
from deepprove_dist.protocol.public import bind_public
from deepprove_dist.protocol.relations.prove import Binder, bind_here, expression_values, prove_relations
from deepprove_dist.protocol.relations.system import Matrix, System
from deepprove_dist.protocol.statement import IntArray, encode_tensor, require_context, start_transcript
from deepprove_dist.protocol.weights import (
    PublicWeights,
    WeightCommitment,
    evaluate_public_weights,
    out_of_domain_point,
)
from deepprove_dist.timing import timed


@dataclass(frozen=True)
class Options:
    """What a setup may choose: whether weights are committed, the schedule's profile, samples in a proof, and
    the bits of security that its parameters reach.

    Raises ChoiceError for what there is not.
    """

    weights: Weights = "committed"
    profile: Profile = "default"
    max_batch: int = 1
    security: int = DEFAULT_SECURITY_BITS

    def __post_init__(self) -> None:
        require_choice("weights", self.weights, get_args(Weights))
        require_choice("profile", self.profile, get_args(Profile))
        require_count("max_batch", self.max_batch, 1, MAX_BATCH)
        require_choice("security", self.security, SECURITY_LEVELS)


def choose_schedule(system: System, options: Options) -> Schedule:
    """The schedule for a system of the largest number of samples. Raises SecurityError."""
    weight_values, witness_values = (system.values(matrix) for matrix in Matrix)
    return choose(
        weight_values,
        witness_values,
        protocol_shape(system),
        profile=options.profile,
        weights=options.weights,
        security_bits=options.security,
    )


@dataclass(frozen=True)
class CommittedWeights:
    """The tree over the weights' code, and the out-of-domain values of their columns at z."""

    tree: Tree
    z: Extension
    column_values: ExtensionVector

    def commitment(self, schedule: Schedule) -> WeightCommitment:
        """What the verifying key says: the value at z is that of all columns, one after the other."""
        step = self.z ** (1 << schedule.initial.log_rows)
        powers = ExtensionVector.powers(step, len(self.column_values))
        return WeightCommitment(self.tree.root, self.column_values.dot(powers))


@dataclass(frozen=True)
class Witness:
    """All witness tensors in row-major order, by index, and the witness matrix in the order of addresses."""

    tensors: Mapping[int, IntArray]
    vectors: Mapping[int, BaseVector]
    matrix: BaseVector


class ProvingKey:
    """Everything needed to prove a model's inferences on one machine."""

    @timed("keys", "whole")
    def __init__(self, model: IntegerModel, options: Options, pool: Pool) -> None:
        """Makes the keys of a model; they are a function of the model and the options alone."""
        self._open_model(model, pool)
        system = self._lowered.system
        largest = system.for_batch(options.max_batch)
        schedule = choose_schedule(largest, options)
        self.weights = None
        commitment = None
        if schedule.initial.weight_columns > 0:
            self.weights = self._commit_weights(schedule, lay_out(largest, schedule.initial.log_rows))
            commitment = self.weights.commitment(schedule)
        self.verifying = VerifyingKey(system, schedule, options.max_batch, model_digest(model), commitment)
        self.verifying.check()

    @classmethod
    def load(cls, model: IntegerModel, verifying: VerifyingKey, pool: Pool) -> ProvingKey:
        """The proving key of a model with its verifying key.

        Raises FormatError where the two do not belong together.
        """
        key = cls.__new__(cls)
        key._open_model(model, pool)
        if model_digest(model) != verifying.model_digest or key._lowered.system != verifying.system:
            raise FormatError("the integer model is not the one that the verifying key was made for")
        key.verifying, key.weights = verifying, None
        if verifying.weights is not None:
            layout = verifying.instance(verifying.max_batch).layout
            key.weights = key._commit_weights(verifying.schedule, layout)
            if key.weights.commitment(verifying.schedule) != verifying.weights:
                raise FormatError("the verifying key holds the commitment of other weights")
        return key

    @cached_property
    def public_weights(self) -> PublicWeights | None:
        """What a verifier needs beside a key of public weights; None where weights are committed."""
        if self.weights is not None:
            return None
        return PublicWeights(model_digest(self.model), self._lowered.system, self.weight_vectors)

    def _open_model(self, model: IntegerModel, pool: Pool) -> None:
        self._open(model, lower(model), pool, IntegerRunner(model))

    def _open(
        self,
        model: IntegerModel,
        lowered: Lowered,
        pool: Pool,
        runner: IntegerRunner,
        elsewhere: Collection[str] = (),
    ) -> None:
        """Takes a model; the constants that are `elsewhere` are not turned into field elements."""
        self.model, self.pool, self.encoder = model, pool, Encoder()
        self.runner, self._lowered = runner, lowered
        self.weight_matrix: BaseVector | None = None
        self._lookups: dict[int, LookupProver] = {}
        self.weight_arrays = {
            tensor: model.constants[name]
            for tensor, name in lowered.constants.items()
            if name not in elsewhere
        }
        self.weight_vectors = {
            tensor: BaseVector.from_array(array.reshape(-1)) for tensor, array in self.weight_arrays.items()
        }

    @timed("commitment of the weights", "setup")
    def _commit_weights(self, schedule: Schedule, layout: Layout) -> CommittedWeights:
        rows, system = 1 << schedule.initial.log_rows, self._lowered.system
        matrix = arrange(system, layout, Matrix.WEIGHTS, layout.weight_columns, self.weight_vectors)
        self.weight_matrix = matrix
        tree = Commitment.of_base(matrix, tree_shapes(schedule.initial)[0], self.encoder, self.pool)
        z = out_of_domain_point(dump_schedule(schedule), tree.root)
        return CommittedWeights(tree, z, matrix.column_values(rows, z, self.pool))

    @timed("witness", "proving")
    def witness(self, instance: Instance, trace: Trace) -> Witness:
        """The witness of an inference: every tensor that a proof commits to."""
        tensors: dict[int, IntArray] = {}
        for tensor, source in self._lowered.sources.items():
            tensors[tensor] = source.read(trace.values, trace.columns).reshape(-1)
        tensors |= count_rows(instance.system, tensors)
        return self.commit_order(instance, tensors)

    def commit_order(self, instance: Instance, tensors: Mapping[int, IntArray]) -> Witness:
        """Witness tensors with the matrix that they make."""
        vectors = {tensor: BaseVector.from_array(array.reshape(-1)) for tensor, array in tensors.items()}
        # The code's width is the key's, also where fewer samples fill fewer columns.
        columns = self.verifying.schedule.initial.witness_columns
        matrix = arrange(instance.system, instance.layout, Matrix.WITNESS, columns, vectors)
        return Witness(tensors, vectors, matrix)

    def proof(self) -> AbstractContextManager[None]:
        """What surrounds an inference and its proof."""
        return nullcontext()

    def audit(self) -> tuple[str, ...]:
        """Replaces and names workers that answered wrongly during the proof in progress; here are none."""
        return ()

    def begin(self, instance: Instance, witness: Witness) -> None:
        """Begins the proof of an inference that has been run."""

    def commit(self, witness: Witness) -> Tree:
        """Commits the witness."""
        code = tree_shapes(self.verifying.schedule.initial)[-1]
        return Commitment.of_base(witness.matrix, code, self.encoder, self.pool)

    def binder(self, instance: Instance, witness: Witness) -> Binder:
        """What binds the factors of contractions."""
        vectors = {**self.weight_vectors, **witness.vectors}
        tensors = {**self.weight_arrays, **witness.tensors}
        return bind_here(expression_values(instance.system, vectors, tensors), self.pool)

    def prove_lookups(
        self, instance: Instance, witness: Witness, transcript: Transcript, claims: ClaimList
    ) -> ExtensionVector:
        """The lookup argument: what the fraction tree sends."""
        if instance.samples not in self._lookups:
            made = LookupProver(instance.system, instance.leaves, instance.layout)
            self._lookups[instance.samples] = made
        return self._lookups[instance.samples].prove(
            witness.matrix, witness.tensors, transcript, claims, self.pool
        )

    def column_rounds(self, instance: Instance, witness: Witness) -> ColumnRounds:
        """What runs the opening's column rounds over both matrices."""
        matrices = [m for m in (self.weight_matrix, witness.matrix) if m is not None]
        return bind_columns_here(matrices, instance.layout, self.encoder, self.pool)


def prove(key: ProvingKey, trace: Trace, samples: int, context: bytes = b"") -> bytes:
    """The proof of an inference of `samples` inputs; a function of key, inputs and context alone."""
    require_context(context)
    verifying = key.verifying
    instance = verifying.instance(samples)
    statement = StatementBytes(
        verifying.digest,
        samples,
        tuple(encode_tensor(tensor, trace.values[tensor.name]) for tensor in verifying.inputs),
        tuple(encode_tensor(tensor, trace.outputs[tensor.name]) for tensor in verifying.outputs),
        context,
    )
    witness = key.witness(instance, trace)
    key.begin(instance, witness)
    return proof_file.dump(prove_witness(key, instance, statement, trace, witness))


def prove_witness(
    key: ProvingKey, instance: Instance, statement: StatementBytes, trace: Trace, witness: Witness
) -> Proof:
    """The proof of a statement with a given witness."""
    schedule, pool, system = key.verifying.schedule, key.pool, instance.system
    transcript = start_transcript(key.verifying.security, statement)
    with timed("commitment", "proving"):
        tree = key.commit(witness)
    transcript.absorb("witness/root", tree.root)
    z = transcript.challenge("witness/out-of-domain")
    answer = witness.matrix.column_values(len(witness.matrix), z, pool)[0]
    transcript.absorb_extension("witness/answer", ExtensionVector([answer]))
    claims = ClaimList()
    bind_public(system, trace.values, trace.outputs, transcript, claims, pool)
    relations = prove_relations(system, key.binder(instance, witness), transcript, claims, pool)
    fractions = key.prove_lookups(instance, witness, transcript, claims)
    final = claims.claims
    if key.weights is None:
        final = evaluate_public_weights(system, final, key.weight_vectors, pool)
    columns = instance.layout.column_boxes(Matrix.WITNESS)
    final = [*final, Claim(answer, (PowersTerm(columns, z),))]
    batched = _batch(key, instance.layout, final, witness, transcript)
    trees = [tree] if key.weights is None else [key.weights.tree, tree]
    column_rounds = key.column_rounds(instance, witness)
    opening = prove_opening(schedule, trees, column_rounds, batched, transcript)
    return Proof(statement, tree.root, answer, relations, fractions, opening)


@timed("combination of claims", "proving")
def _batch(
    key: ProvingKey, layout: Layout, claims: list[Claim], witness: Witness, transcript: Transcript
) -> BatchedClaims:
    """All claims as one; the weights' out-of-domain claim, the last, needs only its columns' values."""
    challenge = transcript.challenge("opening/claims")
    weights, committed = key.weights, key.verifying.weights
    if weights is not None and committed is not None:
        claims = [*claims, Claim(committed.answer, ())]
    scales, value = combined(claims, challenge)
    if weights is None:
        return BatchedClaims(claims, scales, [], value)
    own = witness.matrix.column_values(1 << layout.log_rows, weights.z, key.pool)
    values, scale = weights.column_values + own, scales[len(claims) - 1]
    return BatchedClaims(claims, scales, [(weights.z, scale, 0, layout.weight_columns, values)], value)
