"""Every check of the verifier has an attack that fails exactly there, and says where.

An attack is a function here with `@attack(check)`: it makes the verifier refuse a proof. A check without one
fails `test_every_check_has_an_attack`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pytest

from deepprove_dist import kernels, list_checks
from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector
from deepprove_dist.openings import Opening
from deepprove_dist.protocol.certificate.prove import state
from deepprove_dist.protocol.certificate.shared import max_certificate_bytes
from deepprove_dist.protocol.key.weights import PublicWeights
from deepprove_dist.protocol.messages import certificate as certificate_file
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.certificate import CertificateContent
from deepprove_dist.protocol.messages.epoch import EpochWeights
from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.prover import Prover
from deepprove_dist.verifier import verify
from tests.attacks.fields import add_one, put
from tests.attacks.integers import encode_wide
from tests.attacks.models import (
    MAX_BATCH,
    check,
    honest_attempt,
    inputs,
    make_key,
    model,
    prove_fast,
)
from tests.attacks.test_lying_provers import OtherVector
from tests.attacks.test_other_shapes import single
from tests.protocol.example import ATTEMPT, trace
from tests.protocol.hidden.example import hidden_key, hidden_proof
from tests.records import replace
from tests.token_keys import NEW, PADDING, PROMPT, padded, prove_tokens, token_keys

ENCODING = {"base element length", "extension element length", "canonical field element"}
"""Checks of the kernels on bytes that are no proof at all: they end in a FormatError."""


class Targets:
    """Keys with an honest proof each."""

    @cached_property
    def committed(self) -> tuple[Prover, ProofContent]:
        """Committed weights, two rounds of the opening."""
        return _proven(make_key(model()), inputs())

    @cached_property
    def public(self) -> tuple[Prover, ProofContent]:
        """Public weights."""
        return _proven(make_key(model(), weights="public"), inputs())

    @cached_property
    def hiding(self) -> tuple[Prover, ProofContent]:
        """Committed weights, and proofs that hide them."""
        return _proven(make_key(model(), hiding=True), inputs())

    def certify(self, **changes: Any) -> None:
        """Verifies a hiding proof with a certificate whose statement is right but for the changes."""
        key, proof = self.hiding
        anchor = key.verifying.anchor
        assert anchor is not None
        assert proof.mask is not None
        honest = state(key.verifying, anchor, replace(anchor, number=1), bytes(32))
        statement = replace(honest, **changes)
        certificate = CertificateContent(statement, proof.witness, proof.mask, proof.opening)
        check(key, replace(proof, certificates=(certificate_file.dump(certificate),)))

    @cached_property
    def linear(self) -> tuple[Prover, ProofContent]:
        """No lookups."""
        key = make_key(single(), folds=False)
        return _proven(key, {"x": np.array([[3]])})

    def alter(self, *path: str | int, to: Callable[[Any], Any]) -> None:
        """Verifies the proof with committed weights after a change of one field."""
        key, proof = self.committed
        check(key, put(proof, path, to(_get(proof, path))))


def _proven(key: Prover, x: Any) -> tuple[Prover, ProofContent]:
    proof = prove_fast(key, honest_attempt(key, x, b"context"))
    check(key, proof)
    return key, proof


def _get(whole: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        whole = whole[step] if isinstance(step, int) else getattr(whole, step)
    return whole


@dataclass(frozen=True)
class Attack:
    """What makes the verifier refuse, and what its error says beside the check."""

    run: Callable[[Targets], object]
    fields: dict[str, object]


ATTACKS: dict[Check, Attack] = {}


def attack(
    failed: Check, /, **fields: object
) -> Callable[[Callable[[Targets], object]], Callable[[Targets], object]]:
    """Registers a function as the attack on a check; `fields` are those of the error that is raised."""

    def register(run: Callable[[Targets], object]) -> Callable[[Targets], object]:
        assert failed not in ATTACKS
        ATTACKS[failed] = Attack(run, fields)
        return run

    return register


@pytest.fixture(scope="module")
def targets() -> Targets:
    return Targets()


def test_every_check_has_an_attack() -> None:
    assert set(ATTACKS) == set(Check)


@pytest.mark.parametrize("expected", Check, ids=str)
def test_an_attack_fails_exactly_there(expected: Check, targets: Targets) -> None:
    with pytest.raises(VerificationError) as caught:
        ATTACKS[expected].run(targets)
    assert caught.value.check is expected, str(caught.value)
    assert str(caught.value).startswith(expected.value)
    fields = {name: getattr(caught.value, name) for name in ATTACKS[expected].fields}
    assert fields == ATTACKS[expected].fields


def test_checks_are_listed_with_what_they_require() -> None:
    listed = list_checks()
    assert list(listed) == [str(check) for check in Check]
    assert len(set(listed.values())) == len(listed)
    assert all(requirement[0].islower() and not requirement.endswith(".") for requirement in listed.values())


def test_every_check_of_the_kernels_has_a_name_here() -> None:
    assert set(kernels.checks()) - ENCODING <= set(list_checks())
    assert set(kernels.checks()) >= ENCODING


@attack(Check.PROOF_LENGTH)
def _a_long_proof(targets: Targets) -> None:
    key = targets.committed[0].verifying
    verify(key, bytes(key.max_proof_bytes(key.max_batch) + 1))


@attack(Check.EXPECTED_KEY)
def _another_key_is_expected(targets: Targets) -> None:
    key, proof = targets.committed
    verify(key.verifying, proof_file.dump(proof), key_digest=bytes(32))


@attack(Check.EXPECTED_CONTEXT)
def _another_context_is_expected(targets: Targets) -> None:
    key, proof = targets.committed
    verify(key.verifying, proof_file.dump(proof), context=b"another")


@attack(Check.EXPECTED_INPUT, subject="x")
def _another_input_is_expected(targets: Targets) -> None:
    key, proof = targets.committed
    verify(key.verifying, proof_file.dump(proof), input={"x": np.zeros((1, 4)) + 0.25})


@attack(Check.EXPECTED_OUTPUT, subject="y")
def _another_output_is_expected(targets: Targets) -> None:
    key, proof = targets.committed
    verify(key.verifying, proof_file.dump(proof), output={"y": np.zeros((1, 3))})


@attack(Check.KEY_DIGEST)
def _a_proof_for_another_key(targets: Targets) -> None:
    targets.alter("statement", "key_digest", to=lambda digest: bytes(32))


@attack(Check.BATCH, expected=MAX_BATCH, actual=MAX_BATCH + 1)
def _more_samples_than_allowed(targets: Targets) -> None:
    targets.alter("statement", "batch", to=lambda batch: MAX_BATCH + 1)


@attack(Check.PUBLIC_COUNT, expected=1, actual=0)
def _an_input_is_missing(targets: Targets) -> None:
    targets.alter("statement", "inputs", to=lambda data: ())


@attack(Check.PUBLIC_LENGTH, subject="x", expected=4, actual=3)
def _elements_are_missing(targets: Targets) -> None:
    targets.alter("statement", "inputs", 0, to=lambda data: encode_wide([7, -8]))


@attack(Check.PUBLIC_FORM, subject="x")
def _elements_in_a_longer_form(targets: Targets) -> None:
    targets.alter("statement", "inputs", 0, to=lambda data: encode_wide([0, 0, 0, 0]))


@attack(Check.PUBLIC_RANGE, subject="x", index=2)
def _a_value_out_of_range(targets: Targets) -> None:
    targets.alter("statement", "inputs", 0, to=lambda data: encode_wide([7, -8, 8, 0]))


@attack(Check.COMMITMENT, subject="x")
def _a_commitment_that_is_short(targets: Targets) -> None:
    """Of an input that the key hides."""
    proof = hidden_proof()
    check(hidden_key(), put(proof, ("statement", "inputs", 0), proof.statement.inputs[0][:-1]))


@attack(Check.OPENED_COMMITMENT, subject="x")
def _an_opening_of_other_integers(targets: Targets) -> None:
    """One integer of a commitment that a proof is about is changed."""
    key, values = hidden_key(), trace(1)
    x = key.commit_hidden(values, 1, ATTEMPT)[0]
    Opening.of("x", x.commitment, values.values["x"] ^ 1, x.seed, 0).verify()


@attack(Check.WEIGHTS_SIZE)
def _weights_that_are_missing(targets: Targets) -> None:
    key, proof = targets.public
    weights = PublicWeights(key.verifying.model_digest, key.verifying.system, {})
    verify(key.verifying, proof_file.dump(proof), weights=weights)


@attack(Check.WEIGHTS_CLAIM)
def _a_prover_with_other_weights(targets: Targets) -> None:
    """Honest in all else: the proof is that of another model under the key of this one."""
    key, _ = targets.public
    other = make_key(model(seed=1), weights="public")
    lie = honest_attempt(other, inputs())
    lie = replace(lie, statement=replace(lie.statement, key_digest=key.verifying.digest))
    check(key, prove_fast(replace(key, backend=other.backend), lie))


def _generate(*, token: int = 0, after: int = 0, counted: int = len(PROMPT) + NEW) -> None:
    """Verifies a generation of the tiny model, its last token and its padding moved by some steps."""
    keys = token_keys()
    tokens = [*PROMPT, *keys.generate(PROMPT, max_new_tokens=NEW, padding=PADDING).answer]
    tokens[-1] += token
    ids = padded(tokens)
    ids[-1] += after
    keys.verifying.verify_generation(prove_tokens(keys, ids, counted))


@attack(Check.GENERATION)
def _a_generation_without_an_answer(targets: Targets) -> None:
    _generate(counted=len(PROMPT))


@attack(Check.GENERATION_TOKEN, subject="input_ids", index=5, expected=0)
def _a_token_that_counts_from_the_end(targets: Targets) -> None:
    _generate(token=-40)


@attack(Check.GENERATION_PADDING, subject="input_ids", index=7, expected=PADDING, actual=PADDING + 1)
def _another_token_after_the_answer(targets: Targets) -> None:
    _generate(after=1)


@attack(Check.GENERATION_ANSWER, subject="logits.argmax", index=5)
def _another_token_at_the_end_of_the_answer(targets: Targets) -> None:
    _generate(token=-1)


@attack(Check.EXPECTED_PROMPT)
def _another_prompt_is_expected(targets: Targets) -> None:
    keys = token_keys()
    keys.verifying.verify_generation(keys.generate(PROMPT).proof, prompt=PROMPT[1:])


@attack(Check.RELATION_SUMS, expected=2, actual=3)
def _a_sum_more(targets: Targets) -> None:
    targets.alter("relations", "sums", to=lambda sums: sums + sums[:1])


@attack(Check.SUMCHECK_FINALS, expected=4, actual=3)
def _a_final_evaluation_less(targets: Targets) -> None:
    targets.alter("relations", "finals", to=lambda finals: finals[:-1])


@attack(Check.SUMCHECK_MISSING_ROUND, subject="relations")
def _a_round_less(targets: Targets) -> None:
    targets.alter("relations", "rounds", to=lambda rounds: rounds[:-2])


@attack(Check.SUMCHECK_SURPLUS_ROUND, subject="relations")
def _a_round_more(targets: Targets) -> None:
    targets.alter("relations", "rounds", to=lambda rounds: rounds + rounds[:2])


@attack(Check.SUMCHECK_CLAIM, subject="relations")
def _another_final_evaluation(targets: Targets) -> None:
    targets.alter("relations", "finals", to=lambda finals: add_one(finals, 0))


@attack(Check.FRACTION_ABSENT, expected=0, actual=1)
def _a_tree_without_lookups(targets: Targets) -> None:
    key, proof = targets.linear
    check(key, replace(proof, fractions=ExtensionVector([0])))


@attack(Check.FRACTION_LENGTH)
def _a_value_of_the_tree_less(targets: Targets) -> None:
    targets.alter("fractions", to=lambda values: values[:-1])


@attack(Check.FRACTION_SUM)
def _fractions_that_do_not_add_up(targets: Targets) -> None:
    targets.alter("fractions", to=lambda values: add_one(values, 0))


@attack(Check.FRACTION_DENOMINATOR)
def _denominators_of_zero(targets: Targets) -> None:
    """p0 q1 + p1 q0 is zero whatever the numerators are."""
    zeros = ExtensionVector([Extension(0)] * 2)
    targets.alter("fractions", to=lambda values: values[:2] + zeros + values[4:])


@attack(Check.FRACTION_LAYER)
def _children_of_another_layer(targets: Targets) -> None:
    targets.alter("fractions", to=lambda values: add_one(values, len(values) - 1))


@attack(Check.EPOCH)
def _an_epoch_of_a_key_without_epochs(targets: Targets) -> None:
    targets.alter("statement", "epoch", to=lambda epoch: EpochWeights(0, bytes(32), Extension(0)))


@attack(Check.EPOCH_ACCEPTED, actual=1)
def _an_epoch_without_a_certificate(targets: Targets) -> None:
    key, proof = targets.hiding
    check(key, put(proof, ("statement", "epoch", "number"), 1))


@attack(Check.EPOCH_LENGTH)
def _a_long_certificate(targets: Targets) -> None:
    key, proof = targets.hiding
    most = max_certificate_bytes(key.verifying)
    check(key, replace(proof, certificates=(bytes(most + 1),)))


@attack(Check.EPOCH_KEY)
def _a_certificate_for_another_key(targets: Targets) -> None:
    targets.certify(key_digest=bytes(32))


@attack(Check.EPOCH_ORDER, expected=1, actual=0)
def _a_new_epoch_that_is_the_old_one(targets: Targets) -> None:
    anchor = targets.hiding[0].verifying.anchor
    targets.certify(new=anchor)


@attack(Check.EPOCH_SCHEDULE)
def _a_certificate_by_the_schedule_of_proofs(targets: Targets) -> None:
    targets.certify(schedule=targets.hiding[0].verifying.schedule)


@attack(Check.HIDING)
def _a_proof_that_hides_nothing(targets: Targets) -> None:
    """All its sums are right: it is the transparent part of a hiding proof."""
    key, proof = targets.hiding
    check(key, replace(proof, mask=None))


@attack(Check.PRODUCTS_FINALS, expected=4, actual=5)
def _a_final_of_the_small_sumcheck_more(targets: Targets) -> None:
    key, proof = targets.hiding
    check(key, put(proof, ("products", "finals"), proof.products.finals + proof.products.finals[:1]))


@attack(Check.MASK_ROWS)
def _a_random_row_less(targets: Targets) -> None:
    key, proof = targets.hiding
    assert proof.mask is not None
    check(key, put(proof, ("mask", "tail"), proof.mask.tail[:-1]))


@attack(Check.OPENING_COUNT, expected=4, actual=3)
def _a_tree_less(targets: Targets) -> None:
    targets.alter("opening", "leaves", to=lambda leaves: leaves[:-1])


@attack(Check.OPENING_FINAL_LENGTH)
def _a_longer_final_vector(targets: Targets) -> None:
    targets.alter("opening", "final", to=lambda final: final + final)


@attack(Check.OPENING_ROUNDS, subject="round 1")
def _a_value_of_a_round_less(targets: Targets) -> None:
    targets.alter("opening", "rounds", 1, "rounds", to=lambda rounds: rounds[:-1])


@attack(Check.MERKLE_DIGESTS, subject="weights")
def _nodes_that_are_no_digests(targets: Targets) -> None:
    targets.alter("opening", "leaves", 0, "nodes", to=lambda nodes: nodes + b"\0")


@attack(Check.MERKLE_ROWS, subject="witness")
def _rows_of_another_length(targets: Targets) -> None:
    targets.alter("opening", "leaves", 1, "rows", to=lambda rows: BaseVector.from_bytes(bytes(rows)[:-4]))


@attack(Check.MERKLE_MISSING_NODE, subject="round 0")
def _a_node_less(targets: Targets) -> None:
    targets.alter("opening", "leaves", 2, "nodes", to=lambda nodes: nodes[:-32])


@attack(Check.MERKLE_SURPLUS_NODE, subject="weights")
def _a_node_more(targets: Targets) -> None:
    targets.alter("opening", "leaves", 0, "nodes", to=lambda nodes: nodes + nodes[-32:])


@attack(Check.MERKLE_ROOT, subject="round 1")
def _another_row(targets: Targets) -> None:
    targets.alter("opening", "leaves", 3, "rows", to=lambda rows: add_one(rows, 0))


@attack(Check.OPENING_FINAL)
def _an_error_that_only_queries_see(targets: Targets) -> None:
    """A stubborn prover commits another vector and repairs all that the verifier checks before."""
    key = make_key(model(), folds=False)
    prover = OtherVector(key, honest_attempt(key, inputs()), "witness/root", opens_true=False, stubborn=True)
    check(key, prover.prove())


@attack(Check.OPENING_CLAIM)
def _another_last_round(targets: Targets) -> None:
    targets.alter("opening", "final_rounds", to=lambda rounds: add_one(rounds, len(rounds) - 1))
