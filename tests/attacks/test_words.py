"""Words that are no codewords are accepted as often as the count of queries says, and never else.

A prover commits a word that agrees with its codeword at 1/2 or 1/4 of the positions: a column plus
X^(n/2) - 1, or X^(n/4) - 1, for codes of length n. It is accepted where all queries meet the agreement, which
they do in alpha^queries of all cases. Contexts are fixed, so that the cases are too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import EXTENSION_DEGREE, MODULUS
from deepprove_dist.kernels import BaseVector, CodeShape, Commitment, ExtensionVector, Pool
from deepprove_dist.protocol.argument.local_backend import LocalRun
from deepprove_dist.protocol.opening.prove import LocalFoldedVector, Tree
from deepprove_dist.protocol.parameters import Code, InitialCode, Schedule
from deepprove_dist.prover import Prover
from deepprove_dist.setup_options import Options
from tests.attacks.lying_prover import accepted
from tests.attacks.models import honest_attempt, initial_code, inputs, model
from tests.attacks.test_final_vector import positions
from tests.attacks.test_schedules import insecure
from tests.backends import local

QUERIES = 3
CONTEXTS = {2: 100, 4: 320}
"""Cases for words that agree at one of 2, and of 4, positions: 12 and 5 are expected to be accepted."""
ROUNDS = (Code(4, 2, 4, QUERIES), Code(2, 2, 6, QUERIES))
SCHEDULES = {
    "rows alone": Schedule(initial_code(6, 2, (64, 64), hiding=False, queries=QUERIES), ROUNDS),
    "groups": Schedule(initial_code(6, 2, (64, 64), hiding=False, queries=QUERIES, groups=(2, 3)), ROUNDS),
}


@dataclass(frozen=True)
class Target:
    """Which code's word is wrong, and how many positions there are for one that is right."""

    code: int
    one_of: int

    def word(self, coefficients: IntArray, code: InitialCode | Code) -> IntArray:
        """Columns [columns, rows] with the first one changed, as polynomials of the code's length."""
        length = 1 << code.log_length
        result = np.zeros((len(coefficients), length), dtype=np.int64)
        result[:, : coefficients.shape[1]] = coefficients
        result[0, length // self.one_of] += 1
        result[0, 0] -= 1
        return result

    def agrees(self, position: int) -> bool:
        """Whether X^(n/k) is 1 there: at every k-th power of the generator."""
        return position % self.one_of == 0


@pytest.fixture(scope="module", params=SCHEDULES)
def key(request: pytest.FixtureRequest) -> Prover:
    with insecure(SCHEDULES[request.param]):
        return Prover.generate(model(), Options(), Pool(1))


@contextmanager
def wrong_word(key: Prover, target: Target) -> Iterator[None]:
    """The prover commits the word in place of the codeword, of the witness (code 0) or of a folded vector."""
    rounds = iter((1, 2))
    commit_witness, commit_vector = LocalRun.commit, LocalFoldedVector.commit
    encoder, pool = local(key).encoder, key.backend.pool

    # A code of rate 1, of the same length, has any word.
    def witness(run: LocalRun) -> Tree:
        initial = key.verifying.schedule.initial
        if target.code != 0:
            return commit_witness(run)
        columns, log_group = initial.trees[-1]
        matrix = run.witness.matrix.to_array().astype(np.int64).reshape(columns, -1)
        word = BaseVector.from_array(target.word(matrix, initial).reshape(-1))
        shape = CodeShape(initial.log_length, columns, 0, log_group)
        return Commitment.of_base(word, shape, encoder, pool)

    def folded(vector: LocalFoldedVector, shape: CodeShape) -> Tree:
        index = next(rounds)
        if index != target.code:
            return commit_vector(vector, shape)
        code = key.verifying.schedule.rounds[index - 1]
        columns, rows = 1 << code.log_columns, 1 << code.log_rows
        values = np.frombuffer(bytes(vector.values()), dtype="<u4").reshape(columns, rows, EXTENSION_DEGREE)
        word = np.zeros((columns, 1 << code.log_length, EXTENSION_DEGREE), dtype="<u4")
        word[:, :rows, 1:] = values[..., 1:]
        word[..., 0] = target.word(values[..., 0].astype(np.int64), code) % MODULUS
        false = ExtensionVector.from_bytes(word.tobytes())
        whole = CodeShape(code.log_length, EXTENSION_DEGREE * columns, 0, 0)
        return Commitment.of_extension(false, whole, encoder, pool)

    with patch.object(LocalRun, "commit", witness), patch.object(LocalFoldedVector, "commit", folded):
        yield


@pytest.mark.parametrize("one_of", [2, 4])
@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_word_is_accepted_where_all_queries_meet_the_agreement(key: Prover, code: int, one_of: int) -> None:
    target, lucky = Target(code, one_of), 0
    for context in range(CONTEXTS[one_of]):
        attempt = honest_attempt(key, inputs(), context.to_bytes(2, "little"))
        with wrong_word(key, target), positions() as drawn:
            taken = accepted(key, attempt)
        queries = drawn[code]
        assert len(queries) == QUERIES
        assert taken == all(map(target.agrees, queries)), context
        lucky += taken
    # 1 in 1000 sets of contexts would be further off.
    expected = CONTEXTS[one_of] / one_of**QUERIES
    assert lucky > 0
    assert abs(lucky - expected) <= 3.3 * np.sqrt(expected)
