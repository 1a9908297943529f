"""What rules say of their operators is what the ONNX standard says, and nothing else names operators."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest

import deepprove_dist
from deepprove_dist.importing import expansions
from deepprove_dist.importing.rewriting.rule import Refusal, Rule
from deepprove_dist.importing.rewriting.standard import NATIVE_OPSET, OLDEST_OPSET
from deepprove_dist.importing.rules import (
    MODULES,
    REFUSALS,
    RULES,
    choices_by_bits,
    masked_rows,
    masks,
    matching,
)

PACKAGE = Path(deepprove_dist.__file__).parent
NEWEST = onnx.defs.onnx_opset_version()

# Words of other things, which are operators too.
OTHER_WORDS = {"Size"}


def schemas(operator: str) -> list[onnx.defs.OpSchema]:
    """The operator's schemas in the opsets that rules read."""
    opsets = range(NATIVE_OPSET, NEWEST + 1)
    return [
        onnx.defs.get_schema(operator, opset)
        for opset in opsets
        if onnx.defs.has(operator, max_inclusive_version=opset)
    ]


def since(operator: str) -> int:
    """The first opset that has the operator, of those that are read."""
    opsets = range(OLDEST_OPSET, NEWEST + 1)
    return next(opset for opset in opsets if onnx.defs.has(operator, max_inclusive_version=opset))


known = pytest.mark.parametrize(
    "rule", [rule for rule in RULES.values() if onnx.defs.has(rule.operator)], ids=lambda rule: rule.operator
)


@known
def test_attributes_are_those_of_the_standard(rule: Rule) -> None:
    stated = {name for schema in schemas(rule.operator) for name in schema.attributes}
    assert rule.attributes <= stated


@known
def test_the_first_opset_is_that_of_the_standard(rule: Rule) -> None:
    assert rule.since == since(rule.operator)


@known
def test_types_are_among_those_of_the_standard(rule: Rule) -> None:
    schema = schemas(rule.operator)[-1]
    constraints = {item.type_param_str: item.allowed_type_strs for item in schema.type_constraints}
    output = schema.outputs[0].type_str
    allowed = set(constraints.get(output, [output]))
    names = [onnx.TensorProto.DataType.Name(kind).lower() for kind in rule.types]
    assert {f"tensor({name})" for name in names} <= allowed


def test_random_operators_are_those_that_take_a_seed() -> None:
    """They are all that the standard gives a seed."""
    stated = {schema.name for schema in onnx.defs.get_all_schemas() if "seed" in schema.attributes}
    statements: dict[str, Rule | Refusal] = {**RULES, **REFUSALS}
    assert {name for name, statement in statements.items() if statement.random} == stated


def test_an_operator_has_rules_of_one_kind_or_a_refusal() -> None:
    """Rules for forms of one operator agree in what is no part of a form."""
    forms = [rule for module in MODULES for rule in getattr(module, "RULES", ())]
    facts = {(rule.operator, rule.types, rule.since, rule.of_shape, rule.random) for rule in forms}
    assert len(facts) == len(RULES)
    assert len({(rule.operator, rule.supported) for rule in forms}) == len(forms)
    rules = list(RULES)
    refusals = [refusal.operator for module in MODULES for refusal in getattr(module, "REFUSALS", ())]
    assert len({*rules, *refusals}) == len(rules) + len(refusals)


def test_folders_of_families_have_nothing_else() -> None:
    """But for what reads the nodes before one, and names operators for that."""
    others = {
        module for module in MODULES if not hasattr(module, "RULES") and not hasattr(module, "REFUSALS")
    }
    assert others == {matching, masks, masked_rows, choices_by_bits}
    assert all(hasattr(module, "EXPANSIONS") for module in expansions.MODULES)


def strings(file: Path) -> Iterator[str]:
    """The string constants in a file, but for the name by which a float operator says what it is in ONNX."""
    tree = ast.parse(file.read_text())
    stated = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.target.id == "onnx_operator"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in stated:
            yield node.value


def test_no_operator_is_named_outside_of_the_rules() -> None:
    operators = {schema.name for schema in onnx.defs.get_all_schemas()} | set(REFUSALS)
    namers = {PACKAGE / "importing" / name for name in ("rules", "expansions", "expanding")}
    files = [file for file in PACKAGE.rglob("*.py") if namers.isdisjoint(file.parents)]
    named = {(file.name, word) for file in files for word in strings(file) if word in operators - OTHER_WORDS}
    assert not named
