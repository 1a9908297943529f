"""The chapter on architecture tells layers and folders that the package is held to, and has the drawing.

`WRITE_DOCUMENTATION=1 pytest tests/book/test_architecture.py` writes both lists again.
"""

from __future__ import annotations

import os
import re

import pytest

import deepprove_dist.protocol
from tests.book.pages import BOOK
from tests.test_layers import LAYERS, PACKAGE

PAGE = BOOK / "architecture.md"


def listed(name: str) -> re.Pattern[str]:
    """What stands between the two comments of a list."""
    return re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end of {name} -->\n)", re.DOTALL)


def layers() -> str:
    """A numbered line for each layer."""
    lines = (", ".join(f"`{name}`" for name in sorted(layer)) for layer in LAYERS)
    return "".join(f"{number}. {names}\n" for number, names in enumerate(lines, 1))


def protocol() -> str:
    """The table of the protocol's folders, from its docstring."""
    lines = (deepprove_dist.protocol.__doc__ or "").splitlines()
    return "".join(f"{line.strip()}\n" for line in lines if line.startswith("|"))


@pytest.mark.parametrize(("name", "written"), [("layers", layers()), ("folders of the protocol", protocol())])
def test_the_lists_are_those_of_the_package(name: str, written: str) -> None:
    text = PAGE.read_text()
    if "WRITE_DOCUMENTATION" in os.environ:
        PAGE.write_text(listed(name).sub(lambda _: written, text))
        return
    assert listed(name).findall(text) == [written]


def test_every_folder_of_the_package_has_a_row() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= set(rows)


def test_the_drawing_is_there() -> None:
    drawing = (BOOK / "architecture.svg").read_text()
    assert "architecture.svg" in PAGE.read_text()
    for words in ("ONNX file", "float graph", "integer model", "system", "claims", "opening"):
        assert f">{words}<" in drawing, words
