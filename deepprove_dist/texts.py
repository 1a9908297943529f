"""Texts of tokens, by a tokenizer.json of Hugging Face's package tokenizers, which is optional."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deepprove_dist.errors import InputError, MissingPackageError

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class TextTokenizer:
    """Texts to tokens, and back."""

    tokenizer: Tokenizer

    @classmethod
    def load(cls, path: Path) -> TextTokenizer:
        """The tokenizer in a file.

        Raises:
            OSError: where the file cannot be read.
            InputError: for a file that has no tokenizer.
            MissingPackageError: where tokenizers is not installed.
        """
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise MissingPackageError(
                "texts need the package tokenizers: pip install 'deepprove-dist[text]'"
            ) from error
        content = path.read_bytes()
        try:
            return cls(Tokenizer.from_buffer(content))
        # The package raises errors of no class of its own.
        except Exception as error:
            raise InputError(f"{path}: not a tokenizer.json ({error})") from error

    def encode(self, text: str) -> tuple[int, ...]:
        """The tokens of a text, with those that the tokenizer begins a text with."""
        return tuple(self.tokenizer.encode(text).ids)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, special ones included."""
        return str(self.tokenizer.decode(list(tokens), skip_special_tokens=False))
