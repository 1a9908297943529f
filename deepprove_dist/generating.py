"""Greedy generation with the integer model: one pass for each new token, then one proof of all of them."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.choices import require_count, require_kind
from deepprove_dist.errors import InputError, ModelError
from deepprove_dist.generations import GenerationContext
from deepprove_dist.key_budget import KeyBudget
from deepprove_dist.protocol.messages.statement import require_context
from deepprove_dist.prover import Prover
from deepprove_dist.proving import Progress, ProofResult, milliseconds_since, prove
from deepprove_dist.token_tensors import TokenTensors

Stop = Literal["stop token", "new tokens", "length"]
"""Why a generation ended: at a stop token, at the most new tokens, or at the end of the key's positions."""


@dataclass(frozen=True)
class GenerationResult:
    """A generation that has just been made and proven.

    Attributes:
        proof: of all of it.
        prompt: the tokens that were given.
        answer: those that follow; the last one may be a stop token.
        padding: the token at all positions after the answer.
        stop: why the answer ends.
        generation_ms: milliseconds of the passes that the answer took.
    """

    proof: ProofResult
    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    padding: int
    stop: Stop
    generation_ms: float


@dataclass(frozen=True)
class TokenRunner:
    """Runs the integer model of a prover on tokens."""

    tensors: TokenTensors
    prover: Prover

    def inputs(self, tokens: Sequence[int], padding: int) -> dict[str, IntArray]:
        """The inputs of some first tokens, int64 [1, *shape] by name."""
        length, count = self.tensors.length, len(tokens)
        values = {self.tensors.ids: [*tokens, *(padding for _ in range(length - count))]}
        if self.tensors.mask is not None:
            values[self.tensors.mask] = [int(position < count) for position in range(length)]
        shapes = {tensor.name: tensor.shape for tensor in self.prover.model.inputs}
        return {
            name: np.array(numbers, dtype=np.int64).reshape(1, *shapes[name])
            for name, numbers in values.items()
        }

    def answers(self, tokens: Sequence[int], padding: int) -> list[int]:
        """The ArgMax at the position of each of these tokens."""
        return self.of_outputs(self.prover.runner.outputs(self.inputs(tokens, padding)), len(tokens))

    def of_outputs(self, outputs: Mapping[str, IntArray], count: int) -> list[int]:
        """The ArgMax at some first positions, among outputs by name."""
        return [int(token) for token in outputs[self.tensors.answers].reshape(-1)[:count]]


def generate(
    prover: Prover,
    prompt: Sequence[int],
    *,
    max_new_tokens: int,
    stop_tokens: Collection[int] = (),
    padding: int = 0,
    context: bytes = b"",
    progress: Progress | None = None,
    budget: KeyBudget | None = None,
    carry: bool = True,
    memory: int | None = None,
) -> GenerationResult:
    """Continues a prompt, and proves the answer; see `ProvingKey.generate`."""
    step = progress or (lambda name, share: None)
    require_kind("generate", context, bytes, "a context of bytes")
    system = prover.verifying.system
    hidden = [tensor.name for tensor in system.hidden]
    tensors = TokenTensors.of(prover.verifying.inputs, prover.verifying.outputs, hidden)
    tokens = _require_request(tensors, prompt, max_new_tokens, stop_tokens, padding)
    # Before the work: a proof holds a context of limited length.
    require_context(bytes(GenerationContext.of(len(tokens), tensors.length, padding, context)))
    runner = TokenRunner(tensors, prover)
    begin = time.perf_counter()
    answer, stop = _continue(runner, tokens, max_new_tokens, stop_tokens, padding, step)
    generation_ms = milliseconds_since(begin)
    tokens += answer
    inputs = {name: values.astype(np.float64) for name, values in runner.inputs(tokens, padding).items()}
    bound = GenerationContext.of(len(tokens) - len(answer), len(tokens), padding, context)
    proof = prove(
        prover, inputs, context=bytes(bound), progress=step, budget=budget, carry=carry, memory=memory
    )
    outputs = runner.of_outputs(proof.output_integers, len(tokens) - 1)
    _require_causal(answer, outputs[bound.prompt - 1 :], bound.prompt - 1)
    return GenerationResult(proof, tokens[: bound.prompt], answer, padding, stop, generation_ms)


def _require_request(
    tensors: TokenTensors,
    prompt: Sequence[int],
    max_new_tokens: int,
    stop_tokens: Collection[int],
    padding: int,
) -> tuple[int, ...]:
    """The prompt as integers. Raises InputError for what a key cannot generate; the text says what to do."""
    require_count("max_new_tokens", max_new_tokens)
    named = [*(("prompt", token) for token in prompt), *(("stop token", token) for token in stop_tokens)]
    for what, token in (*named, ("padding", padding)):
        if isinstance(token, bool) or not isinstance(token, (int, np.integer)):
            raise InputError(f"a token of the {what} is a whole number, not {token!r}")
        if not 0 <= token < tensors.vocabulary:
            raise InputError(
                f"the {what} has the token {token}, and the key's vocabulary ends at "
                f"{tensors.vocabulary - 1}: was it made by another tokenizer?"
            )
    if len(prompt) == 0:
        raise InputError("the prompt has no token: give one, such as the token that begins a text")
    if len(prompt) >= tensors.length:
        raise InputError(
            f"the prompt has {len(prompt)} tokens, and the key {tensors.length} positions for prompt and "
            "answer. Give a shorter prompt, or set up with a longer input (shapes)"
        )
    return tuple(map(int, prompt))


def _continue(
    runner: TokenRunner,
    prompt: Sequence[int],
    max_new_tokens: int,
    stop_tokens: Collection[int],
    padding: int,
    progress: Progress,
) -> tuple[tuple[int, ...], Stop]:
    """The answer to a prompt, and why it ends. One pass of the model for each token.

    A later pass has other tokens where an earlier one had padding. So outputs that change show that the
    model is not causal. Raises ModelError then.
    """
    tokens, outputs = list(prompt), list[int]()
    vocabulary, count = runner.tensors.vocabulary, min(max_new_tokens, runner.tensors.length - len(prompt))
    stop: Stop = "new tokens" if count == max_new_tokens else "length"
    for number in range(count):
        progress("generation", number / count)
        before, outputs = outputs, runner.answers(tokens, padding)
        _require_causal(before, outputs)
        token = outputs[-1]
        if token >= vocabulary:
            raise ModelError(
                f"the model answers with the token {token}, which it does not take: its input ends at "
                f"{vocabulary - 1}"
            )
        tokens.append(token)
        if token in stop_tokens:
            stop = "stop token"
            break
    progress("generation", 1.0)
    return tuple(tokens[len(prompt) :]), stop


def _require_causal(before: Sequence[int], after: Sequence[int], first: int = 0) -> None:
    """Requires outputs of a pass, from position `first` on, not to change where only later tokens did.

    Raises ModelError.
    """
    for position, (old, new) in enumerate(zip(before, after, strict=False), first):
        if old != new:
            raise ModelError(
                f"the model is not causal: its answer at position {position} became {new} instead of {old} "
                "when a later token changed. A generation in one pass needs a causal model"
            )
