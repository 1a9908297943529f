"""Proofs about hidden inputs and outputs: honest ones hold, and no others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.checks import Check
from deepprove_dist.errors import FormatError, VerificationError
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import BaseVector, Encoder, Extension, count_integers
from deepprove_dist.model import inference
from deepprove_dist.model.inference import InferenceTrace, IntegerRunner
from deepprove_dist.protocol.argument import verify as argument
from deepprove_dist.protocol.argument.local_backend import LocalBackend
from deepprove_dist.protocol.hidden.commit import commit_tensor
from deepprove_dist.protocol.hidden.statement import decode_statement
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.lookup import prove as lookups
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.protocol.system.check import check
from deepprove_dist.prover import Prover, prove
from deepprove_dist.verifier import Statement, verify
from tests.model.small_model import small_model
from tests.protocol.example import ATTEMPT, MAX_BATCH, POOL, trace
from tests.protocol.hidden.example import hidden_key, hidden_proof, make_proof
from tests.records import replace


def check_proof(key: Prover, proof: ProofContent) -> Statement:
    return verify(key.verifying, proof_file.dump(proof), weights=key.public_weights)


def with_input(proof: ProofContent, data: bytes) -> ProofContent:
    return replace(proof, statement=replace(proof.statement, inputs=(data,)))


@pytest.mark.parametrize("weights", ["committed", "public"])
@pytest.mark.parametrize("samples", [1, MAX_BATCH])
def test_a_statement_has_commitments_in_the_place_of_integers(weights: Weights, samples: int) -> None:
    key, proof = hidden_key(weights), hidden_proof(weights, samples)
    statement, values = check_proof(key, proof), trace(samples)
    assert statement.input_integers == statement.input == {}
    assert list(statement.output_integers) == list(statement.output) == ["h"]
    np.testing.assert_array_equal(statement.output_integers["h"], values.values["h"])
    (x,), (y,) = statement.input_commitments.items(), statement.output_commitments.items()
    assert (x[0], y[0]) == ("x", "y")
    assert proof.statement.inputs == (x[1].statement_bytes,)
    assert (x[1].sizes.shape, y[1].sizes.shape) == ((samples, 2, 2), (samples, 2))
    assert proof.statement.outputs[0] == y[1].statement_bytes


def test_whoever_has_integers_and_seed_makes_the_commitment_again() -> None:
    seeds = {"x": bytes(range(32))}
    key = hidden_key()
    statement = check_proof(key, make_proof(key, 1, seeds))
    commitment = statement.input_commitments["x"]
    values = trace().values["x"].reshape(-1)

    def commit(integers: np.ndarray, seed: bytes) -> object:
        vector = BaseVector.from_array(integers)
        return commit_tensor(commitment.sizes, vector, seed, Encoder(), POOL).commitment

    assert commit(values, seeds["x"]) == commitment
    assert commit(values, bytes(32)) != commitment
    assert commit(values + np.eye(1, values.size, dtype=np.int64)[0], seeds["x"]) != commitment


def test_commitments_of_two_proofs_differ_unless_they_have_one_seed() -> None:
    key, fixed = hidden_key(), {"x": bytes(32)}
    one, other = hidden_proof(), make_proof(key, 1, fixed)
    assert one.statement.inputs != other.statement.inputs
    again = make_proof(key, 1, fixed)
    assert other.statement.inputs == again.statement.inputs


@pytest.mark.parametrize("where", [0, 31, 32, 51])
def test_another_commitment_in_the_statement_is_rejected(where: int) -> None:
    proof = hidden_proof()
    data = bytearray(proof.statement.inputs[0])
    data[where] ^= 1
    with pytest.raises(VerificationError):
        check_proof(hidden_key(), with_input(proof, bytes(data)))


@pytest.mark.parametrize("data", [b"", bytes(51), bytes(53), bytes(32) + MODULUS.to_bytes(4, "little") * 5])
def test_what_is_no_commitment_is_rejected(data: bytes) -> None:
    with pytest.raises(VerificationError) as caught:
        check_proof(hidden_key(), with_input(hidden_proof(), data))
    assert (caught.value.check, caught.value.subject) == (Check.COMMITMENT, "x")


def test_a_commitment_to_other_values_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    key = hidden_key()
    honest = Prover.commit_hidden

    def lie(prover: Prover, values: InferenceTrace, *arguments: Any) -> Any:
        other = {**values.values, "x": values.values["x"] ^ 1}
        return honest(prover, replace(values, values=other), *arguments)

    monkeypatch.setattr(Prover, "commit_hidden", lie)
    with pytest.raises(VerificationError) as caught:
        check_proof(key, make_proof(key))
    assert caught.value.check == Check.OPENING_CLAIM


def test_a_false_answer_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    key = hidden_key()
    honest = Prover.commit_hidden

    def lie(*arguments: Any) -> Any:
        x, y = honest(*arguments)
        return replace(x, commitment=replace(x.commitment, answer=x.commitment.answer + Extension(1))), y

    monkeypatch.setattr(Prover, "commit_hidden", lie)
    with pytest.raises(VerificationError) as caught:
        check_proof(key, make_proof(key))
    assert caught.value.check == Check.OPENING_CLAIM


def outside(monkeypatch: pytest.MonkeyPatch) -> InferenceTrace:
    """An inference of an input whose last value, 8, is above its range; nothing else is out of its table."""
    monkeypatch.setattr(inference, "_checked", lambda tensor, inputs: inputs[tensor.name])
    return IntegerRunner(small_model()).run({"x": np.array([[[[0, 1], [2, 8]]]])})


def lying_proof(key: Prover, values: InferenceTrace, monkeypatch: pytest.MonkeyPatch) -> ProofContent:
    """The proof of a prover that counts what is out of a table at the table's end."""

    def count(values: IntArray, first: int, size: int) -> IntArray:
        return count_integers(values.clip(first, first + size - 1), first, size)

    with monkeypatch.context() as patch:
        patch.setattr(lookups, "count_integers", count)
        return proof_file.load(bytes(prove(key, values, 1, b"", ATTEMPT)))


