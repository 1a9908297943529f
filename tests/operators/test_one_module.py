"""An operator is one module: no other code names operators, or asks which one a node is."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import deepprove_dist
from deepprove_dist import operators
from deepprove_dist.operators.float_operator import FloatOperator
from deepprove_dist.operators.integer_operator import IntegerOperator
from deepprove_dist.operators.registry import OPERATORS

PACKAGE = Path(deepprove_dist.__file__).parent
OPERATOR_FILES = Path(*operators.__path__)
REGROUPING = PACKAGE / "importing" / "regrouping"
"""What is regrouped there are patterns of several operators, which it names."""
OUTSIDE = [
    file
    for file in sorted(PACKAGE.rglob("*.py"))
    if not {OPERATOR_FILES, REGROUPING}.intersection(file.parents)
]


def concrete(kind: type[Any]) -> Iterator[str]:
    """Names of the package's classes that a kind has, without further kinds."""
    for subclass in kind.__subclasses__():
        yield from concrete(subclass)
        # Other tests have operators too.
        if not inspect.isabstract(subclass) and subclass.__module__.startswith(deepprove_dist.__name__):
            yield subclass.__name__


# Modules of operators are loaded by need.
for file in OPERATOR_FILES.glob("*.py"):
    import_module(f"{operators.__name__}.{file.stem}")

FLOAT_NAMES = {*concrete(FloatOperator)}
CLASSES = FLOAT_NAMES | {type(operator).__name__ for operator in OPERATORS.values()}


def classes_asked_for(tree: ast.AST) -> Iterator[str]:
    """Names of classes that a module compares values with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            yield from (name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name))
        if isinstance(node, ast.MatchClass) and isinstance(node.cls, ast.Name):
            yield node.cls.id


def test_every_module_of_an_operator_is_registered() -> None:
    """And what is registered has names of its own."""
    assert len(FLOAT_NAMES) > 10
    assert {type(operator).__name__ for operator in OPERATORS.values()} == {*concrete(IntegerOperator)}
    assert all(operator.name == name for name, operator in OPERATORS.items())
    assert all(type(operator).__module__.endswith(f".{name}") for name, operator in OPERATORS.items())


@pytest.mark.parametrize("name", ["", "node", "registry", "..keys", "os", "Dense", "dense.dense", "fixed"])
def test_what_is_no_operator_is_none_by_any_name(name: str) -> None:
    """Names come from files, and modules are loaded by them."""
    assert name not in OPERATORS
    with pytest.raises(KeyError):
        OPERATORS[name]


@pytest.mark.parametrize("file", OUTSIDE, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_no_other_module_asks_which_operator_a_node_is(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert not CLASSES.intersection(classes_asked_for(tree))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not texts & set(OPERATORS)


def test_the_check_sees_a_test_of_a_class() -> None:
    seen = set(
        classes_asked_for(ast.parse("match x:\n    case FloatPad(): isinstance(y, FloatConv | Dense)"))
    )
    assert seen == {"FloatPad", "FloatConv", "Dense"}
    assert seen <= CLASSES
