"""The chapter on architecture tells the layers that the package is held to, and the drawing's words."""

from __future__ import annotations

import re

from tests.book.pages import BOOK
from tests.test_layers import LAYERS

PAGE = BOOK / "architecture.md"
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \|", re.MULTILINE)


def test_the_layers_are_those_of_the_test() -> None:
    listed = [set(re.findall(r"`(\w+)`", names)) for _, names in ROW.findall(PAGE.read_text())]
    assert listed == [set(layer) for layer in LAYERS]


def test_the_drawing_is_there() -> None:
    drawing = (BOOK / "architecture.svg").read_text()
    assert "architecture.svg" in PAGE.read_text()
    for words in ("ONNX file", "float graph", "integer model", "system", "claims", "opening"):
        assert f">{words}<" in drawing, words
