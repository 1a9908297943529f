"""Greedy generations: what one proof says of a prompt and its answer, and the checks of it.

The input of a proof is, position by position, n tokens of the prompt, k tokens of the answer, and padding:

    ids = p_0 ... p_{n-1}  a_0 ... a_{k-1}  P ... P        of the key's length L

The proof's context says n, n + k and P. The proof itself says that `answers` is the model's output for these
ids. So a verifier compares public integers only:

    answers[t] = ids[t + 1]    for t = n - 1, ..., n + k - 2;    ids[t] = P and mask[t] = 0    for t >= n + k.

Each token of the answer then is the ArgMax at the position before it, of equal scores the first. That is the
greedy continuation of the prompt if the model is causal: outputs up to t depend on ids up to t alone. A key
of hidden weights does not show that. Decision 0028 says what follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from deepprove_dist.canonical import File, Limit, decode_file, encode
from deepprove_dist.checks import Check
from deepprove_dist.errors import FormatError, VerificationError
from deepprove_dist.protocol.messages.proof import MAX_CONTEXT
from deepprove_dist.token_tensors import TokenTensors
from deepprove_dist.verifier import Statement

FORMAT = "deepprove-dist generation"
VERSION = 1


class GenerationContext(File, frozen=True):
    """The context of a proof of a generation.

    Attributes:
        prompt: tokens of the prompt, n.
        length: tokens of prompt and answer, n + k.
        padding: the token P at all further positions.
        context: what else the caller binds the proof to.
    """

    prompt: int
    length: int
    padding: int
    context: Annotated[bytes, Limit(max_length=MAX_CONTEXT)]

    @classmethod
    def of(cls, prompt: int, length: int, padding: int, context: bytes) -> GenerationContext:
        """The context with these numbers."""
        return cls(FORMAT, VERSION, prompt, length, padding, context)

    def __bytes__(self) -> bytes:
        return encode(self)


@dataclass(frozen=True)
class Generation:
    """What a valid proof of a generation says.

    Attributes:
        prompt: the tokens before the answer.
        answer: the tokens of the answer: each is the ArgMax at the position before it.
        length: positions of the key.
        padding: the token at all positions after the answer.
        context: what else the proof is bound to.
        statement: of the proof.
    """

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    length: int
    padding: int
    context: bytes
    statement: Statement

    @property
    def tokens(self) -> tuple[int, ...]:
        """Prompt and answer."""
        return self.prompt + self.answer


def generation_context(context: bytes) -> GenerationContext | None:
    """What the context of a proof says of a generation; None where the proof is of none."""
    try:
        return decode_file(context, GenerationContext, FORMAT, VERSION)
    except FormatError:
        return None


def check_generation(tensors: TokenTensors, statement: Statement) -> Generation:
    """What a valid proof says of a generation; `tensors` are those of its key.

    Raises VerificationError where the proof is of no generation, or the answer is not what its outputs say.
    """
    stated = generation_context(statement.context)
    if stated is None:
        raise VerificationError(Check.GENERATION, "the proof's context is that of no generation")
    _check_context(tensors, stated, statement.inputs[tensors.ids].batch)
    ids, answers = statement.inputs[tensors.ids].flat, statement.outputs[tensors.answers].flat
    _check_tokens(tensors, ids)
    _check_padding(tensors, statement, stated, ids)
    _check_answer(tensors, stated, ids, answers)
    tokens = tuple(ids[: stated.length])
    return Generation(
        prompt=tokens[: stated.prompt],
        answer=tokens[stated.prompt :],
        length=tensors.length,
        padding=stated.padding,
        context=stated.context,
        statement=statement,
    )


def require_prompt(generation: Generation, prompt: Sequence[int]) -> None:
    """Raises VerificationError where a generation is of another prompt."""
    if generation.prompt != tuple(prompt):
        raise VerificationError(Check.EXPECTED_PROMPT, f"the prompt is {list(generation.prompt)}")


def require_context(statement: Statement, context: bytes) -> None:
    """Raises VerificationError where a proof, of a generation or not, is bound to another context."""
    stated = generation_context(statement.context)
    if (statement.context if stated is None else stated.context) != context:
        raise VerificationError(Check.EXPECTED_CONTEXT, "the proof is bound to another context")


def _check_context(tensors: TokenTensors, stated: GenerationContext, samples: int) -> None:
    if samples != 1:
        raise VerificationError(Check.GENERATION, "a generation is one sample", expected=1, actual=samples)
    if not 0 < stated.prompt < stated.length <= tensors.length:
        raise VerificationError(
            Check.GENERATION,
            f"{stated.prompt} of {stated.length} tokens are the prompt, and the key has {tensors.length} "
            "positions",
        )
    if not 0 <= stated.padding < tensors.vocabulary:
        message = f"the padding is the token {stated.padding}"
        raise VerificationError(Check.GENERATION, message, expected=tensors.vocabulary, actual=stated.padding)


def _check_tokens(tensors: TokenTensors, ids: Sequence[int]) -> None:
    """Negative indices would count from the vocabulary's end. The range of the input excludes larger ones."""
    for index, token in enumerate(ids):
        if token < 0:
            message = f"the token {token} is negative"
            raise VerificationError(
                Check.GENERATION_TOKEN, message, subject=tensors.ids, index=index, expected=0, actual=token
            )


def _check_padding(
    tensors: TokenTensors, statement: Statement, stated: GenerationContext, ids: Sequence[int]
) -> None:
    """Of the tokens, and of the mask if there is one."""
    padding = [stated.padding] * (tensors.length - stated.length)
    _require_same(tensors.ids, [*ids[: stated.length], *padding], ids)
    if tensors.mask is not None:
        counted = [int(position < stated.length) for position in range(tensors.length)]
        _require_same(tensors.mask, counted, statement.inputs[tensors.mask].flat)


def _require_same(name: str, expected: Sequence[int], actual: Sequence[int]) -> None:
    for index, (right, number) in enumerate(zip(expected, actual, strict=True)):
        if number != right:
            raise VerificationError(
                Check.GENERATION_PADDING,
                f"position {index} has {number}, not {right}",
                subject=name,
                index=index,
                expected=right,
                actual=number,
            )


def _check_answer(
    tensors: TokenTensors, stated: GenerationContext, ids: Sequence[int], answers: Sequence[int]
) -> None:
    """Each token of the answer is the model's output at the position before it."""
    for position in range(stated.prompt, stated.length):
        token, proven = ids[position], answers[position - 1]
        if token != proven:
            raise VerificationError(
                Check.GENERATION_ANSWER,
                f"position {position} has the token {token}, and the ArgMax before it is {proven}",
                subject=tensors.answers,
                index=position,
                expected=proven,
                actual=token,
            )
