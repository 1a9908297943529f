"""A true proof says nothing else: not of another key, network, input, output, batch or context."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import InputError, VerificationError
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import ProofContent, StatementBytes
from deepprove_dist.protocol.messages.public_integers import encode_tensor
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.prover import Prover
from deepprove_dist.verifier import verify
from tests.attacks.expected import of_challenges
from tests.attacks.fields import put
from tests.attacks.integers import encode_wide
from tests.attacks.models import check, honest_attempt, inputs, make_key, model, prove_fast
from tests.attacks.reference_prover import Attempt
from tests.records import replace


def test_other_weights(key: Prover, hiding: bool, proof: ProofContent) -> None:
    """Two networks that differ in their weights have different keys, and neither takes the other's proof."""
    other = make_key(model(seed=1), hiding=hiding)
    check(key, proof)
    other_proof = prove_fast(other, honest_attempt(other, inputs()))
    check(other, other_proof)
    for verifier, foreign in ((other, proof), (key, other_proof)):
        with pytest.raises(VerificationError) as caught:
            check(verifier, foreign)
        assert caught.value.check == Check.KEY_DIGEST
        claimed = replace(foreign.statement, key_digest=verifier.verifying.digest, epoch=verifier.epoch)
        with pytest.raises(VerificationError) as caught:
            check(verifier, replace(foreign, statement=claimed))
        assert caught.value.check in {*of_challenges(key), Check.PUBLIC_RANGE}


def test_one_weight_more_by_one_is_another_key(key: Prover, hiding: bool) -> None:
    changed = model()
    weights = changed.constants["w1"].copy()
    weights[0, 0] += 1
    other = make_key(replace(changed, constants={**changed.constants, "w1": weights}), hiding=hiding)
    attempt = honest_attempt(other, inputs(), b"")
    # Proven with the other weights, but saying that it is of this key.
    claimed = replace(attempt.statement, key_digest=key.verifying.digest, epoch=key.epoch)
    with pytest.raises(VerificationError) as caught:
        check(key, prove_fast(other, replace(attempt, statement=claimed)))
    assert caught.value.check == Check.MERKLE_ROOT


@pytest.mark.parametrize("field", ["inputs", "outputs"])
def test_public_values_of_another_inference(
    key: Prover, attempt: Attempt, proof: ProofContent, field: str
) -> None:
    other = honest_attempt(key, inputs(seed=9), b"context").statement
    claimed = replace(proof.statement, **{field: getattr(other, field)})
    assert claimed != proof.statement
    with pytest.raises(VerificationError) as caught:
        check(key, replace(proof, statement=claimed))
    assert caught.value.check in of_challenges(key)


def test_a_proof_of_one_sample_is_none_of_two(key: Prover, attempt: Attempt, proof: ProofContent) -> None:
    claimed = proof.statement
    doubled = (
        tuple(encode_tensor(tensor, np.tile(values[tensor.name], (2, 1))) for tensor in tensors)
        for tensors, values in (
            (key.verifying.inputs, attempt.trace.values),
            (key.verifying.outputs, attempt.trace.outputs),
        )
    )
    twice = replace(claimed, batch=2, inputs=next(doubled), outputs=next(doubled))
    with pytest.raises(VerificationError) as caught:
        check(key, replace(proof, statement=twice))
    assert caught.value.check in of_challenges(key)


@pytest.mark.parametrize("batch", [0, -1, 4, 1 << 20, (1 << 64) - 1])
def test_batches_that_the_key_does_not_allow(key: Prover, proof: ProofContent, batch: int) -> None:
    with pytest.raises(VerificationError) as caught:
        check(key, replace(proof, statement=replace(proof.statement, batch=batch)))
    assert caught.value.check == Check.BATCH


def test_public_integers_out_of_range(key: Prover, attempt: Attempt, proof: ProofContent) -> None:
    for field, tensor in (("inputs", key.verifying.inputs[0]), ("outputs", key.verifying.outputs[0])):
        values = {**attempt.trace.values, **attempt.trace.outputs}[tensor.name]
        for value in (tensor.lo - 1, tensor.hi + 1):
            changed = values.copy()
            changed[0, 0] = value
            claimed = replace(proof.statement, **{field: (encode_wide(changed.reshape(-1).tolist()),)})
            with pytest.raises(VerificationError) as caught:
                check(key, replace(proof, statement=claimed))
            assert caught.value.check == Check.PUBLIC_RANGE


