"""A proving key whose weights are with workers: the coordinator's side of every phase of a proof.

The coordinator has the graph, biases and small layers, and the witness of the proof in progress. Encoded
weights, and the weights of large layers once the key is loaded, are with the workers only.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path

from deepprove_dist.errors import ExecutionError, FormatError, WorkerError
from deepprove_dist.execution.assignment import deal
from deepprove_dist.execution.phases.commitments import SharedTree
from deepprove_dist.execution.phases.inference import remote_layers
from deepprove_dist.execution.phases.layer_shares import share_messages, split_layers
from deepprove_dist.execution.phases.lookups import SharedFractions
from deepprove_dist.execution.phases.opening import choose_blocks, shared_columns
from deepprove_dist.execution.phases.relations import shared_binder
from deepprove_dist.execution.phases.witness import deal_leaves, deal_rows
from deepprove_dist.execution.policy import Policy
from deepprove_dist.execution.state import WEIGHTS
from deepprove_dist.execution.team import Team
from deepprove_dist.execution.worker_group import WorkerGroup
from deepprove_dist.kernels import ExtensionVector, Pool, Transcript
from deepprove_dist.model.constants import ConstantPlace, index_constants
from deepprove_dist.model.file import digest as model_digest
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol import key_file
from deepprove_dist.protocol.claims import ClaimList
from deepprove_dist.protocol.key import Instance, VerifyingKey
from deepprove_dist.protocol.lookup.parts import prove_by_parts
from deepprove_dist.protocol.lookup.tree import MIN_LEVELS, Challenges, claim_leaves
from deepprove_dist.protocol.opening.codes import add_all, tree_shapes
from deepprove_dist.protocol.opening.prove import BatchedClaims, ColumnRounds, Tree
from deepprove_dist.protocol.relations.prove import Binder, expression_values
from deepprove_dist.protocol.weights import out_of_domain_point
from deepprove_dist.prover import CommittedWeights, ProvingKey, Witness
from deepprove_dist.retry import without_faulty_workers

MIN_ROWS_LOG = 4
"""A part of a column fills a register of any vector unit."""


class SharedKey(ProvingKey):
    """A loaded key of a group of workers; proofs are those of the same key on one machine."""

    def __init__(
        self,
        model: IntegerModel,
        path: Path,
        verifying: VerifyingKey,
        group: WorkerGroup,
        pool: Pool,
        policy: Policy | None = None,
    ) -> None:
        """Loads a key into workers, which read the integer model's file at `path`.

        Workers that load wrongly are found and replaced. Raises FormatError where model and key do not belong
        together, ExecutionError where workers fail and cannot be replaced.
        """
        lowered = lower(model)
        if model_digest(model) != verifying.model_digest or lowered.system != verifying.system:
            raise FormatError("the integer model is not the one that the verifying key was made for")
        initial = verifying.schedule.initial
        parts = deal([rank.threads for rank in group.descriptions], initial.log_rows - MIN_ROWS_LOG)
        self.team, self.policy = Team(group, parts, pool), policy or Policy()
        ranks = len(parts.parts)
        self.layers = split_layers(model, lowered, ranks, self.policy.layer_weights)
        elsewhere = {layer.node.inputs[1] for layer in self.layers.values()}
        if verifying.weights is None:
            # The coordinator evaluates public weights itself.
            elsewhere.clear()
        places = index_constants(path)
        # The model stays whole for whoever asks for it, but not in memory.
        mapped = {name: places[name].map(path) for name in elsewhere}
        model = replace(model, constants={**model.constants, **mapped})
        runner = IntegerRunner(model, remote_layers(self.team, self.layers))
        self._open(model, lowered, pool, runner, elsewhere)
        self.verifying, self.weights = verifying, None
        self._log_blocks: dict[int, int] = {}
        without_faulty_workers(lambda: self._load(path, places), self.audit, nullcontext)

    def _load(self, path: Path, places: Mapping[str, ConstantPlace]) -> None:
        team, verifying = self.team, self.verifying
        constants = {tensor: asdict(places[name]) for tensor, name in self._lowered.constants.items()}
        layers = share_messages(self.layers, places, team.capacities)
        common = {
            "verifying": key_file.dump(verifying),
            "model": verifying.model_digest,
            "constants": constants,
            "log_parts": team.deal.log_parts,
        }
        arguments = {
            rank: {**common, "parts": parts, "layers": layers[rank]}
            for rank, parts in enumerate(team.deal.parts)
        }
        with team.phase("load"):
            team.group.distribute(path, verifying.model_digest)
            try:
                roots = list(team.call("load", arguments).values())
            except WorkerError as error:
                # Most likely its node has no such file: not a lie, and no replacement would do better.
                raise ExecutionError(f"a key could not be loaded: {error}") from error
            if verifying.weights is None:
                return
            tree = SharedTree(team, WEIGHTS, tree_shapes(verifying.schedule.initial)[0], roots)
            z = out_of_domain_point(verifying.security, tree.root)
            self.weights = CommittedWeights(tree, z, add_all(team.call_all("column_values", z=z)))
        if self.weights.commitment(verifying.schedule) != verifying.weights:
            raise FormatError("the verifying key holds the commitment of other weights")

    def proof(self) -> AbstractContextManager[None]:
        """See `ProvingKey.proof`: what workers are told inside belongs to one proof."""
        return self.team.group.proof()

    def audit(self) -> tuple[str, ...]:
        """See `ProvingKey.audit`."""
        return tuple(
            f"worker {faulty.rank} on {faulty.node} (call {faulty.index}, '{faulty.method}')"
            for faulty in self.team.group.audit()
        )

    def begin(self, instance: Instance, witness: Witness) -> None:
        """See `ProvingKey.begin`."""
        deal_rows(self.team, instance.samples, witness.matrix)

    def commit(self, witness: Witness) -> Tree:
        """See `ProvingKey.commit`: for parts of the code, workers give each other their rows."""
        initial, code = self.verifying.schedule.initial, tree_shapes(self.verifying.schedule.initial)[-1]
        large = initial.witness_columns << initial.log_length >= self.policy.code_values
        if not large or code.height < self.team.deal.log_parts:
            return super().commit(witness)
        with self.team.phase("witness commitment"):
            roots = self.team.exchange("witness_rows", "commit_witness")
        return SharedTree(self.team, "witness", code, roots)

    def binder(self, instance: Instance, witness: Witness) -> Binder:
        """See `ProvingKey.binder`."""
        vectors = {**self.weight_vectors, **witness.vectors}
        tensors = {**self.weight_arrays, **witness.tensors}
        values = expression_values(instance.system, vectors, tensors)
        return shared_binder(self.team, self.layers, values, self.pool)

    def prove_lookups(
        self, instance: Instance, witness: Witness, transcript: Transcript, claims: ClaimList
    ) -> ExtensionVector:
        """See `ProvingKey.prove_lookups`: large trees are built by parts."""
        log_parts, levels = self.team.deal.log_parts, instance.leaves.levels
        small = levels < max(self.policy.leaves_log, MIN_LEVELS + log_parts)
        if small or not instance.leaves.rows:
            return super().prove_lookups(instance, witness, transcript, claims)
        deal_leaves(self.team, instance, witness)
        challenges = Challenges.draw(transcript)
        with self.team.phase("lookups"):
            gather_log = max(self.policy.gather_log, log_parts)
            fractions = SharedFractions(self.team, challenges)
            values, point, numerator, denominator = prove_by_parts(
                fractions, levels, gather_log, transcript, self.pool
            )
        claim_leaves(instance.system, instance.leaves, challenges, point, numerator, denominator, claims)
        return values

    def column_rounds(self, instance: Instance, witness: Witness) -> ColumnRounds:
        """See `ProvingKey.column_rounds`."""
        layout = instance.layout

        def blocks(claims: BatchedClaims) -> int:
            known = self._log_blocks
            if instance.samples not in known:
                known[instance.samples] = choose_blocks(claims, layout, self.team, self.policy)
            return known[instance.samples]

        return shared_columns(self.team, self.policy, self.verifying.schedule, layout, blocks)
