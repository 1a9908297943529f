"""The backend of a group of workers: the coordinator's side of every step of a proof.

The coordinator has the graph, biases and small layers, and the witness of the proof in progress. Encoded
weights, and the weights of large layers once the key is loaded, are with the workers only. What is not worth
a message is done here, by the backend of one process.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

from deepprove_dist.ahead import begun
from deepprove_dist.errors import ExecutionError, WorkerError
from deepprove_dist.execution.calls.methods import Call
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.commitments import SharedTree, commit_witness, witness_rows
from deepprove_dist.execution.phases.inference import shared_layers
from deepprove_dist.execution.phases.layer_shares import SplitLayer, share_messages, split_layers
from deepprove_dist.execution.phases.loading import column_values, load
from deepprove_dist.execution.phases.lookups import SharedFractions
from deepprove_dist.execution.phases.opening import SharedMatrices
from deepprove_dist.execution.phases.policy import MIN_ROWS_LOG, Policy
from deepprove_dist.execution.phases.relations import SharedBinder
from deepprove_dist.execution.phases.state import WEIGHTS
from deepprove_dist.execution.phases.witness import assign_rows, leaf_calls, witness_values
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.kernels import BaseVector, CodeShape, Extension, ExtensionVector, Pool, Transcript
from deepprove_dist.lowering.builder import Lowered
from deepprove_dist.model.constants import ConstantLocation, index_constants
from deepprove_dist.model.file import digest as model_digest
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.argument.backend import CommittedWeights, LayerRunner
from deepprove_dist.protocol.argument.local_backend import LocalBackend, LocalRun, LocalWeights
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.key.key import Instance, KeyContent
from deepprove_dist.protocol.key.weights import out_of_domain_point
from deepprove_dist.protocol.lookup.parts import prove_by_parts
from deepprove_dist.protocol.lookup.tree import MIN_LEVELS, Challenges
from deepprove_dist.protocol.opening.codes import add_all, tree_shapes
from deepprove_dist.protocol.opening.prove import BoundColumns, OpeningClaims, Tree, TreeQuery
from deepprove_dist.protocol.relations.contraction import BoundRelation, ProductInstance
from deepprove_dist.protocol.relations.prove import BoundFactors
from deepprove_dist.prover import Prover, epoch_seed_parts, lower_for, weights_seed
from deepprove_dist.randomness.secret import Secret
from deepprove_dist.retry import without_faulty_workers

logger = logging.getLogger(__name__)


def load_cluster_prover(
    model: IntegerModel,
    path: Path,
    verifying: KeyContent,
    group: WorkerGroup,
    pool: Pool,
    policy: Policy | None = None,
    secret: Secret | None = None,
    certificates: tuple[bytes, ...] = (),
) -> Prover:
    """A prover whose weights are with a group of workers. Its proofs are those of one process.

    Workers read the integer model's file at `path`; those that load wrongly are found and replaced. Raises
    FormatError where model and key do not belong together, ExecutionError where workers fail and cannot be
    replaced.
    """
    lowered, policy = lower_for(model, verifying, secret), policy or Policy()
    initial = verifying.schedule.initial
    assignment = group.assign(initial.log_rows - MIN_ROWS_LOG)
    layers = split_layers(model, lowered, len(assignment.parts), policy.layer_weights)
    locations = index_constants(path)
    # The coordinator evaluates public weights itself.
    elsewhere = (
        set[str]() if verifying.weights is None else {layer.node.inputs[1] for layer in layers.values()}
    )
    local = LocalWeights.of(
        {tensor: model.constants[name] for tensor, name in lowered.constants.items() if name not in elsewhere}
    )
    backend = ClusterBackend(verifying, local, layers, group, policy, pool)
    # The model stays whole for whoever asks for it, but not in memory.
    mapped = {name: locations[name].map(path) for name in elsewhere}
    model = replace(model, constants={**model.constants, **mapped})
    prover = Prover(model, lowered, verifying, backend, secret, certificates)
    digest = model_digest(model)
    seed = weights_seed(verifying.schedule, secret, *epoch_seed_parts(verifying, certificates))

    def load(attempt: int) -> None:
        backend.load(path, digest, lowered, locations, seed)
        prover.require_commitment()

    without_faulty_workers(load, backend.audit, nullcontext)
    if len(group.descriptions) > 1 and not policy.is_worth(initial):
        logger.warning(
            "this network is small: %d workers take longer for a proof than one process alone",
            len(group.descriptions),
        )
    return prover


class ClusterBackend:
    """Makes large steps by a group of workers, and small ones in this process."""

    def __init__(
        self,
        verifying: KeyContent,
        local_weights: LocalWeights,
        split: Mapping[str, SplitLayer],
        group: WorkerGroup,
        policy: Policy,
        pool: Pool,
    ) -> None:
        """`local_weights` are those that stay in this process, `split` the layers that workers share."""
        self.verifying, self.split, self.group, self.policy = verifying, split, group, policy
        self._pool = pool
        self.local = LocalBackend(verifying.schedule, local_weights, pool)
        self._committed: CommittedWeights | None = None
        self._log_blocks: dict[int, int] = {}

    def load(
        self,
        path: Path,
        digest: bytes,
        lowered: Lowered,
        locations: Mapping[str, ConstantLocation],
        seed: bytes,
    ) -> None:
        """Loads the key into all workers, which read the integer model's file, and commits its weights.

        `digest` is that file's; `locations` says where it has each constant. `seed` gives the random rows of
        hidden weights. Raises ExecutionError where workers fail.
        """
        group, verifying = self.group, self.verifying
        assignment = group.assignment
        constants = {tensor: locations[name] for tensor, name in lowered.constants.items()}
        layers = share_messages(self.split, locations, assignment.capacities)
        calls = {
            rank: Call.to(
                load,
                verifying=key_file.dump(verifying),
                model=digest,
                constants=constants,
                log_parts=assignment.log_parts,
                parts=parts,
                layers=layers[rank],
                seed=seed,
            )
            for rank, parts in enumerate(assignment.parts)
        }
        with group.phase("load"):
            group.distribute(path, digest)
            try:
                roots = list(group.call(calls).values())
            except WorkerError as error:
                # Most likely its node has no such file: then a replacement would do no better.
                raise ExecutionError(f"a key could not be loaded: {error}") from error
            if verifying.weights is None:
                return
            code = tree_shapes(verifying.schedule.initial)[0]
            tree = SharedTree(group, WEIGHTS, code, roots, self.pool)
            z = out_of_domain_point(verifying.security, tree.root)
            self._committed = CommittedWeights(tree, z, add_all(group.call_all(column_values, z=z)))

    @property
    def pool(self) -> Pool:
        """See `Backend`."""
        return self._pool

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
        return shared_layers(self.group, self.split, self.policy)

    def attempt(self) -> AbstractContextManager[None]:
        """See `Backend`: what workers are asked inside belongs to one proof."""
        return self.group.proof()

    def audit(self) -> tuple[str, ...]:
        """See `Backend`."""
        return tuple(map(str, self.group.audit(_trusted_executor)))

    def begin(self, instance: Instance, witness: Witness) -> ClusterRun:
        """See `Backend`: every worker gets its rows of the witness."""
        assign_rows(self.group, instance.samples, witness)
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
        self._backend, self._instance, self._local = backend, instance, local
        self._group, self._policy, self._pool = backend.group, backend.policy, backend.pool
        schedule = backend.verifying.schedule
        self._matrices = SharedMatrices(self._group, self._policy, schedule, instance.layout, self._pool)
        self._binder = SharedBinder(self._group, backend.split, local.binder, self._pool)
        self._leaf_calls: Callable[[], dict[int, Call[None]]] = partial(
            leaf_calls, self._group.assignment, instance, witness
        )

    def commit(self) -> Tree:
        """See `ProofRun`: for parts of a large code, workers exchange their rows."""
        if not self._shares_code:
            return self._local.commit()
        if self._shares_leaves:
            # This process has nothing else to do while workers commit.
            self._leaf_calls = begun(self._leaf_calls)
        with self._group.phase("witness commitment"):
            roots = self._group.all_gather(witness_rows, commit_witness)
        return SharedTree(self._group, "witness", self._code, roots, self._pool)

    def column_values(self, z: Extension) -> ExtensionVector:
        """See `ProofRun`: each worker has the values of its rows."""
        if not self._shares_code:
            return self._local.column_values(z)
        with self._group.phase("witness commitment"):
            return add_all(self._group.call_all(witness_values, z=z))

    @property
    def _code(self) -> CodeShape:
        return tree_shapes(self._backend.verifying.schedule.initial)[-1]

    @property
    def _shares_code(self) -> bool:
        initial = self._backend.verifying.schedule.initial
        columns = initial.witness_columns + initial.mask_columns
        large = columns << initial.log_length >= self._policy.code_values
        return large and self._code.height >= self._group.assignment.log_parts

    def bind_factors(
        self, relations: Sequence[BoundRelation], products: Sequence[ProductInstance]
    ) -> list[BoundFactors]:
        """See `FactorBinder`; workers get what leaves are written from."""
        if self._shares_leaves:
            # Relations leave them idle, and the next calls are to be short.
            with self._group.phase("witness"):
                self._group.defer(self._leaf_calls())
        return self._binder.bind_factors(relations, products)

    def prove_fractions(
        self, challenges: Challenges, transcript: Transcript, pads: ExtensionVector
    ) -> ExtensionVector:
        """See `FractionTree`: large trees are built by parts."""
        log_parts, levels = self._group.assignment.log_parts, self._instance.leaves.levels
        if not self._shares_leaves:
            return self._local.prove_fractions(challenges, transcript, pads)
        with self._group.phase("lookups"):
            gather_log = max(self._policy.gather_log, log_parts)
            fractions = SharedFractions(self._group, challenges)
            return prove_by_parts(fractions, levels, gather_log, transcript, pads, self._pool)

    @property
    def _shares_leaves(self) -> bool:
        least = max(self._policy.leaves_log, MIN_LEVELS + self._group.assignment.log_parts)
        return self._instance.leaves.levels >= least

    def bind_columns(self, claims: OpeningClaims, transcript: Transcript) -> BoundColumns:
        """See `Openable`."""
        log_blocks = self._backend.log_blocks(self._instance, self._matrices, claims)
        return self._matrices.bind_columns(claims, log_blocks, transcript)

    def open_trees(self, asked: Sequence[TreeQuery]) -> list[tuple[BaseVector, bytes]]:
        """See `Openable`."""
        return self._matrices.open_trees(asked)


def _trusted_executor(threads: int) -> InProcessExecutor:
    """This process as a worker: it makes the calls again that others may have answered wrongly."""
    return InProcessExecutor(1, create_worker, threads)