def test_a_prover_cannot_claim_an_input_out_of_range(key: Prover, attempt: Attempt) -> None:
    """The whole proof is made for it; its encoding does not exist, and nothing else is taken for it."""
    x = attempt.trace.values["x"].copy()
    x[0, 0] = key.verifying.inputs[0].hi + 1
    claimed = replace(attempt.statement, inputs=(encode_wide(x.reshape(-1).tolist()),))
    trace = replace(attempt.trace, values={**attempt.trace.values, "x": x})
    with pytest.raises(VerificationError) as caught:
        check(key, prove_fast(key, replace(attempt, statement=claimed, trace=trace)))
    assert caught.value.check == Check.PUBLIC_RANGE


def test_public_integers_in_another_form(key: Prover, attempt: Attempt) -> None:
    """The whole proof is made for it: of equal integers only one encoding is accepted."""
    longer = encode_wide(attempt.trace.values["x"].reshape(-1).tolist())
    assert longer != attempt.statement.inputs[0]
    with pytest.raises(VerificationError) as caught:
        check(key, prove_fast(key, replace(attempt, statement=replace(attempt.statement, inputs=(longer,)))))
    assert caught.value.check == Check.PUBLIC_FORM


@pytest.mark.parametrize("data", [(), (b"",), (b"\0",), (b"\0" * 9,), (b"\1\0", b"\1\0")])
@pytest.mark.parametrize("field", ["inputs", "outputs"])
def test_other_numbers_of_public_values(
    key: Prover, proof: ProofContent, field: str, data: tuple[bytes, ...]
) -> None:
    claimed: StatementBytes = put(proof.statement, (field,), data)
    with pytest.raises(VerificationError) as caught:
        check(key, replace(proof, statement=claimed))
    assert caught.value.check == (Check.PUBLIC_LENGTH if len(data) == 1 else Check.PUBLIC_COUNT)


def test_what_a_caller_expects_is_compared(key: Prover, attempt: Attempt, proof: ProofContent) -> None:
    data = proof_file.dump(proof)
    x, y = attempt.trace.values["x"] * 0.25, attempt.trace.outputs["y"] * 0.5
    # One value of many is enough.
    other_x, other_y = x + np.array([0, 0, 0, 0.25]), y - np.array([0, 0, 0.5])
    digest = key.verifying.digest
    right: dict[str, Any] = {
        "input": {"x": x},
        "output": {"y": y},
        "key_digest": digest,
        "context": b"context",
    }
    verify(key.verifying, data, **right)
    wrong: dict[str, list[Any]] = {
        "input": [{"x": other_x}, {"x": x[0]}, {"z": x}, {}, {"x": x * np.nan}, {"x": x, "y": y}],
        "output": [{"y": other_y}, {"y": y[:, :2]}, {"x": y}, {}, {"y": y * np.inf}],
        "key_digest": [bytes(32), b"", digest[:31]],
        "context": [b"", b"context\0", b"Context"],
    }
    checks = {
        "input": Check.EXPECTED_INPUT,
        "output": Check.EXPECTED_OUTPUT,
        "key_digest": Check.EXPECTED_KEY,
        "context": Check.EXPECTED_CONTEXT,
    }
    for what, values in wrong.items():
        for value in values:
            with pytest.raises(VerificationError) as caught:
                verify(key.verifying, data, **{**right, what: value})
            assert caught.value.check == checks[what]


def test_a_number_is_no_proof(key: Prover) -> None:
    """`bytes` would take it for a length."""
    with pytest.raises(InputError, match="a proof is bytes"):
        verify(key.verifying, 10**12)  # type: ignore[arg-type]


def test_one_value_is_not_expected_for_many() -> None:
    """With a scale for each element, that of one value over them has the shape of the output."""
    network = model()
    (output,) = network.outputs
    integers = make_key(network).runner.run(inputs()).outputs["y"][0]
    assert (integers > 0).all()
    scale = Scale(output.shape, tuple((1 / integers).tolist()))
    key = make_key(replace(network, outputs=(replace(output, scale=scale),)))
    data = proof_file.dump(prove_fast(key, honest_attempt(key, inputs())))
    verify(key.verifying, data, output={"y": np.ones((1, 3))})
    for shape in ((1, 1), (1,), (3,), ()):
        with pytest.raises(VerificationError, match=r"\(y\): the proof has other values than expected"):
            verify(key.verifying, data, output={"y": np.ones(shape)})
