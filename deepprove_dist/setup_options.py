"""What a setup may choose, and the system and the schedule that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from deepprove_dist.canonical import DIGEST_BYTES
from deepprove_dist.choices import require_choice, require_count
from deepprove_dist.errors import ChoiceError
from deepprove_dist.kernels import Extension
from deepprove_dist.lowering.builder import Lowered
from deepprove_dist.model.hidden_names import NOTHING_HIDDEN, HiddenNames
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.key.account import protocol_shape
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.key.key_file import MAX_BATCH
from deepprove_dist.protocol.key.weights import WeightCommitment
from deepprove_dist.protocol.parameters import (
    DEFAULT_SECURITY_BITS,
    LEAST_PROOFS,
    MAX_PROOFS,
    SECURITY_LEVELS,
    ProofObjective,
    Schedule,
    Weights,
    choose,
)
from deepprove_dist.protocol.system.system import Matrix, System


@dataclass(frozen=True)
class Options:
    """What a setup may choose.

    That is whether weights are committed, and what the schedule is tuned for. It is the most samples in a
    proof, and the bits of security. It is whether proofs hide weights and activations. It is how many an
    epoch is good for at least; None is what suits the model's size.

    `hidden` inputs and outputs are hidden too, each by a commitment. `commitment_proofs` is how many proofs
    may be about one commitment. `memory` is how many bytes a prover may hold; None is any number.

    Raises ChoiceError for what there is not.
    """

    weights: Weights = "committed"
    objective: ProofObjective = "default"
    max_batch: int = 1
    security: int = DEFAULT_SECURITY_BITS
    hiding: bool = False
    proofs: int | None = None
    hidden: HiddenNames = NOTHING_HIDDEN
    commitment_proofs: int = LEAST_PROOFS
    memory: int | None = None

    def __post_init__(self) -> None:
        require_choice("weights", self.weights, get_args(Weights))
        require_choice("objective", self.objective, get_args(ProofObjective))
        require_count("max_batch", self.max_batch, 1, MAX_BATCH)
        require_choice("security", self.security, SECURITY_LEVELS)
        if self.proofs is not None:
            require_count("proofs", self.proofs, 1, MAX_PROOFS)
            if not self.hides_weights:
                raise ChoiceError(
                    "a number of proofs is for keys that hide their weights; "
                    "transparent keys, and those of public weights, have no budget"
                )
        require_count("commitment_proofs", self.commitment_proofs, 1, MAX_PROOFS)
        if self.hidden and not self.hiding:
            raise ChoiceError("transparent keys hide no input and no output")

    @property
    def hides_weights(self) -> bool:
        """Whether a verifier is not to learn the weights, if the model has any."""
        return self.hiding and self.weights == "committed"


def choose_schedule(system: System, options: Options) -> Schedule:
    """The schedule for a system of the largest number of samples. Raises SecurityError, MemoryLimitError."""
    return choose(
        system.values(Matrix.WEIGHTS),
        system.values(Matrix.WITNESS),
        protocol_shape(system),
        objective=options.objective,
        weights=options.weights,
        security_bits=options.security,
        hiding=options.hiding,
        proofs=options.proofs,
        hidden_values=system.hidden_values,
        hidden_proofs=options.commitment_proofs,
        memory=options.memory,
    )


def lower_by(options: Options, model: IntegerModel) -> Lowered:
    """The lowered model that keys are made of. Raises ModelError for one that is too large."""
    lowered = lower(model, rounded=options.hides_weights, hidden=options.hidden)
    return lowered if lowered.constants else lower(model, hidden=options.hidden)


def require_provable(options: Options, model: IntegerModel) -> None:
    """Requires that a key of a model is one that verifiers take. Nothing is committed for that.

    Raises ModelError, FormatError, SecurityError and MemoryLimitError as making keys does.
    """
    system = lower_by(options, model).system
    require_key(system, choose_schedule(system.for_batch(options.max_batch), options), options.max_batch)


def require_key(system: System, schedule: Schedule, max_batch: int) -> None:
    """Requires that a key of these is one that verifiers take, before weights are committed.

    Raises FormatError and SecurityError.
    """
    # What the commitment says does not matter, but that there is one.
    weights = WeightCommitment(bytes(DIGEST_BYTES), Extension(0)) if schedule.initial.weight_columns else None
    content = KeyContent(system, schedule, max_batch, bytes(DIGEST_BYTES), weights)
    content.check()
    # A file has limits of its own.
    key_file.dump(content)
