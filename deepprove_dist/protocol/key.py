"""The verifying key: the lowered model, the opening's schedule, and what stands for the weights.

It is small and holds no weights. Its digest, BLAKE3 of its bytes, is what a verifier pins. What follows from
it for a number of samples (sizes, layout, leaves of the fraction tree) is derived once and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from deepprove_dist.errors import FormatError, VerificationError
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import digest
from deepprove_dist.protocol import key_file
from deepprove_dist.protocol.account import protocol_shape
from deepprove_dist.protocol.layout import Layout, lay_out
from deepprove_dist.protocol.lookup.tree import LeafLayout, lay_out_leaves
from deepprove_dist.protocol.parameters import ProtocolShape, Schedule, require_security
from deepprove_dist.protocol.relations.affine import closed_form
from deepprove_dist.protocol.relations.system import (
    Affine,
    Followed,
    Joined,
    Matrix,
    PublicTensor,
    Shape,
    System,
    Window,
    parts,
    size_along,
)
from deepprove_dist.protocol.weights import WeightCommitment

MAX_INSTANCES = 8
"""Numbers of samples for which what follows from them is kept."""

MAX_WORK = 1 << 24
"""Boxes that relations and tables may visit; a key can refer to a tensor of many boxes many times."""


@dataclass(frozen=True)
class Instance:
    """A key's system for a number of samples, with the places of its values."""

    samples: int
    system: System
    layout: Layout
    leaves: LeafLayout


@dataclass(frozen=True)
class VerifyingKey:
    """What a verifier knows of a model.

    `model_digest` is the digest of the integer model's file. `weights` is None in the profile of public
    weights, where the verifier needs that model, and for a model that has none.
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

    @cached_property
    def security(self) -> bytes:
        """The encoding of the opening's schedule, the first thing that a transcript absorbs."""
        return key_file.dump_schedule(self.schedule)

    @cached_property
    def digest(self) -> bytes:
        """32 bytes that stand for the key."""
        return digest("deepprove-dist verifying key", key_file.dump(self))

    @cached_property
    def shape(self) -> ProtocolShape:
        """The counts that the soundness account depends on, at the largest number of samples."""
        return protocol_shape(self.system.for_batch(self.max_batch))

    def instance(self, batch: int) -> Instance:
        """The system for `batch` samples. Raises VerificationError for a number that is not allowed."""
        if not 1 <= batch <= self.max_batch:
            raise VerificationError("batch", f"the key allows 1 to {self.max_batch} samples, not {batch}")
        return self._instances(batch)

    def check(self) -> None:
        """Derives what a verifier needs and requires the security level of all that it bounds.

        Raises SecurityError below it, FormatError where sizes contradict each other.
        """
        require_security(self.schedule, self.shape)
        # A value outside its table could be looked up p times, which the fraction tree counts as never.
        if self.shape.lookups.fractions >= MODULUS:
            raise FormatError("the key has more lookups than the field can count")
        self.instance(self.max_batch)

    @cached_property
    def _instances(self) -> Callable[[int], Instance]:
        # A few only: the number of samples is what a proof says.
        return lru_cache(maxsize=MAX_INSTANCES)(self._derive)

    def _derive(self, batch: int) -> Instance:
        system = self.system.for_batch(batch)
        initial = self.schedule.initial
        committed = (Matrix.WITNESS,) if self.weights is None else tuple(Matrix)
        if self.weights is not None and initial.weight_columns == 0:
            raise FormatError("the key commits weights, but its schedule has no columns for them")
        layout = lay_out(system, initial.log_rows, committed=committed)
        key_file.require_columns(initial, layout, exact=batch == self.max_batch)
        # The committed matrix, and its out-of-domain claim, have the key's width for any number of samples.
        layout = replace(layout, witness_columns=initial.witness_columns)
        if _work(system, layout) > MAX_WORK:
            raise FormatError("the key's relations and tables would take too long to check")
        return Instance(batch, system, layout, lay_out_leaves(system, layout))


def _work(system: System, layout: Layout) -> int:
    """The steps that checking a proof takes for expressions, box by box, and for tables piece by piece."""
    steps = 0
    for column in (column for lookup in system.lookups for column in lookup.columns):
        steps += _expression_work(system, layout, column, ())
    for relation in system.relations:
        space = relation.affine.space
        steps += _expression_work(system, layout, relation.affine, ())
        for product in relation.products:
            for window in product.windows:
                steps += size_along(space, window.output) * window.taps
                steps += _joining_work(space, window.output, ()) + product.contracted[window.contracted]
            first = len(space) + len(product.contracted)
            for factor in (product.left, product.right):
                explicit = [place for place, axis in enumerate(factor.axes) if axis >= first]
                steps += _expression_work(system, layout, factor.value, explicit)
    functions = [(table.function, layout.boxes[table.multiplicity]) for table in system.tables]
    return steps + sum(len(f.pieces) * len(boxes) for f, boxes in functions if f is not None)


def _expression_work(system: System, layout: Layout, affine: Affine, explicit: Sequence[int]) -> int:
    """Axes whose weights are `explicit`, and windows, cost their places: they have no closed forms.

    A window costs all weights of its axis, and the tensor's places that they are pulled to, too; so do joined
    axes where their weights have to be multiplied.
    """
    sums = 1 + sum(affine.space[axis] for axis in explicit)
    steps = sums * (len(affine.constants) + len(affine.terms))
    ranges = [axis for constant in affine.constants for axis, _, _ in constant.ranges]
    steps += sum(_joining_work(affine.space, axis, explicit) for axis in ranges)
    for term in affine.terms:
        listed = []
        for place, axis in enumerate(term.axes):
            joining = _joining_work(affine.space, axis, explicit)
            steps += joining
            if isinstance(axis, Window):
                steps += (axis.end - axis.first) * axis.taps + size_along(affine.space, axis)
                steps += system.tensors[term.tensor].shape[place]
            if isinstance(axis, Window) or joining or not set(parts(axis)).isdisjoint(explicit):
                listed.append(place)
        if boxes := layout.boxes[term.tensor]:
            steps += len(boxes) + sum(layout.spans[term.tensor][place] for place in listed)
    return steps


def _joining_work(space: Shape, axis: Followed | Window, explicit: Sequence[int]) -> int:
    """Products of the weights of joined axes; none where they have a closed form."""
    own = axis.axis if isinstance(axis, Window) else axis
    if not isinstance(own, Joined):
        return 0
    closed = closed_form([space[k] for k in own.axes]) and set(own.axes).isdisjoint(explicit)
    return 0 if closed else size_along(space, own)
