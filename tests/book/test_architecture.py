"""The chapter on architecture tells the layers that the package is held to, its folders, and the drawing.

`WRITE_DOCUMENTATION=1 pytest tests/book/test_architecture.py` writes the list of layers again.
"""

from __future__ import annotations

import os
import re

from tests.book.pages import BOOK
from tests.test_layers import LAYERS, PACKAGE

PAGE = BOOK / "architecture.md"
LISTED = re.compile(r"(?<=<!-- layers -->\n).*?(?=<!-- end of layers -->\n)", re.DOTALL)


def layers() -> str:
    """A numbered line for each layer."""
    lines = (", ".join(f"`{name}`" for name in sorted(layer)) for layer in LAYERS)
    return "".join(f"{number}. {names}\n" for number, names in enumerate(lines, 1))


def test_the_layers_are_those_of_the_test() -> None:
    text = PAGE.read_text()
    if "WRITE_DOCUMENTATION" in os.environ:
        PAGE.write_text(LISTED.sub(lambda _: layers(), text))
        return
    assert LISTED.findall(text) == [layers()]


def test_every_folder_of_the_package_has_a_row() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= set(listed)


def test_the_drawing_is_there() -> None:
    drawing = (BOOK / "architecture.svg").read_text()
    assert "architecture.svg" in PAGE.read_text()
    for words in ("ONNX file", "float graph", "integer model", "system", "claims", "opening"):
        assert f">{words}<" in drawing, words
