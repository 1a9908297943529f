"""The backend of one process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from deepprove_dist.kernels import (
    BaseVector,
    Commitment,
    Encoder,
    Extension,
    ExtensionVector,
    Pool,
    Transcript,
    random_values,
)
from deepprove_dist.narrow_integers import Integers
from deepprove_dist.protocol.argument.backend import CommittedWeights, LayerRunner
from deepprove_dist.protocol.argument.later_tree import LaterTree
from deepprove_dist.protocol.argument.tensor_vectors import TensorVectors
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.claims.layout import Layout, arrange
from deepprove_dist.protocol.key.key import MAX_INSTANCES, Instance
from deepprove_dist.protocol.key.key_file import dump_schedule
from deepprove_dist.protocol.key.weights import out_of_domain_point
from deepprove_dist.protocol.lookup.leaves import PartLeaves
from deepprove_dist.protocol.lookup.prove import LocalFractions
from deepprove_dist.protocol.lookup.tree import Challenges
from deepprove_dist.protocol.opening.codes import tree_shapes
from deepprove_dist.protocol.opening.prove import (
    BoundColumns,
    LocalMatrices,
    OpeningClaims,
    Tree,
    TreeQuery,
)
from deepprove_dist.protocol.parameters import Schedule
from deepprove_dist.protocol.relations.contraction import BoundRelation, ProductInstance
from deepprove_dist.protocol.relations.prove import BoundFactors, LocalBinder
from deepprove_dist.protocol.system.system import Matrix, System
from deepprove_dist.timing import timed

LARGE_CODE = 2**26
"""Values of a code that is made when it is needed. Until then it is made in parts of fewer: 256 MB."""


@dataclass(frozen=True)
class LocalWeights:
    """Weights in this process, by tensor: integers of any shape, and field elements in row-major order.

    Committed ones also have their matrix, in the order of addresses, and its tree.
    """

    arrays: Mapping[int, Integers]
    vectors: TensorVectors
    matrix: BaseVector | None = None
    committed: CommittedWeights | None = None

    @classmethod
    def of(cls, arrays: Mapping[int, Integers]) -> LocalWeights:
        """Weights that are not committed."""
        return cls(arrays, TensorVectors.of(arrays))

    @timed("commitment of the weights", "setup")
    def commit(
        self,
        system: System,
        layout: Layout,
        schedule: Schedule,
        seed: bytes,
        pool: Pool,
        *,
        later: bool = False,
    ) -> LocalWeights:
        """The same, committed; `layout` is that of the key's largest batch, `seed` that of the tails.

        With `later` a large code is made for the first proof, not now.
        """
        matrix = arrange(system, layout, Matrix.WEIGHTS, self.vectors)
        tail = schedule.initial.tail(Matrix.WEIGHTS.value)
        if tail > 0:
            tails = random_values(seed, "tails", 0, layout.columns[Matrix.WEIGHTS] * tail)
            matrix = matrix.with_tails(1 << layout.log_rows, tails)
        code, shape = schedule.initial, tree_shapes(schedule.initial)[0]
        tree: Tree
        size = len(matrix) << code.log_inverse_rate
        if later and size >= LARGE_CODE:
            parts = max(code.log_inverse_rate, (size // LARGE_CODE).bit_length())
            tree = LaterTree(matrix, shape, min(parts, shape.height), pool)
        else:
            tree = Commitment.of_base(matrix, shape, Encoder(), pool)
        z = out_of_domain_point(dump_schedule(schedule), tree.root)
        values = matrix.column_values(1 << code.log_rows, z, pool)
        return LocalWeights(self.arrays, self.vectors, matrix, CommittedWeights(tree, z, values))


class LocalBackend:
    """Makes every step in this process."""

    def __init__(self, schedule: Schedule, local_weights: LocalWeights, pool: Pool) -> None:
        self.schedule, self.local_weights, self.pool = schedule, local_weights, pool
        self.encoder = Encoder()
        self._writers: dict[int, PartLeaves] = {}

    @property
    def weights(self) -> CommittedWeights | None:
        """See `Backend`."""
        return self.local_weights.committed

    @property
    def vectors(self) -> Mapping[int, BaseVector]:
        """See `Backend`."""
        return self.local_weights.vectors

    @property
    def layers(self) -> Mapping[str, LayerRunner]:
        """See `Backend`: the runner of the whole model computes all of them itself."""
        return {}

    def attempt(self) -> AbstractContextManager[None]:
        """See `Backend`."""
        return nullcontext()

    def audit(self) -> tuple[str, ...]:
        """See `Backend`: there are no workers."""
        return ()

    def begin(self, instance: Instance, witness: Witness) -> LocalRun:
        """See `Backend`."""
        return LocalRun(self, instance, witness)

    def leaf_writer(self, instance: Instance) -> PartLeaves:
        """What writes the leaves of an instance; the tables' columns are prepared once for a batch."""
        if instance.samples not in self._writers:
            if len(self._writers) == MAX_INSTANCES:
                self._writers.pop(next(iter(self._writers)))
            writer = PartLeaves(instance.system, instance.leaves, instance.layout)
            self._writers[instance.samples] = writer
        return self._writers[instance.samples]


class LocalRun:
    """One proof in this process."""

    def __init__(self, backend: LocalBackend, instance: Instance, witness: Witness) -> None:
        self._backend, self._instance, self.witness = backend, instance, witness
        weights = backend.local_weights
        matrices = [] if weights.matrix is None else [weights.matrix]
        matrices += [*(hidden.matrix for hidden in witness.hidden), witness.matrix]
        self._matrices = LocalMatrices(matrices, instance.layout, backend.encoder, backend.pool)
        self.binder = LocalBinder(
            instance.system,
            weights.vectors.beside(witness.vectors),
            {**weights.arrays, **witness.tensors},
            backend.pool,
        )

    def commit(self) -> Tree:
        """See `ProofRun`."""
        code, backend, witness = tree_shapes(self._backend.schedule.initial)[-1], self._backend, self.witness
        return Commitment.of_base(witness.matrix, code, backend.encoder, backend.pool, witness.random_rows)

    def column_values(self, z: Extension) -> ExtensionVector:
        """See `ProofRun`."""
        return self.witness.column_values(z, self._backend.pool)

    def bind_factors(
        self, relations: Sequence[BoundRelation], products: Sequence[ProductInstance]
    ) -> list[BoundFactors]:
        """See `FactorBinder`."""
        return self.binder.bind_factors(relations, products)

    def prove_fractions(
        self, challenges: Challenges, transcript: Transcript, pads: ExtensionVector
    ) -> ExtensionVector:
        """See `FractionTree`."""
        instance, witness = self._instance, self.witness
        writer, pool = self._backend.leaf_writer(instance), self._backend.pool
        tree = LocalFractions(
            instance.system,
            instance.leaves,
            writer,
            witness.matrix,
            witness.tensors,
            pool,
            witness.evaluated,
        )
        return tree.prove_fractions(challenges, transcript, pads)

    def bind_columns(self, claims: OpeningClaims, transcript: Transcript) -> BoundColumns:
        """See `Openable`."""
        return self._matrices.bind_columns(claims, transcript)

    def open_trees(self, asked: Sequence[TreeQuery]) -> list[tuple[BaseVector, bytes]]:
        """See `Openable`."""
        return self._matrices.open_trees(asked)
