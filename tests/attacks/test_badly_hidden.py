"""Provers that choose badly what hides a proof: true statements are proven all the same, false ones never.

Soundness rests on no choice of pads, of row K, of random rows, of the mask vector or of tails.
"""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.field import EXTENSION_DEGREE
from deepprove_dist.kernels import BaseVector, CodeShape, Commitment, Extension
from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.protocol.parameters import InitialCode
from deepprove_dist.prover import Prover
from tests.attacks import reference_columns, reference_opening
from tests.attacks.arithmetic import ONE, Values
from tests.attacks.badly_hidden import integers, pads_of, with_matrix, with_pads, with_random_rows
from tests.attacks.channel import Vector
from tests.attacks.models import check, honest_attempt, inputs, make_key, model, prove_fast, state
from tests.attacks.reference_prover import Attempt, ReferenceProver
from tests.attacks.test_lying_provers import Teller
from tests.records import replace

HIDING = pytest.mark.parametrize("hiding", [True], indirect=True)

FREE = 4
"""Pads of row K, the last ones."""


def refusal(key: Prover, proof: ProofContent) -> Check:
    with pytest.raises(VerificationError) as caught:
        check(key, proof)
    return caught.value.check


def false(attempt: Attempt, key: Prover) -> Attempt:
    """The same witness, for another output."""
    (name,) = attempt.trace.outputs
    values = attempt.trace.outputs[name].copy()
    values.reshape(-1)[0] += 1
    trace = replace(attempt.trace, outputs={name: values})
    return replace(attempt, statement=state(key, trace, attempt.statement.context), trace=trace)


def require_sound(key: Prover, attempt: Attempt) -> None:
    """The true statement is proven, the false one is not, not even by a stubborn prover."""
    check(key, prove_fast(key, attempt))
    check(key, ReferenceProver(key, attempt).prove())
    lie = false(attempt, key)
    assert refusal(key, prove_fast(key, lie)) == Check.OPENING_CLAIM
    assert refusal(key, ReferenceProver(key, lie, stubborn=True).prove()) == Check.OPENING_FINAL


PADS: dict[str, Callable[[IntArray], IntArray]] = {
    "zero": np.zeros_like,
    "one": np.ones_like,
    "equal": lambda pads: np.repeat(pads[:1], len(pads), axis=0),
    "of the base field": lambda pads: pads * (np.arange(EXTENSION_DEGREE) == 0),
    "the other way round": lambda pads: pads[::-1],
    "row K zero": lambda pads: np.concatenate([pads[:-FREE], 0 * pads[-FREE:]]),
    "row K like the first pads": lambda pads: np.concatenate([pads[:-FREE], pads[:FREE]]),
}


@HIDING
@pytest.mark.parametrize("name", PADS)
def test_pads_that_hide_nothing(key: Prover, attempt: Attempt, name: str) -> None:
    require_sound(key, with_pads(key, attempt, PADS[name](pads_of(attempt.witness))))


ROWS: dict[str, Callable[[IntArray, IntArray], IntArray]] = {
    "zero": lambda rows, data: 0 * rows,
    "equal": lambda rows, data: 0 * rows + 7,
    "data": lambda rows, data: np.resize(data, len(rows)),
}


@HIDING
@pytest.mark.parametrize("name", ROWS)
def test_random_rows_that_are_not_random(key: Prover, attempt: Attempt, name: str) -> None:
    rows, data = integers(attempt.witness.random_rows), integers(attempt.witness.matrix)
    require_sound(key, with_random_rows(attempt, ROWS[name](rows, data)))


MASKS: dict[str, Callable[[IntArray], IntArray]] = {
    "zero": lambda columns: 0 * columns[-EXTENSION_DEGREE:],
    "data": lambda columns: columns[:EXTENSION_DEGREE],
    "data with the other sign": lambda columns: -columns[:EXTENSION_DEGREE],
}


@HIDING
@pytest.mark.parametrize("name", MASKS)
def test_a_mask_vector_that_is_not_random(key: Prover, attempt: Attempt, name: str) -> None:
    code = key.verifying.schedule.initial
    columns = integers(attempt.witness.matrix).reshape(-1, 1 << code.log_rows)
    columns = np.concatenate([columns[:-EXTENSION_DEGREE], MASKS[name](columns)])
    require_sound(key, with_matrix(attempt, columns))


