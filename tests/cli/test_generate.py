"""`generate`, and `verify` on its proofs: tokens, texts, JSON and what is refused."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import onnx
import pytest

from deepprove_dist.cli import generate
from deepprove_dist.cli.tokens import read_tokens
from deepprove_dist.errors import InputError
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.worker_api import create_worker
from tests.cli.test_commands import run, run_json
from tests.token_keys import NEW, PROMPT, padded, prove_tokens, token_keys
from tests.token_models import IDS, LENGTH, VOCABULARY, token_model, token_samples, write_tokenizer

PROMPT_TOKENS = ",".join(map(str, PROMPT))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `keys`, a `proof` of a generation, and what `generate` printed."""
    folder = tmp_path_factory.mktemp("generate")
    onnx.save(token_model(), folder / "model.onnx")
    np.savez(folder / "tokens.npz", input_ids=token_samples().inputs[IDS])
    setup = ("setup", folder / "model.onnx", "--calibration", folder / "tokens.npz", "-o", folder / "keys")
    run_json(*setup, "--output-form", "argmax", "--activation-bits", 12, "--accept-error")
    prompt = ("--prompt-tokens", PROMPT_TOKENS, "--context", "nonce")
    fields = run_json(
        *("generate", folder / "keys", *prompt, "--max-new-tokens", NEW, "-o", folder / "proof")
    )
    (folder / "generate.json").write_text(json.dumps(fields))
    return folder


def test_generate_reports_and_verify_says_the_same(folder: Path) -> None:
    fields = json.loads((folder / "generate.json").read_text())
    assert fields["prompt"] == list(PROMPT)
    assert len(fields["answer"]) == NEW
    assert (fields["stopped_by"], fields["answer_text"]) == ("new tokens", None)
    assert fields["proof_bytes"] == (folder / "proof").stat().st_size
    assert min(fields[name] for name in ("generation_ms", "proving_ms", "self_check_ms")) > 0
    verified = run_json("verify", folder / "keys" / "verifying.key", folder / "proof")
    assert verified["context"] == "nonce"
    assert verified["generation"] == {
        **{name: fields[name] for name in ("prompt", "answer", "prompt_text", "answer_text")},
        "padding": 0,
        "length": LENGTH,
    }
    shown = run("verify", folder / "keys" / "verifying.key", folder / "proof").stdout
    assert f"prompt: {', '.join(map(str, PROMPT))}\n" in shown
    assert f"answer: {', '.join(map(str, fields['answer']))}\n" in shown


def test_an_expected_prompt_and_context_are_compared(folder: Path) -> None:
    verify = ("verify", folder / "keys" / "verifying.key", folder / "proof")
    assert run(*verify, "--prompt-tokens", PROMPT_TOKENS, "--context", "nonce").exit_code == 0
    for wrong, check in (
        (("--prompt-tokens", "1,2"), "expected prompt"),
        (("--context", "another"), "expected context"),
    ):
        fields = run_json(*verify, *wrong, status=1)
        assert (fields["valid"], fields["error"]["check"]) == (False, check)


def test_a_valid_proof_of_another_answer_is_not_valid(folder: Path, tmp_path: Path) -> None:
    keys = token_keys()
    keys.verifying.save(tmp_path / "key")
    answer = [*keys.generate(PROMPT, max_new_tokens=NEW).answer]
    answer[1] = (answer[1] + 1) % VOCABULARY
    prove_tokens(keys, padded([*PROMPT, *answer]), len(PROMPT) + NEW).save(tmp_path / "proof")
    fields = run_json("verify", tmp_path / "key", tmp_path / "proof", status=1)
    assert fields["error"]["check"] == "generation answer"
    assert run("verify", tmp_path / "key", tmp_path / "proof").stdout.startswith(
        "NOT valid: generation answer"
    )


def test_a_proof_of_no_generation_where_a_prompt_is_expected(folder: Path, tmp_path: Path) -> None:
    prove = ("prove", folder / "keys", "--input", folder / "tokens.npz", "-o", tmp_path / "proof")
    assert run(*prove).exit_code == 0
    verify = ("verify", folder / "keys" / "verifying.key", tmp_path / "proof")
    assert run_json(*verify)["generation"] is None
    assert run_json(*verify, "--prompt-tokens", "1", status=1)["error"]["check"] == "generation"


