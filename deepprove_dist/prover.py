"""The prover: keys from an integer model, and proofs of its inferences.

Its backend holds the weights, encoded and committed. A prover is loaded once, and proves many times. On disk
it is the integer model and the verifying key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import get_args

from deepprove_dist.choices import require_choice, require_count
from deepprove_dist.errors import FormatError
from deepprove_dist.kernels import Pool
from deepprove_dist.lowering.builder import Lowered
from deepprove_dist.model.file import digest as model_digest
from deepprove_dist.model.inference import InferenceTrace, IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.argument import prove as argument
from deepprove_dist.protocol.argument.backend import Backend
from deepprove_dist.protocol.argument.local_backend import LocalBackend, LocalWeights
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.claims.layout import lay_out
from deepprove_dist.protocol.claims.public import PublicValues
from deepprove_dist.protocol.key.account import protocol_shape
from deepprove_dist.protocol.key.key import Instance, KeyContent
from deepprove_dist.protocol.key.key_file import MAX_BATCH
from deepprove_dist.protocol.key.weights import PublicWeights
from deepprove_dist.protocol.lookup.prove import count_rows
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import StatementBytes
from deepprove_dist.protocol.messages.statement import encode_tensor, require_context
from deepprove_dist.protocol.parameters import (
    DEFAULT_SECURITY_BITS,
    SECURITY_LEVELS,
    ProofObjective,
    Schedule,
    Weights,
    choose,
)
from deepprove_dist.protocol.system.system import Matrix, System
from deepprove_dist.timing import timed


@dataclass(frozen=True)
class Options:
    """What a setup may choose.

    That is whether weights are committed, and what the schedule is tuned for. It is also the most samples in
    a proof, and the bits of security.

    Raises ChoiceError for what there is not.
    """

    weights: Weights = "committed"
    objective: ProofObjective = "default"
    max_batch: int = 1
    security: int = DEFAULT_SECURITY_BITS

    def __post_init__(self) -> None:
        require_choice("weights", self.weights, get_args(Weights))
        require_choice("objective", self.objective, get_args(ProofObjective))
        require_count("max_batch", self.max_batch, 1, MAX_BATCH)
        require_choice("security", self.security, SECURITY_LEVELS)


def choose_schedule(system: System, options: Options) -> Schedule:
    """The schedule for a system of the largest number of samples. Raises SecurityError."""
    weight_values, witness_values = (system.values(matrix) for matrix in Matrix)
    return choose(
        weight_values,
        witness_values,
        protocol_shape(system),
        objective=options.objective,
        weights=options.weights,
        security_bits=options.security,
    )


@dataclass(frozen=True, eq=False)
class Prover:
    """A model, ready to prove its inferences.

    Attributes:
        model: the integer model.
        lowered: its relations, lookups and tables, and where their tensors come from.
        verifying: the content of its verifying key.
        backend: holds the weights, and makes the heavy steps of inferences and proofs.
    """

    model: IntegerModel = field(repr=False)
    lowered: Lowered = field(repr=False)
    verifying: KeyContent = field(repr=False)
    backend: Backend

    @classmethod
    @timed("keys", "whole")
    def generate(cls, model: IntegerModel, options: Options, pool: Pool) -> Prover:
        """The prover of a model, with new keys: a function of the model and the options alone.

        Raises SecurityError.
        """
        lowered = lower(model)
        largest = lowered.system.for_batch(options.max_batch)
        schedule = choose_schedule(largest, options)
        weights, commitment = _local_weights(model, lowered), None
        if schedule.initial.weight_columns > 0:
            weights = weights.commit(largest, lay_out(largest, schedule.initial.log_rows), schedule, pool)
        if weights.committed is not None:
            commitment = weights.committed.commitment(schedule)
        verifying = KeyContent(lowered.system, schedule, options.max_batch, model_digest(model), commitment)
        verifying.check()
        return cls(model, lowered, verifying, LocalBackend(schedule, weights, pool))

    @classmethod
    def load(cls, model: IntegerModel, verifying: KeyContent, pool: Pool) -> Prover:
        """The prover of a model with its verifying key.

        Raises FormatError where the two do not belong together.
        """
        lowered = lower_for(model, verifying)
        weights, schedule = _local_weights(model, lowered), verifying.schedule
        if verifying.weights is not None:
            largest = verifying.instance(verifying.max_batch)
            weights = weights.commit(largest.system, largest.layout, schedule, pool)
        prover = cls(model, lowered, verifying, LocalBackend(schedule, weights, pool))
        prover.require_commitment()
        return prover

    def require_commitment(self) -> None:
        """Raises FormatError unless the verifying key has the commitment of the backend's weights."""
        weights = self.backend.weights
        commitment = None if weights is None else weights.commitment(self.verifying.schedule)
        if commitment != self.verifying.weights:
            raise FormatError("the verifying key holds the commitment of other weights")

    @cached_property
    def runner(self) -> IntegerRunner:
        """Runs the model, large layers by the backend."""
        return IntegerRunner(self.model, self.backend.layers)

    @cached_property
    def public_weights(self) -> PublicWeights | None:
        """What a verifier needs beside a key of public weights; None where weights are committed."""
        if self.verifying.weights is not None:
            return None
        return PublicWeights(self.verifying.model_digest, self.lowered.system, self.backend.vectors)

    @timed("witness", "proving")
    def witness(self, instance: Instance, trace: InferenceTrace) -> Witness:
        """The witness of an inference: every tensor that a proof commits to."""
        tensors = {
            tensor: source.read(trace.values, trace.columns).reshape(-1)
            for tensor, source in self.lowered.sources.items()
        }
        return Witness.of(instance, tensors | count_rows(instance.system, tensors))


def lower_for(model: IntegerModel, verifying: KeyContent) -> Lowered:
    """The model lowered. Raises FormatError where it is not the verifying key's."""
    lowered = lower(model)
    if model_digest(model) != verifying.model_digest or lowered.system != verifying.system:
        raise FormatError("the integer model is not the one that the verifying key was made for")
    return lowered


def prove(prover: Prover, trace: InferenceTrace, samples: int, context: bytes = b"") -> bytes:
    """The proof of an inference of `samples` inputs; a function of keys, inputs and context alone.

    Raises InputError for a longer context than a proof holds.
    """
    require_context(context)
    verifying = prover.verifying
    statement = StatementBytes(
        verifying.digest,
        samples,
        tuple(encode_tensor(tensor, trace.values[tensor.name]) for tensor in verifying.inputs),
        tuple(encode_tensor(tensor, trace.outputs[tensor.name]) for tensor in verifying.outputs),
        context,
    )
    witness = prover.witness(verifying.instance(samples), trace)
    public = PublicValues(trace.values, trace.outputs)
    return proof_file.dump(argument.prove(verifying, statement, public, witness, prover.backend))


def _local_weights(model: IntegerModel, lowered: Lowered) -> LocalWeights:
    return LocalWeights.of({tensor: model.constants[name] for tensor, name in lowered.constants.items()})
