"""What a verifier learns is what a key says, and all of it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from deepprove_dist.protocol.key.key_file import KeyFile
from deepprove_dist.protocol.system.system import System
from deepprove_dist.public_list import PublicList, public_list
from tests.attacks.models import make_key
from tests.cli.test_commands import run, run_json
from tests.hiding_keys import PROVER, TRANSPARENT, hiding_keys
from tests.model.test_rows_by_input import tokens
from tests.operators.test_arg_max import arg_max

#: Where the list has each field of a key's file.
WHERE = {
    "format": "mode",
    "version": "mode",
    "model": "model_digest",
    "weights": "commitments",
    "max_batch": "samples_in_a_proof",
    "schedule": "schedule",
    "tensors": "tensors",
    "inputs": "values",
    "outputs": "values",
    "tables": "tables",
    "relations": "relations",
    "lookups": "tables",
    "arg_maxima": "arg_maxima",
}


def test_each_field_of_a_key_is_in_the_list() -> None:
    """A key that says more has to say so here."""
    assert set(KeyFile.__struct_fields__) == set(WHERE)
    assert set(WHERE.values()) <= {field.name for field in fields(PublicList)}


def test_a_key_is_listed_item_by_item() -> None:
    key, listed = PROVER.verifying, public_list(PROVER.verifying)
    system: System = key.system
    assert (listed.mode, listed.hides, listed.proofs) == ("hiding", "weights and activations", 1)
    assert [item.name for item in listed.tensors] == [tensor.name for tensor in system.tensors]
    assert [item.tensor for item in listed.values] == [public.name for public in system.public]
    assert [item.relation for item in listed.relations] == [relation.name for relation in system.relations]
    for item, relation in zip(listed.relations, system.relations, strict=True):
        assert item.bounds == f"[{relation.low}, {relation.high}]"
        assert all(str(constant.value) in item.constants for constant in relation.affine.constants)
    assert len(listed.tables) == len(system.tables)
    (commitment,) = listed.commitments
    assert key.weights is not None
    assert (commitment.epoch, commitment.root) == (0, key.weights.root.hex())
    assert str(key.schedule.initial.queries) in listed.schedule
    assert any("epoch" in sentence for sentence in listed.of_each_proof)
    assert not any("can compute all weights" in sentence for sentence in listed.beyond)


def test_outputs_that_are_indices_of_maxima_are_listed() -> None:
    (item,) = public_list(make_key(arg_max()).verifying).arg_maxima
    assert (item.output, item.scores) == ("t", "x")
    assert not public_list(PROVER.verifying).arg_maxima


def test_rows_that_an_input_selects_are_listed() -> None:
    listed = public_list(make_key(tokens()).verifying)
    assert sum("at 'x'" in item.terms for item in listed.relations) == 1


def test_a_transparent_key_says_what_is_not_hidden() -> None:
    listed = public_list(TRANSPARENT.verifying)
    assert (listed.mode, listed.hides, listed.proofs) == ("transparent", "nothing", None)
    assert any("some rows of the code" in sentence for sentence in listed.of_each_proof)
    assert any("can compute all weights" in sentence for sentence in listed.beyond)


def test_inspect_prints_it(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    hiding_keys().save(folder)
    listed = run_json("inspect", folder / "verifying.key", "--public")
    assert listed["proofs"] == 1
    shown = run("inspect", folder / "verifying.key", "--public").stdout
    assert "All of this is in the key. Each proof adds:" in shown
    assert all(sentence in shown for sentence in (*listed["of_each_proof"], *listed["beyond"]))
    assert run("inspect", folder, "--public").exit_code == 2
