"""What a rank holds: the parts of a key assigned to it, and what the calls of a proof made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.phases.layer_shares import LayerShare
from deepprove_dist.execution.workers.worker import ProcessContext
from deepprove_dist.kernels import (
    BaseVector,
    Encoder,
    Extension,
    ExtensionVector,
    FractionPart,
    PartialCommitment,
    PartialOpening,
    Pool,
)
from deepprove_dist.model.operator_threads import OperatorThreads
from deepprove_dist.protocol.key.key import Instance, KeyContent
from deepprove_dist.protocol.lookup.leaves import PartLeaves, PartValues

WEIGHTS = "weights"
"""The name of the one tree that outlives a proof."""


@dataclass
class KeyState:
    """Loaded once: the key, the rank's parts of the weights, and its shares of layers.

    `rows` has the weight matrix's rows of each part, none where the weights are public.
    """

    verifying: KeyContent
    log_parts: int
    parts: tuple[int, ...]
    rows: dict[int, BaseVector] = field(default_factory=dict)
    layers: dict[str, LayerShare] = field(default_factory=dict)
    leaves: dict[tuple[int, int], PartLeaves] = field(default_factory=dict)

    def residue(self, part: int) -> tuple[int, int]:
        """The low bits that a part of rows has: (their number, their value)."""
        return self.log_parts, part


@dataclass
class ProofState:
    """Of one proof; the next one starts with another.

    `rows` has the witness matrix's rows of each part, mask columns last. `random_rows` has the further ones.
    `hidden_rows` has those of the matrices of hidden inputs and outputs, one after the other.
    """

    instance: Instance
    random_rows: BaseVector
    rows: dict[int, BaseVector] = field(default_factory=dict)
    hidden_rows: dict[int, BaseVector] = field(default_factory=dict)
    values: dict[int, PartValues] = field(default_factory=dict)
    fractions: dict[int, FractionPart] = field(default_factory=dict)
    openings: dict[int, PartialOpening] = field(default_factory=dict)


class WorkerState:
    """A rank's state; `trees` holds the parts of each committed code by name."""

    def __init__(self, context: ProcessContext) -> None:
        self.context = context
        self.pool = Pool(context.threads)
        self.operators = OperatorThreads(context.threads)
        self.encoder = Encoder()
        self.trees: dict[str, dict[int, PartialCommitment]] = {}
        self._key: KeyState | None = None
        self._proof: ProofState | None = None

    @property
    def key(self) -> KeyState:
        """The loaded key. Raises ExecutionError before one is loaded."""
        if self._key is None:
            raise ExecutionError("the worker has loaded no key")
        return self._key

    @key.setter
    def key(self, key: KeyState) -> None:
        self._key = key

    @property
    def proof(self) -> ProofState:
        """The proof in progress. Raises ExecutionError before one is begun."""
        if self._proof is None:
            raise ExecutionError("the worker has begun no proof")
        return self._proof

    @proof.setter
    def proof(self, proof: ProofState) -> None:
        self._proof = proof

    def column_values(self, rows: Mapping[int, BaseVector], columns: int, z: Extension) -> ExtensionVector:
        """The rank's share of sum_i M[i][c] z^i for every column c of a matrix, by its rows of each part."""
        log_parts = self.key.log_parts
        length = 1 << (self.key.verifying.schedule.initial.log_rows - log_parts)
        total = ExtensionVector([0] * columns)
        for part, matrix in rows.items():
            share = matrix.column_values(length, z ** (1 << log_parts), self.pool)
            total = total.plus(share.times(ExtensionVector([z**part] * columns)))
        return total

    def mask(self, part: int) -> BaseVector:
        """A part's rows of the mask columns."""
        rows = self.proof.rows[part]
        code = self.key.verifying.schedule.initial
        length = code.mask_columns << (code.log_rows - self.key.log_parts)
        return rows[len(rows) - length :]
