"""The backend of a group of workers: the coordinator's side of every step of a proof.

The coordinator has the graph, biases and small layers, and the witness of the proof in progress. Encoded
weights, and the weights of large layers once the key is loaded, are with the workers only. What is not worth
a message is done here, by the backend of one process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path

from deepprove_dist.errors import ExecutionError, WorkerError
from deepprove_dist.execution.assignment import deal
from deepprove_dist.execution.phases.commitments import SharedTree
from deepprove_dist.execution.phases.inference import shared_layers
from deepprove_dist.execution.phases.layer_shares import SplitLayer, share_messages, split_layers
from deepprove_dist.execution.phases.lookups import SharedFractions
from deepprove_dist.execution.phases.opening import SharedMatrices
from deepprove_dist.execution.phases.relations import SharedBinder
from deepprove_dist.execution.phases.witness import deal_leaves, deal_rows
from deepprove_dist.execution.policy import Policy
from deepprove_dist.execution.state import WEIGHTS
from deepprove_dist.execution.team import Team
from deepprove_dist.execution.worker_group import WorkerGroup
from deepprove_dist.kernels import BaseVector, ExtensionVector, Pool, Transcript
from deepprove_dist.lowering.builder import Lowered
from deepprove_dist.model.constants import ConstantPlace, index_constants
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol import key_file
from deepprove_dist.protocol.argument.backend import CommittedWeights, LayerRunner
from deepprove_dist.protocol.argument.local_backend import LocalBackend, LocalRun, LocalWeights
from deepprove_dist.protocol.key import Instance, VerifyingKey
from deepprove_dist.protocol.lookup.parts import prove_by_parts
from deepprove_dist.protocol.lookup.prove import FractionProof
from deepprove_dist.protocol.lookup.tree import MIN_LEVELS, Challenges
from deepprove_dist.protocol.opening.codes import add_all, tree_shapes
from deepprove_dist.protocol.opening.prove import FoldedVector, OpeningClaims, Tree, TreeQuery
from deepprove_dist.protocol.relations.contraction import BoundRelation, ProductInstance
from deepprove_dist.protocol.weights import out_of_domain_point
from deepprove_dist.protocol.witness import Witness
from deepprove_dist.prover import ProvingKey, lower_for
from deepprove_dist.retry import without_faulty_workers

MIN_ROWS_LOG = 4
"""A part of a column fills a register of any vector unit."""


def load_cluster_key(
    model: IntegerModel,
    path: Path,
    verifying: VerifyingKey,
    group: WorkerGroup,
    pool: Pool,
    policy: Policy | None = None,
) -> ProvingKey:
    """A key whose weights are with a group of workers; its proofs are those of the same key in one process.

    Workers read the integer model's file at `path`; those that load wrongly are found and replaced. Raises
    FormatError where model and key do not belong together, ExecutionError where workers fail and cannot be
    replaced.
    """
    lowered, policy = lower_for(model, verifying), policy or Policy()
    initial = verifying.schedule.initial
    parts = deal([rank.threads for rank in group.descriptions], initial.log_rows - MIN_ROWS_LOG)
    layers = split_layers(model, lowered, len(parts.parts), policy.layer_weights)
    places = index_constants(path)
    # The coordinator evaluates public weights itself.
    elsewhere = set[str]() if verifying.weights is None else {own.node.inputs[1] for own in layers.values()}
    local = LocalWeights.of(
        {tensor: model.constants[name] for tensor, name in lowered.constants.items() if name not in elsewhere}
    )
    backend = ClusterBackend(verifying, local, layers, Team(group, parts, pool), policy)
    # The model stays whole for whoever asks for it, but not in memory.
    mapped = {name: places[name].map(path) for name in elsewhere}
    model = replace(model, constants={**model.constants, **mapped})
    key = ProvingKey(model, lowered, verifying, backend)

    def load() -> None:
        backend.load(path, lowered, places)
        key.require_commitment()

    without_faulty_workers(load, backend.audit, nullcontext)
    return key


class ClusterBackend:
    """Makes large steps by a group of workers, and small ones in this process."""

    def __init__(
        self,
        verifying: VerifyingKey,
        local_weights: LocalWeights,
        split: Mapping[str, SplitLayer],
        team: Team,
        policy: Policy,
    ) -> None:
        """`local_weights` are those that stay in this process, `split` the layers that workers share."""
        self.verifying, self.split, self.team, self.policy = verifying, split, team, policy
        self.local = LocalBackend(verifying.schedule, local_weights, team.pool)
        self._committed: CommittedWeights | None = None
        self._log_blocks: dict[int, int] = {}

    def load(self, path: Path, lowered: Lowered, places: Mapping[str, ConstantPlace]) -> None:
        """Loads the key into all workers, which read the integer model's file, and commits its weights.

        `places` says where each constant stands in the file. Raises ExecutionError where workers fail.
        """
        team, verifying = self.team, self.verifying
        constants = {tensor: asdict(places[name]) for tensor, name in lowered.constants.items()}
        layers = share_messages(self.split, places, team.capacities)
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
            self._committed = CommittedWeights(tree, z, add_all(team.call_all("column_values", z=z)))

    @property
    def pool(self) -> Pool:
        """See `Backend`."""
        return self.team.pool

    @property
    def weights(self) -> CommittedWeights | None:
        """See `Backend`."""
        return self._committed

    @property
    def vectors(self) -> Mapping[int, BaseVector]:
        """See `Backend`."""
        return self.local.vectors

    @property
    def layers(self) -> Mapping[str, LayerRunner]:
        """See `Backend`."""
        return shared_layers(self.team, self.split)

    def attempt(self) -> AbstractContextManager[None]:
        """See `Backend`: what workers are told inside belongs to one proof."""
        return self.team.group.proof()

    def audit(self) -> tuple[str, ...]:
        """See `Backend`."""
        return tuple(
            f"worker {faulty.rank} on {faulty.node} (call {faulty.index}, '{faulty.method}')"
            for faulty in self.team.group.audit()
        )

    def begin(self, instance: Instance, witness: Witness) -> ClusterRun:
        """See `Backend`: every worker gets its rows of the witness."""
        deal_rows(self.team, instance.samples, witness.matrix)
        return ClusterRun(self, instance, witness, self.local.begin(instance, witness))

    def log_blocks(self, instance: Instance, matrices: SharedMatrices, claims: OpeningClaims) -> int:
        """What `SharedMatrices.choose_blocks` gives, which is the same for every proof of a batch."""
        if instance.samples not in self._log_blocks:
            self._log_blocks[instance.samples] = matrices.choose_blocks(claims)
        return self._log_blocks[instance.samples]


class ClusterRun:
    """One proof by a group of workers; `local` makes the steps that are too small for them."""

    def __init__(
        self, backend: ClusterBackend, instance: Instance, witness: Witness, local: LocalRun
    ) -> None:
        self._backend, self._instance, self._witness, self._local = backend, instance, witness, local
        self._team, self._policy = backend.team, backend.policy
        schedule = backend.verifying.schedule
        self._matrices = SharedMatrices(self._team, self._policy, schedule, instance.layout)
        self._binder = SharedBinder(self._team, backend.split, local.binder)

    def commit(self) -> Tree:
        """See `ProofRun`: for parts of a large code, workers give each other their rows."""
        initial = self._backend.verifying.schedule.initial
        code = tree_shapes(initial)[-1]
        large = initial.witness_columns << initial.log_length >= self._policy.code_values
        if not large or code.height < self._team.deal.log_parts:
            return self._local.commit()
        with self._team.phase("witness commitment"):
            roots = self._team.exchange("witness_rows", "commit_witness")
        return SharedTree(self._team, "witness", code, roots)

    def bind_factors(
        self, relations: Sequence[BoundRelation], products: Sequence[ProductInstance]
    ) -> list[list[ExtensionVector]]:
        """See `FactorBinder`."""
        return self._binder.bind_factors(relations, products)

    def prove_fractions(self, challenges: Challenges, transcript: Transcript) -> FractionProof:
        """See `FractionTree`: large trees are built by parts."""
        log_parts, levels = self._team.deal.log_parts, self._instance.leaves.levels
        if levels < max(self._policy.leaves_log, MIN_LEVELS + log_parts):
            return self._local.prove_fractions(challenges, transcript)
        deal_leaves(self._team, self._instance, self._witness)
        with self._team.phase("lookups"):
            gather_log = max(self._policy.gather_log, log_parts)
            fractions = SharedFractions(self._team, challenges)
            return prove_by_parts(fractions, levels, gather_log, transcript, self._team.pool)

    def bind_columns(
        self, claims: OpeningClaims, transcript: Transcript
    ) -> tuple[FoldedVector, ExtensionVector]:
        """See `Openable`."""
        log_blocks = self._backend.log_blocks(self._instance, self._matrices, claims)
        return self._matrices.bind_columns(claims, log_blocks, transcript)

    def open_trees(self, asked: Sequence[TreeQuery]) -> list[tuple[BaseVector, bytes]]:
        """See `Openable`."""
        return self._matrices.open_trees(asked)
