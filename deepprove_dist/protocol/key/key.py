"""The verifying key: the lowered model, the opening's schedule, and what stands for the weights.

It is small and holds no weights. Its digest, BLAKE3 of its bytes, is what a verifier pins. What follows from
it for a number of samples (sizes, layout, leaves of the fraction tree) is derived once and kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import prod

from deepprove_dist.checks import Check
from deepprove_dist.errors import FormatError, VerificationError
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import digest
from deepprove_dist.protocol.claims.layout import Layout, lay_out
from deepprove_dist.protocol.claims.public import PublicValues
from deepprove_dist.protocol.hidden.statement import most_statement_bytes
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.key.account import protocol_shape
from deepprove_dist.protocol.key.pads import count_pads, with_pads
from deepprove_dist.protocol.key.weights import WeightCommitment
from deepprove_dist.protocol.key.work import MAX_WORK, opening_work, work
from deepprove_dist.protocol.lookup.tree import LeafLayout, lay_out_leaves
from deepprove_dist.protocol.messages.epoch import EpochWeights
from deepprove_dist.protocol.messages.proof import MAX_CONTEXT
from deepprove_dist.protocol.messages.public_integers import MAX_INTEGERS
from deepprove_dist.protocol.parameters import ProtocolShape, Schedule, most_bytes, require_security
from deepprove_dist.protocol.system.arg_max import with_indices
from deepprove_dist.protocol.system.public_selection import selecting_relations, with_selections
from deepprove_dist.protocol.system.system import Matrix, PublicTensor, System

FRAMING, PART_FRAMING = 512, 32
"""Bytes that name and delimit the values of a proof, and those of one tensor, round or tree."""

MAX_INSTANCES = 8
"""Numbers of samples for which what follows from them is kept."""


@dataclass(frozen=True)
class Instance:
    """A key's system for a number of samples, and where its values stand.

    Attributes:
        samples: their number.
        system: its last tensor is that of pads, in a hiding key.
        layout: columns are the key's, for any number of samples.
        leaves: of the fraction tree.
        pads: scalars that are sent padded; 0 in a transparent key.
        selecting: numbers of the relations that public indices select in.
    """

    samples: int
    system: System
    layout: Layout
    leaves: LeafLayout
    pads: int
    selecting: tuple[int, ...]

    def stating(self, public: PublicValues) -> Instance:
        """The same for a statement: its system has what follows from public indices."""
        if not self.selecting and not self.system.arg_maxima:
            return self
        system = with_indices(self.system, public.outputs)
        return replace(self, system=with_selections(system, self.selecting, public.inputs))

    @property
    def pads_tensor(self) -> int:
        """The tensor of pads, of shape (pads + 4, 5), where there are any."""
        return len(self.system.tensors) - 1


@dataclass(frozen=True)
class KeyContent:
    """What a verifier knows of a model.

    `model_digest` is the digest of the integer model's file. `weights` is None for a model without weights,
    and where weights are public: then the verifier needs the model.
    """

    system: System
    schedule: Schedule
    max_batch: int
    model_digest: bytes
    weights: WeightCommitment | None

    @property
    def inputs(self) -> tuple[PublicTensor, ...]:
        """Inputs of the statement."""
        return self.system.inputs

    @property
    def outputs(self) -> tuple[PublicTensor, ...]:
        """Outputs of the statement."""
        return self.system.outputs

    def other_parts(self, system: System) -> list[str]:
        """The parts of the key's lowered model that differ from `system`, by their names."""
        return [
            part for part in system.__struct_fields__ if getattr(self.system, part) != getattr(system, part)
        ]

    @cached_property
    def security(self) -> bytes:
        """The encoding of the opening's schedule, the first thing that a transcript absorbs."""
        return key_file.dump_schedule(self.schedule)

    @cached_property
    def digest(self) -> bytes:
        """32 bytes that stand for the key."""
        return digest("deepprove-dist verifying key", key_file.dump(self))

    @property
    def anchor(self) -> EpochWeights | None:
        """Epoch 0: the weights that the key commits to. None where proofs do not hide weights."""
        if self.weights is None or not self.schedule.initial.hiding:
            return None
        return EpochWeights(0, self.weights.root, self.weights.answer)

    @cached_property
    def shape(self) -> ProtocolShape:
        """The counts that the soundness account depends on, at the largest number of samples."""
        return protocol_shape(self._largest)

    def instance(self, batch: int) -> Instance:
        """The system for `batch` samples. Raises VerificationError for a number that is not allowed."""
        if not 1 <= batch <= self.max_batch:
            message = f"the key allows 1 to {self.max_batch} samples, not {batch}"
            raise VerificationError(Check.BATCH, message, expected=self.max_batch, actual=batch)
        return self._instances(batch)

    def max_proof_bytes(self, batch: int) -> int:
        """Bytes that no proof for `batch` samples exceeds."""
        return self._largest_proof if batch == self.max_batch else self._most_bytes(batch)

    @cached_property
    def _largest_proof(self) -> int:
        return self._most_bytes(self.max_batch)

    def _most_bytes(self, batch: int) -> int:
        shape = self.shape if batch == self.max_batch else protocol_shape(self.system.for_batch(batch))
        system = self.system
        statement = MAX_CONTEXT + sum(most_statement_bytes(system, public, batch) for public in system.public)
        trees = (self.schedule.codes, self.schedule.rounds, self.schedule.initial.hidden)
        parts = len(system.public) + sum(map(len, trees))
        return statement + most_bytes(self.schedule, shape) + FRAMING + PART_FRAMING * parts

    def check(self) -> None:
        """Derives what a verifier needs and requires the security level of all that it bounds.

        Raises SecurityError below it, FormatError where sizes contradict each other.
        """
        if any(code.matrix == Matrix.ANCHOR.value for code in self.schedule.initial.matrices):
            raise FormatError("the key's schedule has an anchor, which certificates alone have")
        require_security(self.schedule, self.shape)
        # A value outside its table could be looked up p times, which the fraction tree counts as never.
        if self.shape.lookups.fractions >= MODULUS:
            raise FormatError("the key has more lookups than the field can count")
        for public in self._largest.public:
            if self.max_batch * prod(public.shape) > MAX_INTEGERS:
                raise FormatError(f"'{public.name}' has more than {MAX_INTEGERS} values in all samples")
        self.instance(self.max_batch)

    @cached_property
    def _largest(self) -> System:
        return self.system.for_batch(self.max_batch)

    @cached_property
    def _instances(self) -> Callable[[int], Instance]:
        # A few only: the number of samples is what a proof says.
        return lru_cache(maxsize=MAX_INSTANCES)(self._derive)

    def _derive(self, batch: int) -> Instance:
        system = self._largest if batch == self.max_batch else self.system.for_batch(batch)
        initial = self.schedule.initial
        weights = () if self.weights is None else (Matrix.WEIGHTS,)
        committed = (*weights, Matrix.HIDDEN, Matrix.WITNESS)
        if self.weights is not None and initial.weight_columns == 0:
            raise FormatError("the key commits weights, but its schedule has no columns for them")
        if self.weights is None and initial.weight_columns > 0:
            raise FormatError("the key commits no weights, but its schedule has columns for them")
        pads = count_pads(system) if initial.hiding else 0
        system = with_pads(system, pads)
        layout = lay_out(system, initial.log_rows, committed=committed, code=initial)
        if batch == self.max_batch:
            key_file.require_columns(initial, layout)
        leaves = lay_out_leaves(system, layout)
        if work(system, layout, leaves) + opening_work(self.schedule) > MAX_WORK:
            raise FormatError(
                "proofs for this key would take too long to check. Its model has too many relations, or its "
                "tables too many pieces (fewer activation bits make fewer)"
            )
        return Instance(batch, system, layout, leaves, pads, selecting_relations(system))
