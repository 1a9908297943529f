"""Texts by a tokenizer's file, and what is said without the package that reads it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deepprove_dist.errors import InputError, MissingPackageError
from deepprove_dist.texts import TextTokenizer
from tests.token_models import VOCABULARY, write_tokenizer


def test_texts_and_tokens(tmp_path: Path) -> None:
    tokenizer = TextTokenizer.load(write_tokenizer(tmp_path / "tokenizer.json"))
    assert tokenizer.encode("w1 w3 w0") == (1, 3, 0)
    assert tokenizer.decode((1, 3, 0)) == "w1 w3 w0"
    assert tokenizer.decode((VOCABULARY - 1, 1)) == "</s> w1"


def test_a_file_that_is_no_tokenizer(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers", reason="needs tokenizers: pip install 'deepprove-dist[text]'")
    path = tmp_path / "tokenizer.json"
    path.write_text("{}")
    with pytest.raises(InputError, match=r"tokenizer\.json: not a tokenizer\.json"):
        TextTokenizer.load(path)
    with pytest.raises(OSError, match="No such file"):
        TextTokenizer.load(tmp_path / "none")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'deepprove-dist\[text\]'"):
        TextTokenizer.load(tmp_path / "tokenizer.json")
