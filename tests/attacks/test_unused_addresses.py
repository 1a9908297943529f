"""Addresses of the witness matrix that no tensor has may hold anything: no claim reads them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import BaseVector
from deepprove_dist.protocol.system.system import Matrix
from deepprove_dist.prover import Prover
from tests.attacks.lying_prover import accepted
from tests.attacks.models import check, honest_attempt, images, inputs, prove_fast
from tests.records import replace

Sample = Callable[[int], dict[str, IntArray]]


@pytest.mark.parametrize(("name", "sample"), [("key", inputs), ("image_key", images)])
def test_unused_addresses_change_no_output(
    request: pytest.FixtureRequest, hiding: bool, name: str, sample: Sample
) -> None:
    key: Prover = request.getfixturevalue(name)
    honest = honest_attempt(key, sample(1))
    instance, values = key.verifying.instance(1), honest.witness.matrix.to_array().astype(np.int64)
    used = np.zeros(len(values), dtype=np.int64)
    first = instance.layout.first_column(Matrix.WITNESS) << instance.layout.log_rows
    for tensor, blocks in zip(instance.system.tensors, instance.layout.blocks, strict=True):
        for block in blocks if tensor.matrix is Matrix.WITNESS else ():
            used[block.position - first : block.position - first + (1 << block.log_size)] += 1
    assert used.max() == 1, "blocks overlap"
    assert not used.all()
    # Mask columns are none of these: they come after all of them.
    random = np.random.default_rng(0)
    filled = np.where(used == 1, values, random.integers(0, MODULUS, len(values)))
    attempt = replace(honest, witness=replace(honest.witness, matrix=BaseVector.from_array(filled)))
    statement = check(key, prove_fast(key, attempt))
    for output, integers in honest.trace.outputs.items():
        assert np.array_equal(statement.output_integers[output], integers)
    # One that is used is another matter.
    changed = filled + np.eye(1, len(filled), int(np.flatnonzero(used)[0]), dtype=np.int64)[0]
    witness = replace(honest.witness, matrix=BaseVector.from_array(changed))
    assert not accepted(key, replace(honest, witness=witness))
