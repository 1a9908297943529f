"""Generations: what one proof says of an answer, and provers that say something else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import deepprove_dist as dp
from deepprove_dist.checks import Check
from deepprove_dist.errors import ChoiceError, InputError, ModelError, VerificationError
from deepprove_dist.generations import GenerationContext
from deepprove_dist.importing.load import import_proto
from deepprove_dist.importing.selection import ModelSelection
from deepprove_dist.quantise.float_model import FloatModel
from tests.token_keys import NEW, PADDING, PROMPT, padded, prove_tokens, token_keys
from tests.token_models import IDS, LENGTH, MASK, SCORES, VOCABULARY, token_model, token_samples

TIED = (7, 21)


@pytest.fixture(scope="module", params=[False, True], ids=["causal", "masked"])
def keys(request: pytest.FixtureRequest) -> dp.ProvingKey:
    return token_keys(bool(request.param))


def rejected(keys: dp.ProvingKey, proof: dp.Proof, **expected: Any) -> VerificationError:
    """How a proof that is valid by itself is refused as a generation."""
    assert keys.verifying.verify(proof).key_digest == keys.verifying.digest
    with pytest.raises(VerificationError) as caught:
        keys.verifying.verify_generation(proof, **expected)
    return caught.value


@pytest.mark.parametrize("hiding", [False, True], ids=["transparent", "hiding"])
def test_an_answer_is_proven_in_one_pass(hiding: bool) -> None:
    keys, steps = token_keys(hiding=hiding), list[tuple[str, float]]()
    result = keys.generate(
        PROMPT,
        max_new_tokens=NEW,
        padding=PADDING,
        context=b"nonce",
        progress=lambda name, share: steps.append((name, share)),
    )
    assert [share for name, share in steps if name == "generation"] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert (result.prompt, len(result.answer), result.stop) == (PROMPT, NEW, "new tokens")
    generation = keys.verifying.verify_generation(result.proof, prompt=PROMPT, context=b"nonce")
    assert (generation.prompt, generation.answer) == (PROMPT, result.answer)
    assert (generation.length, generation.padding) == (LENGTH, PADDING)
    assert generation.statement.input_integers[IDS].ravel().tolist() == padded(generation.tokens)


def test_the_answer_is_the_models(keys: dp.ProvingKey) -> None:
    """Token by token, as the float model says, on which the integer model agrees here."""
    masked = len(keys.model.inputs) > 1
    imported = import_proto(token_model(masked=masked), ModelSelection.of((), None, "argmax"))
    tokens = list(PROMPT)
    for _ in range(NEW):
        inputs = {IDS: np.array([[padded(tokens)]], dtype=np.float64)}
        if masked:
            inputs[MASK] = np.array([[np.arange(LENGTH) < len(tokens)]], dtype=np.float64)
        (values,) = FloatModel(imported).run(dp.Samples(inputs, None))
        output = imported.graph.outputs[f"{SCORES}.argmax"]
        tokens.append(int(values[output].ravel()[len(tokens) - 1]))
    assert keys.generate(PROMPT, max_new_tokens=NEW, padding=PADDING).answer == tuple(tokens[len(PROMPT) :])


def test_an_answer_ends_at_a_stop_token_and_at_the_keys_last_position() -> None:
    keys = token_keys()
    whole = keys.generate(PROMPT, padding=PADDING)
    assert (len(whole.answer), whole.stop) == (LENGTH - len(PROMPT), "length")
    second = whole.answer[1]
    assert second != whole.answer[0]
    stopped = keys.generate(PROMPT, stop_tokens=[second], padding=PADDING)
    assert (stopped.answer, stopped.stop) == (whole.answer[:2], "stop token")


def test_any_answer_token_that_is_changed_is_refused(keys: dp.ProvingKey) -> None:
    answer = keys.generate(PROMPT, max_new_tokens=NEW, padding=PADDING).answer
    for position, token in enumerate(answer):
        changed = [*answer]
        changed[position] = (token + 1) % VOCABULARY
        proof = prove_tokens(keys, padded([*PROMPT, *changed]), len(PROMPT) + NEW)
        error = rejected(keys, proof)
        assert (error.check, error.index) == (Check.GENERATION_ANSWER, len(PROMPT) + position)
        assert (error.expected, error.actual) == (token, changed[position])


def test_an_answer_to_another_prompt_is_refused(keys: dp.ProvingKey) -> None:
    result = keys.generate(PROMPT, max_new_tokens=NEW, padding=PADDING)
    error = rejected(keys, result.proof, prompt=(1, 2, 4))
    assert error.check == Check.EXPECTED_PROMPT
    assert rejected(keys, result.proof, prompt=PROMPT[:2]).check == Check.EXPECTED_PROMPT
    assert rejected(keys, result.proof, context=b"nonce").check == Check.EXPECTED_CONTEXT
    others = keys.generate((4, 4, 9), max_new_tokens=NEW, padding=PADDING).answer
    assert others != result.answer
    proof = prove_tokens(keys, padded([*PROMPT, *others]), len(PROMPT) + NEW)
    assert rejected(keys, proof).check == Check.GENERATION_ANSWER


def test_padding_is_what_the_proof_says(keys: dp.ProvingKey) -> None:
    tokens = [*PROMPT, *keys.generate(PROMPT, max_new_tokens=NEW, padding=PADDING).answer]
    for position in range(len(tokens), LENGTH):
        ids = padded(tokens)
        ids[position] = PADDING + 1
        error = rejected(keys, prove_tokens(keys, ids, len(tokens)))
        assert (error.check, error.subject, error.index) == (Check.GENERATION_PADDING, IDS, position)
    assert rejected(keys, prove_tokens(keys, padded(tokens), len(tokens), padding=6)).check == (
        Check.GENERATION_PADDING
    )


@pytest.mark.parametrize("counted", [len(PROMPT) + NEW - 1, len(PROMPT) + NEW + 1])
def test_the_mask_counts_prompt_and_answer_and_nothing_else(counted: int) -> None:
    keys = token_keys(masked=True)
    tokens = [*PROMPT, *keys.generate(PROMPT, max_new_tokens=NEW, padding=PADDING).answer]
    error = rejected(keys, prove_tokens(keys, padded(tokens), counted, length=len(tokens)))
    assert (error.check, error.subject) == (Check.GENERATION_PADDING, MASK)
    assert error.index == min(counted, len(tokens))


@pytest.mark.parametrize(
    "stated",
    [
        {"prompt": 0},
        {"prompt": -1},
        {"prompt": len(PROMPT) + NEW},
        {"length": LENGTH + 1},
        {"padding": VOCABULARY},
        {"padding": -1},
        {"samples": 2},
    ],
    ids=str,
)
def test_a_context_that_fits_no_generation(stated: dict[str, int]) -> None:
    keys = token_keys()
    tokens = [*PROMPT, *keys.generate(PROMPT, max_new_tokens=NEW, padding=PADDING).answer]
    assert rejected(keys, prove_tokens(keys, padded(tokens), len(tokens), **stated)).check == Check.GENERATION


def test_a_proof_of_no_generation() -> None:
    keys = token_keys()
    ids = {IDS: np.array([padded(PROMPT)])}
    honest = bytes(GenerationContext.of(len(PROMPT), len(PROMPT) + 1, PADDING, b""))
    for context in (b"", b"nonce", honest + b"\0", honest[:-1]):
        assert rejected(keys, keys.prove(ids, context=context)).check == Check.GENERATION


@pytest.mark.parametrize("position", [0, len(PROMPT), LENGTH - 1])
def test_tokens_that_count_from_the_end_are_none(position: int) -> None:
    """An index of ONNX may be negative: then two inputs would mean one text."""
    keys = token_keys()
    ids = padded([*PROMPT, *keys.generate(PROMPT, max_new_tokens=NEW, padding=PADDING).answer])
    ids[position] -= VOCABULARY
    error = rejected(keys, prove_tokens(keys, ids, len(PROMPT) + NEW))
    assert (error.check, error.index) == (Check.GENERATION_TOKEN, position)


def test_of_equal_scores_the_first_token_counts() -> None:
    keys = token_keys(tied=TIED)
    for first in range(VOCABULARY):
        answer = keys.generate([first], padding=PADDING).answer
        assert TIED[1] not in answer
        if TIED[0] in answer:
            break
    else:
        raise AssertionError("no answer has one of the tokens with equal scores")
    changed = [first, *answer[: answer.index(TIED[0])], TIED[1]]
    error = rejected(keys, prove_tokens(keys, padded(changed), len(changed), prompt=1))
    assert (error.check, error.expected, error.actual) == (Check.GENERATION_ANSWER, *TIED)


def test_a_model_that_looks_ahead_is_refused() -> None:
    keys = token_keys(causal=False)

    def generate_many() -> None:
        for first in range(VOCABULARY):
            keys.generate([first, 1], padding=PADDING)

    with pytest.raises(ModelError, match="not causal: its answer at position"):
        generate_many()


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"prompt": []}, "the prompt has no token: give one"),
        ({"prompt": [1] * LENGTH}, f"has {LENGTH} tokens, and the key {LENGTH} positions .*Give a shorter"),
        ({"prompt": [1, VOCABULARY]}, "the prompt has the token 40, .* ends at 39: was it made by another"),
        ({"prompt": [-1]}, "the prompt has the token -1"),
        ({"prompt": [1.0]}, "a whole number, not 1.0"),
        ({"prompt": [True]}, "a whole number, not True"),
        ({"prompt": [1], "padding": VOCABULARY}, "the padding has the token 40"),
        ({"prompt": [1], "stop_tokens": [VOCABULARY]}, "the stop token has the token 40"),
        ({"prompt": [1], "max_new_tokens": 0}, "max_new_tokens is an integer of at least 1"),
        ({"prompt": [1], "context": bytes(1 << 16)}, "the context has"),
        ({"prompt": [1], "context": "nonce"}, "generate takes a context of bytes"),
    ],
)
def test_what_cannot_be_generated_is_refused_in_words(request_: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        token_keys().generate(**request_)


def test_numbers_of_numpy_are_tokens() -> None:
    keys = token_keys()
    assert (
        keys.generate([*np.array(PROMPT)], max_new_tokens=1).answer
        == keys.generate(PROMPT, max_new_tokens=1).answer
    )


@pytest.mark.parametrize("form", ["all", "last", "top-2"])
def test_keys_without_one_token_a_position_say_how_to_set_up(form: str) -> None:
    keys = dp.setup(
        token_model(), token_samples(), output_form=form, accept_error=True, transparent=True, threads=1
    )
    with pytest.raises(InputError, match=r"of no token model: .*Set up with output_form='argmax'"):
        keys.generate(PROMPT)
    with pytest.raises(InputError, match="of no token model"):
        keys.verifying.verify_generation(keys.prove(token_samples().inputs[IDS][0]))


def test_hidden_tokens_are_no_generation() -> None:
    keys = dp.setup(
        token_model(),
        token_samples(),
        output_form="argmax",
        accept_error=True,
        hide_inputs=[IDS],
        threads=1,
    )
    with pytest.raises(InputError, match=r"hides \['input_ids'\]: tokens of a generation are public"):
        keys.generate(PROMPT)


def test_a_form_of_outputs_that_there_is_not() -> None:
    for form in ("argmin", "top-0", "top", "ArgMax", 1):
        with pytest.raises(ChoiceError, match="output_form is one of"):
            dp.setup(token_model(), token_samples(), output_form=form)  # type: ignore[arg-type]