@pytest.mark.parametrize("tail", ["zero", "data"])
def test_tails_of_weights_that_are_not_random(tail: str) -> None:
    """They are part of what a key commits to, and of no weight."""

    def values(seed: bytes, label: str, first: int, count: int) -> BaseVector:
        return BaseVector.from_array(np.arange(count) * (tail == "data"))

    with patch("deepprove_dist.protocol.argument.local_backend.random_values", values):
        key = make_key(model(), hiding=True)
    assert key.verifying.weights != make_key(model(), hiding=True).verifying.weights
    require_sound(key, honest_attempt(key, inputs()))


@HIDING
def test_other_tails_than_the_committed_ones(key: Prover, attempt: Attempt) -> None:
    """A prover with the weights of the key and tails of its own opens another tree."""

    def values(seed: bytes, label: str, first: int, count: int) -> BaseVector:
        return BaseVector.from_array(np.arange(count))

    with patch("deepprove_dist.protocol.argument.local_backend.random_values", values):
        other = make_key(model(), hiding=True)
    assert refusal(key, prove_fast(replace(key, backend=other.backend), attempt)) == Check.MERKLE_ROOT


# Five rounds of column bits follow four of relations and five of products.
LIES = [
    ("products/finals", 0, 0),
    ("products/finals", 0, 3),
    ("sumcheck/round", 4, 0),
    ("sumcheck/round", 6, 2),
    ("mask/value", 0, 0),
    ("mask/sigma", 0, 0),
    ("opening/tail", 0, 0),
    ("opening/tail", 0, 60),
]


@HIDING
@pytest.mark.parametrize("kind", ["key", "flat_key"])
@pytest.mark.parametrize(("label", "number", "element"), LIES)
def test_a_lie_in_what_hides(
    request: pytest.FixtureRequest, hiding: bool, kind: str, label: str, number: int, element: int
) -> None:
    key: Prover = request.getfixturevalue(kind)
    told = honest_attempt(key, inputs())
    plain = Teller(key, told, label, number, element, stubborn=False).prove()
    # With f' in clear the queries notice first that F and its tail are another vector.
    of_queries = kind == "flat_key" and label == "opening/tail"
    assert refusal(key, plain) == (Check.OPENING_FINAL if of_queries else Check.OPENING_CLAIM)
    assert plain != Teller(key, told, label, -1, element, stubborn=False).prove()
    stubborn = Teller(key, told, label, number, element, stubborn=True).prove()
    assert refusal(key, stubborn) == Check.OPENING_FINAL


class LatePads(ReferenceProver):
    """Sends with other pads than it committed, from the challenge of a label on."""

    def __init__(self, key: Prover, attempt: Attempt, label: str, *, stubborn: bool) -> None:
        super().__init__(key, attempt, stubborn=stubborn)
        self.label = label

    def draw(self, label: str) -> Extension:
        drawn = super().draw(label)
        if label == self.label:
            # What has been sent fits no other pads any more; all that comes may.
            self.pads = [*self.pads[: self._used], *(pad + drawn for pad in self.pads[self._used :])]
        return drawn


@HIDING
@pytest.mark.parametrize("stubborn", [False, True])
@pytest.mark.parametrize(
    "label", ["witness/out-of-domain", "contraction/batching", "fraction/mu", "products/point"]
)
def test_pads_that_are_chosen_after_a_challenge(
    key: Prover, attempt: Attempt, label: str, stubborn: bool
) -> None:
    proof = LatePads(key, attempt, label, stubborn=stubborn).prove()
    assert refusal(key, proof) == (Check.OPENING_FINAL if stubborn else Check.OPENING_CLAIM)


