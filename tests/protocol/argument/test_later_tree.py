"""A tree whose code is made later is that of the code."""

from __future__ import annotations

import pytest

from deepprove_dist.kernels import CodeShape, Commitment, Encoder, Pool, random_values
from deepprove_dist.protocol.argument import local_backend
from deepprove_dist.protocol.argument.later_tree import LaterTree
from deepprove_dist.prover import Prover, prove
from deepprove_dist.setup_options import Options
from tests.model.small_model import small_model
from tests.protocol.example import ATTEMPT, POOL, SECRET, proving_key, trace


@pytest.mark.parametrize("log_parts", [0, 1, 3])
@pytest.mark.parametrize("missing", [0, 17])
def test_root_and_leaves_are_those_of_the_whole(log_parts: int, missing: int) -> None:
    pool, shape = Pool(2), CodeShape(5, 3, 3, 1)
    matrix = random_values(bytes(32), "matrix", 0, (3 << 5) - missing)
    whole, later = (
        Commitment.of_base(matrix, shape, Encoder(), pool),
        LaterTree(matrix, shape, log_parts, pool),
    )
    assert later.root == whole.root
    for leaves in ([0, 5, 6], [63]):
        rows, nodes = later.open(leaves)
        assert (rows.to_array().tolist(), nodes) == (
            whole.open(leaves)[0].to_array().tolist(),
            whole.open(leaves)[1],
        )


@pytest.mark.parametrize("hiding", [False, True])
def test_keys_with_a_large_code_make_the_same_proofs(hiding: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = proving_key(hiding=hiding)
    monkeypatch.setattr(local_backend, "LARGE_CODE", 1)
    options = Options(max_batch=3, hiding=hiding)
    large = Prover.generate(small_model(), options, POOL, SECRET if hiding else None)
    assert isinstance(large.backend.weights.tree if large.backend.weights else None, LaterTree)
    assert large.verifying.digest == usual.verifying.digest
    attempt = ATTEMPT if hiding else None
    assert prove(large, trace(), 1, b"", attempt) == prove(usual, trace(), 1, b"", attempt)
