"""Where a proof is made: what `prove` asks of one process, or of a group of workers.

A `Backend` has a loaded key's weights and lives as long as the key. `begin` gives a `ProofRun`, which has the
witness too and makes the heavy steps of one proof.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from deepprove_dist.arrays import IntArray
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector, Pool
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.key.key import Instance
from deepprove_dist.protocol.key.weights import WeightCommitment
from deepprove_dist.protocol.lookup.prove import FractionTree
from deepprove_dist.protocol.opening.prove import Openable, Tree
from deepprove_dist.protocol.parameters import Schedule
from deepprove_dist.protocol.relations.prove import FactorBinder

LayerRunner = Callable[[IntArray], IntArray]
"""Computes a layer's accumulator from its input, both [samples, *shape]."""


@dataclass(frozen=True)
class CommittedWeights:
    """The weights' tree and their sample out of its code's domain.

    Attributes:
        tree: over the weights' code.
        z: the out-of-domain point.
        column_values: for every column c of the weights, sum_i W[i][c] z^i over the rows i.
    """

    tree: Tree
    z: Extension
    column_values: ExtensionVector

    def commitment(self, schedule: Schedule) -> WeightCommitment:
        """What the verifying key says: the value at z is that of all columns, one after the other."""
        step = self.z ** (1 << schedule.initial.log_rows)
        powers = ExtensionVector.powers(step, len(self.column_values))
        return WeightCommitment(self.tree.root, self.column_values.dot(powers))


class ProofRun(FactorBinder, FractionTree, Openable, Protocol):
    """The heavy steps of one proof: committing, and those of relations, lookups and the opening."""

    def commit(self) -> Tree:
        """Commits the witness."""

    def column_values(self, z: Extension) -> ExtensionVector:
        """What `Witness.column_values` gives, once the witness is committed."""


class Backend(Protocol):
    """A loaded key's weights, and whoever computes with them."""

    @property
    def pool(self) -> Pool:
        """Threads of this process."""

    @property
    def weights(self) -> CommittedWeights | None:
        """The committed weights; None where they are public, or there are none."""

    @property
    def vectors(self) -> Mapping[int, BaseVector]:
        """Weights in this process, in row-major order, by tensor: all of them where they are public."""

    @property
    def layers(self) -> Mapping[str, LayerRunner]:
        """Layers of an inference that the backend computes, by the name of their output."""

    def attempt(self) -> AbstractContextManager[None]:
        """Surrounds one attempt at an inference and its proof."""

    def audit(self) -> tuple[str, ...]:
        """Finds the workers that answered wrongly in this attempt, replaces them, and describes each."""

    def begin(self, instance: Instance, witness: Witness) -> ProofRun:
        """Begins a proof; it ends where the next one begins."""
