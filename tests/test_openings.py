"""Openings: their files, what they count, and what they open."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import (
    BudgetError,
    ChoiceError,
    FormatError,
    InputError,
    KindError,
    SecretError,
    VerificationError,
)
from deepprove_dist.key_budget import KeyBudget
from deepprove_dist.openings import Opening
from deepprove_dist.proving import ProofResult
from deepprove_dist.proving_key import ProvingKey
from tests.protocol.hidden.example import hidden_key

X = np.array([[[0.25, 0.5], [-1, 1]]])


@cache
def keys() -> ProvingKey:
    prover = hidden_key()
    return ProvingKey(prover, budget=KeyBudget(None))


@cache
def proof() -> ProofResult:
    return keys().prove(X)


def opening() -> Opening:
    """A new object each time, which counts by itself."""
    result = proof().openings["x"]
    return Opening.of("x", result.commitment, result.integers, result.seed, result.rows)


def test_a_proof_has_an_opening_for_each_hidden_tensor() -> None:
    assert list(proof().openings) == ["x", "y"]
    statement = keys().verifying.verify(proof())
    for name, proven in (("x", statement.input_commitments), ("y", statement.output_commitments)):
        assert proof().openings[name].commitment == proven[name]
    np.testing.assert_array_equal(proof().openings["x"].verify().reshape(X.shape) * 0.25, X)
    np.testing.assert_array_equal(proof().openings["y"].integers, proof().output_integers["y"])
    assert list(proof().output) == ["y", "h"]


def test_the_key_says_what_the_values_are() -> None:
    key, x = keys().verifying, opening()
    digest = x.commitment.digest
    np.testing.assert_array_equal(key.reveal(x, digest), X[np.newaxis])
    with pytest.raises(InputError, match="hides no input or output 'z'"):
        key.reveal(x, digest, name="z")
    with pytest.raises(InputError, match="samples of 4 values"):
        key.reveal(x, digest, name="y")
    with pytest.raises(VerificationError) as caught:
        key.reveal(x, bytes(32))
    assert caught.value.check == Check.OPENED_COMMITMENT


def test_other_integers_or_another_seed_open_nothing() -> None:
    result = proof().openings["x"]
    for integers, seed in ((result.integers ^ 1, result.seed), (result.integers, bytes(32))):
        with pytest.raises(VerificationError, match="make another commitment"):
            Opening.of("x", result.commitment, integers, seed, 0).verify()


def test_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    path, x = tmp_path / "x.opening", opening()
    x.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    loaded = Opening.load(path)
    assert (loaded.name, loaded.commitment, loaded.seed, loaded.rows) == (
        x.name,
        x.commitment,
        x.seed,
        x.rows,
    )
    np.testing.assert_array_equal(loaded.verify(x.commitment.digest), x.integers)
    path.chmod(0o640)
    with pytest.raises(SecretError, match="chmod 600"):
        Opening.load(path)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FormatError, match="opening"):
        Opening.load(path)
    # What is no opening is no secret either: it says so, whatever its mode.
    other = tmp_path / "proof"
    other.write_bytes(bytes(proof()))
    with pytest.raises(FormatError, match="not a deepprove-dist opening"):
        Opening.load(other)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    with pytest.raises(SecretError, match="no plain file"):
        Opening.load(pipe)


def test_no_text_has_the_integers_or_the_seed() -> None:
    x = opening()
    assert x.seed.hex() not in repr(x)
    assert str(int(x.integers.max())) not in repr(x._content)


def test_rows_are_counted_until_none_are_left(tmp_path: Path) -> None:
    path, x = tmp_path / "x.opening", opening()
    step = x.rows_allowed - x.rows
    x.show(step)
    assert x.rows == x.rows_allowed
    with pytest.raises(BudgetError, match="hides it in no further proof"):
        x.show(1)
    y = opening()
    y.save(path)
    # Two readers of one file count together.
    first, second = Opening.load(path), Opening.load(path)
    first.show(step)
    with pytest.raises(BudgetError):
        second.show(1)
    assert Opening.load(path).rows == y.rows_allowed
    assert path.stat().st_mode & 0o777 == 0o600
    path.unlink()
    with pytest.raises(InputError, match="is gone"):
        second.show(1)


def test_a_file_that_became_another_one_counts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "opening"
    x = opening()
    x.save(path)
    proof().openings["y"].save(path)
    with pytest.raises(InputError, match="another commitment"):
        x.show(1)


def test_further_proofs_are_about_one_commitment() -> None:
    key, x = keys(), opening()
    shown, digest = x.rows, x.commitment.digest
    again = key.prove(X, openings={"x": x})
    assert x.rows == shown + key.prover.verifying.schedule.initial.rows_of_proof
    assert again.openings["x"] is x
    statement = key.verifying.verify(again, input_commitment=digest)
    assert statement.output_commitments["y"] != proof().openings["y"].commitment
    with pytest.raises(VerificationError) as caught:
        key.verifying.verify(again, input_commitment={"x": bytes(32)})
    assert (caught.value.check, caught.value.subject) == (Check.EXPECTED_INPUT, "x")
    with pytest.raises(VerificationError) as caught:
        key.verifying.verify(again, output_commitment=digest)
    assert caught.value.check == Check.EXPECTED_OUTPUT


def test_what_a_proof_cannot_be_about_costs_nothing() -> None:
    key, x = keys(), opening()
    shown = x.rows
    with pytest.raises(ChoiceError, match="hide no input or output 'h'"):
        key.prove(X, openings={"h": x})
    with pytest.raises(InputError, match="other values"):
        key.prove(X + 0.25, openings={"x": x})
    with pytest.raises(InputError, match="another number of samples"):
        key.prove([X, X], openings={"x": x})
    with pytest.raises(InputError, match="other parameters"):
        key.prove(X, openings={"y": x})
    with pytest.raises(KindError, match="an opening"):
        key.prove(X, openings={"x": x.seed})  # type: ignore[dict-item]
    assert x.rows == shown


def test_an_output_of_other_values_makes_no_proof() -> None:
    y = proof().openings["y"]
    fresh = Opening.of("y", y.commitment, y.integers, y.seed, 0)
    with pytest.raises(InputError, match="'y' has other values"):
        keys().prove(X * 0, openings={"y": fresh})


def test_values_of_hidden_tensors_are_not_compared() -> None:
    key = keys().verifying
    with pytest.raises(InputError, match="every input is hidden"):
        key.verify(proof(), input=X)
    h = proof().output["h"]
    assert key.verify(proof(), output={"h": h}).output.keys() == {"h"}
    with pytest.raises(VerificationError) as caught:
        key.verify(proof(), output={"h": h + 2})
    assert caught.value.check == Check.EXPECTED_OUTPUT
    with pytest.raises(InputError):
        key.verify(proof(), output={"y": proof().output["y"]})
    with pytest.raises(InputError, match="hides no input 'z'"):
        key.verify(proof(), input_commitment={"z": bytes(32)})
    with pytest.raises(KindError):
        key.verify(proof(), input_commitment={"x": "00"})  # type: ignore[dict-item]


def test_the_next_epoch_proves_about_the_same_commitment(tmp_path: Path) -> None:
    prover = hidden_key()
    key = ProvingKey(prover, budget=KeyBudget(prover.verifying.schedule.initial.proofs))
    x = opening()
    later, _ = key.rekey()
    result = later.prove(X, openings={"x": x})
    statement = key.verifying.verify(result, input_commitment=x.commitment.digest)
    assert statement.input_commitments == {"x": x.commitment}
