"""Every field of a proof, altered by the least, is rejected, and by a check with a name."""

from __future__ import annotations

from collections import Counter

import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.prover import Prover
from tests.attacks.expected import OTHER_LEAVES
from tests.attacks.fields import changes, name
from tests.attacks.models import check, honest_attempt, inputs, prove_fast

INTEGERS = {Check.PUBLIC_RANGE, Check.PUBLIC_LENGTH, Check.PUBLIC_FORM}
"""What is wrong with the bytes of public integers, if these are no encoding any more."""

EXPECTED = {
    "statement.key_digest": {Check.KEY_DIGEST},
    "statement.batch": {Check.BATCH, Check.PUBLIC_LENGTH},
    "statement.inputs": {Check.SUMCHECK_CLAIM, *INTEGERS},
    "statement.outputs": {Check.SUMCHECK_CLAIM, *INTEGERS},
    "statement.context": {Check.SUMCHECK_CLAIM},
    "witness.root": {Check.SUMCHECK_CLAIM},
    "witness.answer": {Check.SUMCHECK_CLAIM},
    "relations.sums": {Check.SUMCHECK_CLAIM},
    "relations.rounds": {Check.SUMCHECK_CLAIM},
    "relations.finals": {Check.SUMCHECK_CLAIM},
    "fractions": {Check.FRACTION_SUM, Check.FRACTION_LAYER},
    "opening.columns": OTHER_LEAVES,
    "opening.rounds.root": OTHER_LEAVES,
    "opening.rounds.answer": OTHER_LEAVES,
    "opening.rounds.rounds": OTHER_LEAVES,
    "opening.final": OTHER_LEAVES,
    "opening.final_rounds": {Check.OPENING_CLAIM},
    "opening.leaves.rows": {Check.MERKLE_ROOT},
    "opening.leaves.nodes": {Check.MERKLE_ROOT},
}

HIDDEN = {
    "statement.epoch.number": {Check.EPOCH_ACCEPTED},
    "statement.epoch.root": {Check.EPOCH_ACCEPTED},
    "statement.epoch.answer": {Check.EPOCH_ACCEPTED},
    "statement.inputs": INTEGERS,
    "statement.outputs": INTEGERS,
    "products.rounds": set[Check](),
    "products.finals": set[Check](),
    "mask.value": set[Check](),
    "mask.product": set[Check](),
    "mask.tail": set[Check](),
}
"""Other checks of a hiding proof, beside those of other leaves: it compares no products before them."""

LATE = {"statement.key_digest", "statement.batch", "opening.final_rounds", "opening.leaves.rows",
        "opening.leaves.nodes"}  # fmt: skip
"""Fields that fail the same checks in both modes: no challenge before the leaves depends on them."""


def expected(key: Prover) -> dict[str, set[Check]]:
    """The checks that an altered field may fail."""
    if not key.secret:
        return EXPECTED
    others = {field: OTHER_LEAVES | HIDDEN.get(field, set()) for field in EXPECTED | HIDDEN}
    others |= {field: EXPECTED[field] for field in LATE}
    return others if key.epoch else {f: checks for f, checks in others.items() if "epoch" not in f}


MANY = {"mask.tail": 10, "relations.rounds": 3, "fractions": 7}
"""Of these fields of a hiding proof every so-manieth is altered: nothing distinguishes them."""


SAMPLED = ("opening.leaves.rows", "opening.leaves.nodes")
"""Many and alike: every tenth is altered in the default run."""


def reject_all(key: Prover, proof: ProofContent, step: int) -> Counter[str]:
    """Alters everything, every `step`-th of what is sampled; returns how often each field was."""
    check(key, proof)
    checks, few = expected(key), MANY if key.secret else {}
    seen: Counter[str] = Counter()
    for path, altered in changes(proof):
        field = name(path)
        seen[field] += 1
        if seen[field] % (step if field in SAMPLED else few.get(field, 1)):
            continue
        with pytest.raises(VerificationError) as caught:
            check(key, altered())
        assert caught.value.check in checks[field], (path, str(caught.value))
    return seen


def test_every_altered_field_is_rejected(key: Prover, proof: ProofContent) -> None:
    assert reject_all(key, proof, 10).keys() == expected(key).keys()


def test_every_altered_field_of_a_convolutional_network_is_rejected(
    image_key: Prover, image_proof: ProofContent
) -> None:
    assert reject_all(image_key, image_proof, 20).keys() == expected(image_key).keys()


def test_every_altered_field_of_a_batch_is_rejected(public_key: Prover) -> None:
    proof = prove_fast(public_key, honest_attempt(public_key, inputs(3), b"nonce"))
    assert reject_all(public_key, proof, 20).keys() == expected(public_key).keys()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["key", "flat_key", "public_key"])
def test_every_row_and_node_altered_is_rejected(
    request: pytest.FixtureRequest, hiding: bool, kind: str
) -> None:
    key = request.getfixturevalue(kind)
    reject_all(key, prove_fast(key, honest_attempt(key, inputs(2), b"nonce")), 1)
