"""Witnesses whose pads, random rows or mask vector a prover chose itself, badly or with a plan."""

from __future__ import annotations

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import EXTENSION_DEGREE
from deepprove_dist.kernels import BaseVector, ExtensionVector
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.claims.layout import arrange
from deepprove_dist.protocol.system.system import Matrix
from deepprove_dist.prover import Prover
from tests.attacks.reference_prover import Attempt
from tests.records import replace


def integers(vector: BaseVector) -> IntArray:
    """A vector's elements."""
    return vector.to_array().astype(np.int64)


def with_pads(key: Prover, attempt: Attempt, values: IntArray) -> Attempt:
    """The attempt with these pads, [pads + 4, 5], in the committed tensor and in what is sent."""
    witness, instance = attempt.witness, key.verifying.instance(attempt.statement.batch)
    pads = BaseVector.from_array(values.reshape(-1))
    vectors = witness.vectors.with_known(instance.pads_tensor, pads)
    data = arrange(instance.system, instance.layout, Matrix.WITNESS, vectors)
    matrix = BaseVector.concatenated([data, witness.matrix[len(data) :]])
    changed = replace(witness, vectors=vectors, matrix=matrix, pads=ExtensionVector.from_coordinates(pads))
    return replace(attempt, witness=changed)


def pads_of(witness: Witness) -> IntArray:
    """The pads of a witness, [pads + 4, 5]."""
    words = np.frombuffer(bytes(witness.pads), dtype="<u4").astype(np.int64)
    return words.reshape(-1, EXTENSION_DEGREE)


def with_random_rows(attempt: Attempt, values: IntArray) -> Attempt:
    """The attempt with these random rows, of witness columns and then of mask columns."""
    rows = BaseVector.from_array(values.reshape(-1))
    assert len(rows) == len(attempt.witness.random_rows)
    return replace(attempt, witness=replace(attempt.witness, random_rows=rows))


def with_matrix(attempt: Attempt, values: IntArray) -> Attempt:
    """The attempt with these rows of data, column by column; mask columns are the last five."""
    matrix = BaseVector.from_array(values.reshape(-1))
    assert len(matrix) == len(attempt.witness.matrix)
    return replace(attempt, witness=replace(attempt.witness, matrix=matrix))