class FittingFinals(ReferenceProver):
    """Changes a product's factors such that the check of products holds: a lie that only pads could hide."""

    def alter(self, label: str, values: Values) -> Values:
        if label != "sumcheck/finals":
            return values
        # One factor twice as large, the other half as large: their product is what it was.
        half = Extension((2**31 - 2**24 + 2) // 2)
        assert half * 2 == ONE
        return [values[0] * 2, values[1] * half, *values[2:]]


@HIDING
@pytest.mark.parametrize("stubborn", [False, True])
def test_false_factors_of_a_right_product(key: Prover, attempt: Attempt, stubborn: bool) -> None:
    proof = FittingFinals(key, attempt, stubborn=stubborn).prove()
    assert refusal(key, proof) == (Check.OPENING_FINAL if stubborn else Check.OPENING_CLAIM)


class OtherWord(ReferenceProver):
    """Commits a word in which the columns of s are none of the code, or the columns in another order."""

    def __init__(self, key: Prover, attempt: Attempt, change: Callable[[IntArray], IntArray]) -> None:
        super().__init__(key, attempt)
        self.change = change

    def commit(self, label: str, values: Vector, shape: CodeShape) -> Commitment:
        code, witness = self.schedule.initial, self.attempt.witness
        if label != "witness/root":
            return super().commit(label, values, shape)
        columns = code.witness_columns + code.mask_columns
        word = np.zeros((columns, 1 << code.log_length), dtype=np.int64)
        word[:, : 1 << code.log_rows] = integers(witness.matrix).reshape(columns, -1)
        word[:, 1 << code.log_rows : code.dimension] = integers(witness.random_rows).reshape(columns, -1)
        # A code of rate 1, of the same length, has any word.
        whole = CodeShape(code.log_length, columns, 0, code.witness_log_group)
        self.random_rows = None
        return self.tree(BaseVector.from_array(self.change(word).reshape(-1)), whole)


def off_code(column: int) -> Callable[[IntArray], IntArray]:
    """A column's polynomial with a term of the highest degree there is."""

    def change(word: IntArray) -> IntArray:
        word[column, -1] += 1
        return word

    return change


def swapped(column: int, other: int) -> Callable[[IntArray], IntArray]:
    """Two columns in each other's place."""

    def change(word: IntArray) -> IntArray:
        word[[column, other]] = word[[other, column]]
        return word

    return change


WORDS = {
    "s is no codeword": off_code(-1),
    "s_0 is no codeword": off_code(-5),
    "a witness column is no codeword": off_code(0),
    "s_0 in the place of a column in S": swapped(0, -5),
    "s_4 in the place of the last column": swapped(-6, -1),
    "coordinates of s swapped": swapped(-5, -4),
    "columns in S swapped": swapped(0, 1),
}


@HIDING
@pytest.mark.parametrize("kind", ["key", "flat_key"])
@pytest.mark.parametrize("name", WORDS)
def test_another_word_than_the_code_s(
    request: pytest.FixtureRequest, hiding: bool, kind: str, name: str
) -> None:
    key: Prover = request.getfixturevalue(kind)
    told = honest_attempt(key, inputs())
    check(key, OtherWord(key, told, lambda word: word).prove())
    refused = refusal(key, OtherWord(key, told, WORDS[name]).prove())
    assert refused == (Check.OPENING_CLAIM if kind == "key" else Check.OPENING_FINAL)


@HIDING
@pytest.mark.parametrize("stubborn", [False, True])
def test_columns_at_other_addresses_than_those_of_the_key(
    key: Prover, attempt: Attempt, stubborn: bool
) -> None:
    """They are where they would stand in a transparent proof, on all pages of the prover."""

    def in_order(code: InitialCode) -> list[int]:
        return list(range(code.columns))

    with (
        patch.object(reference_opening, "addresses", in_order),
        patch.object(reference_columns, "addresses", in_order),
    ):
        proof = ReferenceProver(key, attempt, stubborn=stubborn).prove()
    assert refusal(key, proof) in {Check.OPENING_CLAIM, Check.OPENING_FINAL}


@HIDING
def test_proofs_of_the_other_mode(key: Prover, proof: ProofContent) -> None:
    """Whichever key a proof claims to be for, its mode is that of the key."""
    plain = make_key(model())
    transparent = prove_fast(plain, honest_attempt(plain, inputs()))
    for verifier, foreign in ((key, transparent), (plain, proof)):
        statement = replace(foreign.statement, key_digest=verifier.verifying.digest, epoch=verifier.epoch)
        assert refusal(verifier, replace(foreign, statement=statement)) == Check.HIDING
    assert refusal(plain, replace(transparent, products=proof.products)) == Check.HIDING
    assert refusal(plain, replace(transparent, mask=proof.mask)) == Check.HIDING