def unchecked(key: KeyContent, proof: ProofContent) -> None:
    """What `verify` does once a key has been read, and its system checked."""
    public = decode_statement(key.instance(1).system, key.schedule.initial, proof.statement)
    argument.verify(key, proof, public.values, {}, key.weights)


def without_lookup(key: Prover, tensor: int) -> Prover:
    """The key without the lookup of a tensor alone, which no check has seen."""
    system = key.verifying.system
    lookups = tuple(item for item in system.lookups if item.stored != (tensor,))
    assert len(lookups) == len(system.lookups) - 1
    changed = replace(system, lookups=lookups)
    backend = key.backend
    assert isinstance(backend, LocalBackend)
    return replace(
        key,
        # What is kept for a number of samples is that of the whole key.
        backend=LocalBackend(backend.schedule, backend.local_weights, POOL),
        lowered=replace(key.lowered, system=changed),
        verifying=replace(key.verifying, system=changed),
    )


def test_a_value_out_of_range_is_caught_by_the_lookup_of_its_tensor_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key, values = hidden_key(), outside(monkeypatch)
    with pytest.raises(VerificationError) as caught:
        unchecked(key.verifying, lying_proof(key, values, monkeypatch))
    assert caught.value.check == Check.OPENING_CLAIM
    copy = next(i for i, tensor in enumerate(key.verifying.system.tensors) if tensor.name == "x")
    open_key = without_lookup(key, copy)
    unchecked(open_key.verifying, lying_proof(open_key, values, monkeypatch))
    # Such a key is not read.
    with pytest.raises(FormatError, match="nothing shows that the hidden 'x' is in its range"):
        check(open_key.verifying.system)
