"""Options for tokens and texts of language models, which `generate` and `verify` share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from deepprove_dist.cli import options, sections
from deepprove_dist.errors import InputError
from deepprove_dist.texts import TextTokenizer


def _tokens(ctx: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    return None if text is None else read_tokens(f"--{parameter.name}".replace("_", "-"), text)


prompt_options = sections.option_group(
    "Prompt",
    sections.option(
        "--prompt-tokens", callback=_tokens, metavar="IDS", help="Token ids of the prompt: 464,3290,318."
    ),
    sections.option(
        "--prompt-tokens-file", type=options.FILE, metavar="FILE", help="A file with these, also as JSON."
    ),
    sections.option("--prompt", metavar="TEXT", help="The prompt as a text; needs --tokenizer."),
    sections.option(
        "--tokenizer",
        type=options.FILE,
        metavar="FILE",
        help="The model's tokenizer.json. With it, prompt and answer are printed as texts too.",
    ),
)
"""They arrive as the keyword arguments of `read_prompt`, and `tokenizer`."""


def read_tokens(name: str, text: str) -> tuple[int, ...]:
    """Token ids between commas or spaces, or a list of JSON. Raises InputError for other texts."""
    content = text.strip()
    if content.startswith("[") and content.endswith("]"):
        content = content[1:-1]
    numbers = [number for number in re.split(r"[\s,]+", content) if number]
    if not all(re.fullmatch(r"[0-9]{1,10}", number) for number in numbers):
        raise InputError(f"{name}: token ids are whole numbers with commas between them")
    return tuple(map(int, numbers))


def load_tokenizer(path: Path | None) -> TextTokenizer | None:
    """The tokenizer in a file, if one was named. Raises as `TextTokenizer.load` does."""
    return None if path is None else TextTokenizer.load(path)


def read_prompt(
    tokenizer: TextTokenizer | None,
    *,
    prompt_tokens: tuple[int, ...] | None,
    prompt_tokens_file: Path | None,
    prompt: str | None,
) -> tuple[int, ...] | None:
    """The tokens of the prompt, given in one way at most; None where none is given. Raises InputError."""
    given = [value for value in (prompt_tokens, prompt_tokens_file, prompt) if value is not None]
    if len(given) > 1:
        raise InputError("give one of --prompt-tokens, --prompt-tokens-file and --prompt")
    if prompt_tokens_file is not None:
        return read_tokens(str(prompt_tokens_file), prompt_tokens_file.read_text(encoding="utf-8"))
    if prompt is None:
        return prompt_tokens
    if tokenizer is None:
        raise InputError("--prompt needs the model's tokenizer: --tokenizer tokenizer.json")
    return tokenizer.encode(prompt)


def token_fields(
    tokenizer: TextTokenizer | None, prompt: tuple[int, ...], answer: tuple[int, ...]
) -> dict[str, Any]:
    """Prompt and answer for a program: tokens, and texts where there is a tokenizer.

    The answer's text is what it adds to the prompt's.
    """
    fields: dict[str, Any] = {"prompt": prompt, "answer": answer, "prompt_text": None, "answer_text": None}
    if tokenizer is not None:
        before, whole = tokenizer.decode(prompt), tokenizer.decode(prompt + answer)
        added = whole[len(before) :] if whole.startswith(before) else tokenizer.decode(answer)
        fields |= {"prompt_text": before, "answer_text": added}
    return fields


def token_lines(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The same for people: names and values."""
    for name in ("prompt", "answer"):
        yield name, ", ".join(map(str, fields[name]))
    for name in ("prompt", "answer"):
        if fields[f"{name}_text"] is not None:
            yield f"{name}'s text", repr(fields[f"{name}_text"])