def test_texts_by_a_tokenizer(folder: Path, tmp_path: Path) -> None:
    tokenizer = write_tokenizer(tmp_path / "tokenizer.json")
    texts = ("--prompt", "w1 w2 w3", "--tokenizer", tokenizer)
    proof = tmp_path / "proof"
    fields = run_json("generate", folder / "keys", *texts, "--max-new-tokens", NEW, "-o", proof)
    expected = json.loads((folder / "generate.json").read_text())
    assert (fields["prompt"], fields["answer"]) == (expected["prompt"], expected["answer"])
    words = " ".join(f"w{token}" if token < VOCABULARY - 1 else "</s>" for token in fields["answer"])
    assert (fields["prompt_text"], fields["answer_text"].strip()) == ("w1 w2 w3", words)
    verified = run_json("verify", folder / "keys" / "verifying.key", proof, *texts)
    assert verified["generation"]["answer_text"] == fields["answer_text"]
    shown = run("verify", folder / "keys" / "verifying.key", proof, "--tokenizer", tokenizer).stdout
    assert "prompt's text: 'w1 w2 w3'\n" in shown


def test_a_stop_token_ends_the_answer_and_people_are_told(folder: Path, tmp_path: Path) -> None:
    first = json.loads((folder / "generate.json").read_text())["answer"][0]
    prompt = ("--prompt-tokens", PROMPT_TOKENS, "--stop-token", first)
    result = run("generate", folder / "keys", *prompt, "-o", tmp_path / "proof")
    assert result.exit_code == 0
    assert "a stop token" in result.stdout
    assert f"Proof written to {tmp_path / 'proof'}" in result.stdout


def test_workers_make_the_same_answer(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group = WorkerGroup(InProcessExecutor(2, create_worker))
    monkeypatch.setattr(generate, "opened", lambda _: nullcontext(group))
    prompt = ("--prompt-tokens", PROMPT_TOKENS, "--max-new-tokens", NEW, "--workers", 2)
    result = run("generate", folder / "keys", *prompt, "-o", tmp_path / "proof")
    assert result.exit_code == 0
    assert "Workers" in result.stdout
    fields = json.loads((folder / "generate.json").read_text())
    verified = run_json("verify", folder / "keys" / "verifying.key", tmp_path / "proof")
    assert verified["generation"]["answer"] == fields["answer"]


def test_prompts_are_given_in_one_way(folder: Path, tmp_path: Path) -> None:
    command = ("generate", folder / "keys", "-o", tmp_path / "proof")
    tokens = tmp_path / "prompt.json"
    tokens.write_text(json.dumps(PROMPT))
    from_file = run_json(*command, "--prompt-tokens-file", tokens, "--max-new-tokens", 1)
    assert from_file["prompt"] == list(PROMPT)
    for given, sentence in (
        ((), "there is no prompt"),
        (("--prompt-tokens", "1", "--prompt", "w0"), "give one of --prompt-tokens"),
        (("--prompt", "w0"), "--prompt needs the model's tokenizer"),
        (("--prompt-tokens", "1;2"), "--prompt-tokens: token ids are whole numbers"),
        (("--prompt-tokens", "99"), "the key's vocabulary ends at 39"),
        (("--prompt-tokens", ",".join("1" * LENGTH)), "Give a shorter prompt"),
    ):
        result = run(*command, *given)
        assert result.exit_code == 2
        assert sentence in result.output.replace("\n", " ")


def test_lists_of_tokens() -> None:
    for text in ("1,2,3", " 1 2\n3\n", "[1, 2, 3]", "1, 2,3,"):
        assert read_tokens("--prompt-tokens", text) == (1, 2, 3)
    assert read_tokens("--prompt-tokens", "") == ()
    for text in ("-1", "1.5", "a", "[1", "1" * 11, "²"):
        with pytest.raises(InputError, match="--prompt-tokens: token ids are whole numbers"):
            read_tokens("--prompt-tokens", text)


def test_keys_without_tokens_say_which_option_makes_them(folder: Path, tmp_path: Path) -> None:
    setup = ("setup", folder / "model.onnx", "--calibration", folder / "tokens.npz", "-o", tmp_path / "keys")
    run_json(*setup, "--transparent", "--activation-bits", 8, "--accept-error")
    result = run("generate", tmp_path / "keys", "--prompt-tokens", "1", "-o", tmp_path / "proof")
    assert result.exit_code == 2
    assert "Set up with --output-form argmax" in result.output.replace("\n", " ")
