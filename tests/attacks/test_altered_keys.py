"""An altered graph or quantisation is another key; a proof for it needs a witness of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.protocol.system.table import Table
from deepprove_dist.prover import Prover
from deepprove_dist.verifier import verify
from tests.attacks.expected import of_challenges
from tests.attacks.key_content import Content, changed, put_at
from tests.attacks.models import RELU, honest_attempt, inputs, make_key, model, prove_fast
from tests.attacks.reference_prover import Attempt, ReferenceProver
from tests.attacks.test_malicious_keys import every
from tests.records import replace

FUNCTION = 2
"""Number of the table of the activation, after those of the two limbs."""


LEAKY = Table.from_values(RELU.first, np.where(RELU.values() == 0, 1, RELU.values()))

# Records of `key_file`:
# - tables: [first, size, function, multiplicity]
# - functions: [first, bytes of pieces]
# - relations: [name, expression, products, low, high]
# - expressions: [space, terms, constants]
# - terms: [coefficient, tensor, axes]
# - constants: [value, maps]
# - maps: [axes, first, end, offset, stride, taps, dilation, scale]
# - products: [coefficient, contracted, taps, left, right]
# - factors: [expression, axes]
# - public tensors: [name, tensor, shape, lo, hi, scale]
# - scales: [shape, numbers]
# - lookups: [table, expressions]
MEANING: dict[str, Callable[[Content], None]] = {
    "an activation of other values": put_at("tables", FUNCTION, 2, 1)(bytes(LEAKY.pieces)),
    "a table that starts elsewhere": every(
        put_at("tables", FUNCTION, 0)(RELU.first + 1), put_at("tables", FUNCTION, 2, 0)(RELU.first + 1)
    ),
    "another shift": put_at("relations", 0, 1, 1, 0, 0)(64),
    "a limb subtracted": put_at("relations", 0, 1, 1, 2, 0)(-8),
    "a bias subtracted": put_at("relations", 0, 1, 1, 3, 0)(1),
    "no rounding": put_at("relations", 0, 1, 2)([]),
    "a constant at a part of the positions": put_at("relations", 0, 1, 2, 0, 1)(
        [[[1], 0, 7, 0, 0, 1, 1, []]]
    ),
    "a product subtracted": put_at("relations", 0, 2, 0, 0)(-1),
    "a constant in a factor": put_at("relations", 1, 2, 0, 4, 0, 2)([[1, []]]),
    "a map to an input": put_at("relations", 0, 2, 0, 4, 0, 1, 0, 2, 1)([[1], 0, 3, 0, 1, 1, 1, []]),
    "an output twice as large": put_at("relations", 1, 1, 1, 0, 0)(2),
    "inputs that start elsewhere": every(put_at("inputs", 0, 3)(-9), put_at("inputs", 0, 4)(6)),
}

LABELS = {
    "another range of the weights' part": put_at("relations", 0, 4)(5000),
    "another unit of the output": put_at("outputs", 0, 5)([[], [0.25]]),
    "another name of the output": put_at("outputs", 0, 0)("z"),
    "another shape of the output": put_at("outputs", 0, 2)([1, 3]),
    "another range of the input": put_at("inputs", 0, 4)(6),
    "another model": put_at("model")(bytes(32)),
}


def altered_key(key: Prover, change: Callable[[Content], None]) -> KeyContent:
    return key_file.load(changed(key.verifying, change))


def rejected(key: KeyContent, proof: ProofContent) -> Check:
    with pytest.raises(VerificationError) as caught:
        verify(key, proof_file.dump(proof))
    return caught.value.check


def relabelled(attempt: Attempt, key: KeyContent) -> Attempt:
    return replace(attempt, statement=replace(attempt.statement, key_digest=key.digest, epoch=key.anchor))


@pytest.mark.parametrize("name", [*MEANING, *LABELS])
def test_a_proof_is_of_one_key(key: Prover, proof: ProofContent, name: str) -> None:
    other = altered_key(key, (MEANING | LABELS)[name])
    assert other.digest != key.verifying.digest
    assert rejected(other, proof) == Check.KEY_DIGEST
    # Saying the other key's digest moves all challenges.
    statement = replace(proof.statement, key_digest=other.digest)
    assert rejected(other, replace(proof, statement=statement)) in of_challenges(key)


@pytest.mark.parametrize("name", MEANING)
def test_a_witness_of_the_true_model_is_none_of_the_altered_one(
    key: Prover, attempt: Attempt, name: str
) -> None:
    """The prover draws the altered key's challenges, so only the relations are left to differ."""
    other = altered_key(key, MEANING[name])
    lie = relabelled(attempt, other)
    assert rejected(other, prove_fast(key, lie)) in {Check.OPENING_CLAIM, Check.FRACTION_SUM}
    assert rejected(other, ReferenceProver(key, lie, stubborn=True).prove()) == Check.OPENING_CLAIM


@pytest.mark.parametrize("parts", [{"root"}, {"answer"}, {"root", "answer"}])
def test_weights_swapped_for_those_of_another_model(
    key: Prover, hiding: bool, attempt: Attempt, parts: set[str]
) -> None:
    other = make_key(model(seed=1), hiding=hiding)
    weights, foreign = key.verifying.weights, other.verifying.weights
    assert weights is not None
    assert foreign is not None
    swapped = replace(
        key.verifying, weights=replace(weights, **{part: getattr(foreign, part) for part in parts})
    )
    expected = Check.OPENING_CLAIM if parts == {"answer"} else Check.MERKLE_ROOT
    assert rejected(swapped, prove_fast(key, relabelled(attempt, swapped))) == expected
    theirs = relabelled(honest_attempt(other, inputs()), swapped)
    if parts != {"root", "answer"}:
        assert rejected(swapped, prove_fast(other, theirs)) in {
            Check.OPENING_CLAIM,
            Check.MERKLE_ROOT,
            Check.PUBLIC_RANGE,
        }
